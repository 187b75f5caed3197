#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <string_view>

#include "postern/net/proxy_header.h"
#include "support/for_every_split.h"
#include "support/memory_stream.h"
#include "unit/net/recorder.h"

namespace postern {
namespace {

const std::string kLine = "PROXY TCP4 192.0.2.1 192.0.2.2 12345 993\r\n";

// A proxy in front of us, and what we see of its connection.
struct World {
  World() {
    auto [ours, theirs] = network.Connect();
    lower = ours.get();
    proxy = std::move(theirs);
    proxy->Start(seen_by_proxy);
    stream = ExpectProxyHeader(std::move(ours), [this](const ProxyHeader& header) {
      CHECK(client.opened == 0);
      source = header.local ? "local" : header.source.Text();
      if (on_header) on_header();
    });
    stream->Start(client);
  }
  void Send(std::string_view bytes) {
    proxy->Write(bytes);
    network.Run();
  }
  void SendSplit(const testing::Split& split) {
    for (std::size_t i = 0; i < split.size() && stream != nullptr; ++i) Send(split[i]);
  }

  MemoryNetwork network;
  MemoryStream* lower = nullptr;
  Recorder seen_by_proxy;
  Recorder client;
  std::unique_ptr<MemoryStream> proxy;
  std::function<void()> on_header;
  std::string source = "none";
  std::unique_ptr<Stream> stream;
};

TEST_CASE("A stream opens behind its PROXY header", "[net]") {
  for (const std::string& header :
       {kLine, EncodeProxyHeader(Address::Parse("192.0.2.1:12345").value(),
                                 Address::Parse("192.0.2.2:993").value())}) {
    testing::ForEverySplit(header + "a LOGIN x y\r\n", [](const testing::Split& split) {
      INFO(split.text());
      World world;
      CHECK(world.client.opened == 0);
      world.SendSplit(split);
      CHECK(world.source == "192.0.2.1:12345");
      CHECK(world.client.opened == 1);
      CHECK(world.client.received == "a LOGIN x y\r\n");
      CHECK(world.client.ends.empty());
    });
  }
}

TEST_CASE("A stream opens at the last octet of its PROXY header", "[net]") {
  World world;
  world.Send(kLine.substr(0, kLine.size() - 1));
  CHECK(world.client.opened == 0);
  world.Send("\n");
  CHECK(world.client.opened == 1);
  CHECK(world.client.arrivals.empty());
}

TEST_CASE("A malformed PROXY header ends the stream and nothing comes of it", "[net]") {
  testing::ForEverySplit("PROXY TCP4 192.0.2.1 192.0.2.2 12345 99x\r\na NOOP\r\n",
                         [](const testing::Split& split) {
                           INFO(split.text());
                           World world;
                           world.SendSplit(split);
                           CHECK(world.client.opened == 0);
                           CHECK(world.client.received.empty());
                           CHECK(world.source == "none");
                           REQUIRE(world.client.ends.size() == 1);
                           CHECK(world.client.error() == "malformed PROXY header");
                         });
}

TEST_CASE("An end inside a PROXY header is an error", "[net]") {
  World world;
  world.Send(kLine.substr(0, 20));
  world.proxy->ShutDown();
  world.network.Run();
  CHECK(world.client.opened == 0);
  REQUIRE(world.client.ends.size() == 1);
  CHECK(world.client.error() == "connection closed before the end of its PROXY header");
}

TEST_CASE("A reset inside a PROXY header is told as it is", "[net]") {
  World world;
  world.proxy->Close(Stream::How::kAbort);
  world.network.Run();
  REQUIRE(world.client.ends.size() == 1);
  CHECK(world.client.error() == "connection reset by peer");
}

TEST_CASE("A long PROXY header with much behind it loses nothing", "[net]") {
  std::string header("\r\n\r\n\0\r\nQUIT\n\x20\0", 14);
  header += static_cast<char>(4080 >> 8);
  header += static_cast<char>(4080 & 0xff);
  header.append(4080, 'x');
  World world;
  world.Send(header.substr(0, 100));
  const std::string rest = Pattern(20000);
  world.Send(header.substr(100) + rest);
  CHECK(world.source == "local");
  CHECK(world.client.received == rest);
}

TEST_CASE("Everything passes through once the PROXY header was read", "[net]") {
  World world;
  world.Send(kLine);
  world.stream->Write("* OK\r\n");
  world.network.Run();
  CHECK(world.seen_by_proxy.received == "* OK\r\n");
  world.stream->SetReading(false);
  world.Send("a");
  CHECK(world.client.received.empty());
  world.stream->SetReading(true);
  world.network.Run();
  CHECK(world.client.received == "a");
  world.lower->set_window(0);
  world.proxy->SetReading(false);
  world.stream->Write(std::string(kHighMark, 'x'));
  CHECK(world.stream->backlog() == kHighMark);
  world.proxy->SetReading(true);
  world.network.Run();
  CHECK(world.client.drained == 1);
  world.proxy->ShutDown();
  world.network.Run();
  CHECK(world.client.ended_well());
  world.stream->Close(Stream::How::kFlush);
  CHECK(world.lower->closed());
}

TEST_CASE("Nothing is touched when the PROXY header or the opening destroys the stream", "[net]") {
  for (const int when : {0, 1, 2}) {
    INFO(when);
    World world;
    const auto destroy = [&world] { world.stream.reset(); };
    if (when == 0) world.on_header = destroy;
    if (when == 1) world.client.on_open = destroy;
    if (when == 2) world.client.on_bytes = [&](std::string_view) { destroy(); };
    world.Send(kLine + "a");
    CHECK(world.stream == nullptr);
    CHECK(world.client.opened == (when == 0 ? 0 : 1));
    CHECK(world.client.received == (when == 2 ? "a" : ""));
    CHECK(world.client.ends.empty());
  }
}

TEST_CASE("Nothing follows when the PROXY header or the opening closes the stream", "[net]") {
  for (const bool at_header : {true, false}) {
    World world;
    const auto close = [&world] { world.stream->Close(Stream::How::kFlush); };
    (at_header ? world.on_header : world.client.on_open) = close;
    world.Send(kLine + "a");
    CHECK(world.client.opened == (at_header ? 0 : 1));
    CHECK(world.client.received.empty());
  }
}

TEST_CASE("A malformed PROXY header may destroy the stream", "[net]") {
  World world;
  world.client.on_end = [&world] { world.stream.reset(); };
  world.Send("GET / HTTP/1.1\r\n");
  CHECK(world.stream == nullptr);
}

TEST_CASE("Another observer may go on behind the PROXY header", "[net]") {
  World world;
  Recorder secured;
  world.client.on_bytes = [&](std::string_view) { world.stream->Start(secured); };
  world.Send(kLine + "a STARTTLS\r\n");
  CHECK(secured.opened == 1);
  CHECK(secured.received.empty());
  world.Send("hello");
  CHECK(secured.received == "hello");
  CHECK(world.client.received == "a STARTTLS\r\n");
}

}  // namespace
}  // namespace postern
