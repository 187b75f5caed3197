// Streams that go on with another observer, and TLS that begins in the middle.
#include <catch2/catch.hpp>
#include <memory>
#include <string>

#include "postern/net/connector.h"
#include "postern/net/listener.h"
#include "unit/net/raw_socket.h"
#include "unit/net/tls_world.h"

namespace postern {
namespace {

// A stream of TCP and one raw client.
struct TcpWorld {
  TcpWorld() {
    BoundSocket socket =
        std::move(BoundSocket::Bind(Address::Parse("127.0.0.1:0").value()).value());
    const Address address = socket.address();
    listener = std::move(Listener::Open(loop, std::move(socket),
                                        [this](std::unique_ptr<Stream> accepted, const Address&,
                                               const Address&) { stream = std::move(accepted); })
                             .value());
    client = std::make_unique<RawSocket>(address);
    REQUIRE(Until([&] { return stream != nullptr; }));
    stream->Start(first);
  }
  bool Until(const std::function<bool()>& condition) { return TurnUntil(loop, condition); }

  Loop loop;
  std::unique_ptr<Listener> listener;
  std::unique_ptr<RawSocket> client;
  std::unique_ptr<Stream> stream;
  Recorder first;
  Recorder second;
};

TEST_CASE("a TCP stream goes on with another observer", "[net][tcp]") {
  TcpWorld world;
  world.client->Send("one");
  REQUIRE(world.Until([&] { return world.first.received == "one"; }));
  world.stream->SetReading(false);
  world.stream->Start(world.second);
  CHECK(world.second.opened == 1);
  world.client->Send("two");
  REQUIRE(world.Until([&] { return world.second.received == "two"; }));
  CHECK(world.first.received == "one");
  world.client->Close();
  REQUIRE(world.Until([&] { return !world.second.ends.empty(); }));
  CHECK(world.first.ends.empty());
}

TEST_CASE("a TCP stream may be handed on from inside OnBytes", "[net][tcp]") {
  TcpWorld world;
  world.first.on_bytes = [&](std::string_view) { world.stream->Start(world.second); };
  world.client->Send("one");
  REQUIRE(world.Until([&] { return world.second.opened == 1; }));
  world.client->Send("two");
  REQUIRE(world.Until([&] { return world.second.received == "two"; }));
  CHECK(world.first.received == "one");
}

TEST_CASE("an observer that comes late is told of the end", "[net][tcp]") {
  TcpWorld world;
  world.client->Close();
  REQUIRE(world.Until([&] { return world.first.ends.size() == 1; }));
  world.stream->Start(world.second);
  CHECK(world.second.opened == 1);
  CHECK(world.second.ends.empty());
  REQUIRE(world.Until([&] { return world.second.ends.size() == 1; }));
  CHECK(world.second.ended_well());
  CHECK(world.first.ends.size() == 1);
}

TEST_CASE("an observer that comes late is told of the failure", "[net][tcp]") {
  TcpWorld world;
  world.client->Reset();
  REQUIRE(world.Until([&] { return world.first.ends.size() == 1; }));
  world.stream->Start(world.second);
  REQUIRE(world.Until([&] { return world.second.ends.size() == 1; }));
  CHECK(world.second.error() == world.first.error());
}

TEST_CASE("a stream in memory goes on with another observer", "[net]") {
  MemoryNetwork network;
  auto [near, far] = network.Connect();
  Recorder first;
  Recorder second;
  Recorder peer;
  near->Start(first);
  far->Start(peer);
  far->Write("one");
  network.Run();
  near->SetReading(false);
  near->Start(second);
  far->Write("two");
  far->Close(Stream::How::kFlush);
  network.Run();
  CHECK(first.received == "one");
  CHECK(second.received == "two");
  CHECK(second.ended_well());
  Recorder third;
  near->Start(third);
  network.Run();
  CHECK(third.ended_well());
}

TEST_CASE("TLS begins in the middle of a conversation", "[net][tls]") {
  World world(Version(GENERATE(TLS1_2_VERSION, TLS1_3_VERSION)));
  world.stream.reset();
  const auto context = MakeContext(MakeSettings({P256()}));
  auto [near, far] = world.network.Connect();
  std::unique_ptr<Stream> plain = std::move(near);
  Recorder before;
  before.on_bytes = [&](std::string_view) {
    plain->Write("a OK begin\r\n");
    world.stream = context->Wrap(world.loop, std::move(plain));
    world.stream->Start(world.server);
  };
  plain->Start(before);
  Recorder greeted;
  far->Start(greeted);
  far->Write("a STARTTLS\r\n");
  world.Settle();
  CHECK(greeted.received == "a OK begin\r\n");
  CHECK(world.server.opened == 0);
  world.client = std::make_unique<TlsClient>(std::move(far), TlsClientOptions());
  world.client->Start();
  world.Settle();
  REQUIRE(world.client->open());
  CHECK(world.server.opened == 1);
  world.client->Write("b NOOP\r\n");
  world.Settle();
  CHECK(world.server.received == "b NOOP\r\n");
  CHECK(before.received == "a STARTTLS\r\n");
}

TEST_CASE("a TLS stream goes on with another observer", "[net][tls]") {
  World world;
  world.Shake();
  world.client->Write("one");
  world.Settle();
  Recorder second;
  world.stream->SetReading(false);
  world.stream->Start(second);
  CHECK(second.opened == 1);
  world.client->Write("two");
  world.Settle();
  CHECK(world.server.received == "one");
  CHECK(second.received == "two");
}

}  // namespace
}  // namespace postern
