// TCP streams over loopback: the far side is a plain descriptor or a stream of our own.
#include <catch2/catch.hpp>
#include <memory>
#include <string>

#include "postern/net/connector.h"
#include "postern/net/listener.h"
#include "unit/net/raw_socket.h"
#include "unit/net/recorder.h"

namespace postern {
namespace {

const Address& Loopback() {
  static const Address address = Address::Parse("127.0.0.1:0").value();
  return address;
}

// A listener, one raw client and the stream that was accepted for it.
struct Accepted {
  explicit Accepted(int receive_buffer = 0) {
    BoundSocket socket = std::move(BoundSocket::Bind(Loopback()).value());
    address = socket.address();
    listener = std::move(Listener::Open(loop, std::move(socket),
                                        [this](std::unique_ptr<Stream> accepted,
                                               const Address& from, const Address&) {
                                          stream = std::move(accepted);
                                          client_address = from;
                                        })
                             .value());
    client = std::make_unique<RawSocket>(address, receive_buffer);
    REQUIRE(TurnUntil(loop, [&] { return stream != nullptr; }));
  }
  void Start() {
    stream->Start(server);
    REQUIRE(server.opened == 1);
  }
  bool Until(const std::function<bool()>& condition) { return TurnUntil(loop, condition); }
  bool UntilClientEnds() {
    return Until([&] {
      while (client->Receive() && client->received().size() < 100'000'000 && More()) {
      }
      return client->ended();
    });
  }
  // Whether the last Receive brought something.
  bool More() {
    const bool more = client->received().size() > seen;
    seen = client->received().size();
    return more;
  }

  Loop loop;
  Address address;
  Address client_address;
  std::unique_ptr<Listener> listener;
  std::unique_ptr<RawSocket> client;
  Recorder server;
  std::unique_ptr<Stream> stream;
  std::size_t seen = 0;
};

TEST_CASE("an accepted stream carries bytes both ways", "[net][tcp]") {
  Accepted world;
  CHECK(world.client_address.HostText() == "127.0.0.1");
  CHECK(world.client_address.port() != world.address.port());
  world.Start();
  world.client->Send("hello");
  REQUIRE(world.Until([&] { return world.server.received == "hello"; }));
  world.stream->Write("welcome");
  CHECK(world.stream->backlog() == 0);
  CHECK(world.Until(
      [&] { return !world.client->Receive() || world.client->received() == "welcome"; }));
  CHECK(world.stream->tls().version.empty());
}

TEST_CASE("last words arrive whole, with the end behind them", "[net][tcp]") {
  // The larger does not fit into the client's buffer and leaves bit by bit.
  const std::size_t size = GENERATE(5, 300'000);
  Accepted world(4096);
  world.Start();
  world.stream->Write("said before ");
  world.stream->LastWords();
  const std::string last = Pattern(size);
  world.stream->Write(last);
  world.stream->Write(" bye");
  world.stream->Close(Stream::How::kFlush);
  REQUIRE(world.UntilClientEnds());
  CHECK(world.client->error() == 0);
  CHECK(world.client->received() == "said before " + last + " bye");
}

TEST_CASE("a peer that finished sending still hears", "[net][tcp]") {
  Accepted world;
  world.Start();
  world.client->Send("bye");
  world.client->ShutDown();
  REQUIRE(world.Until([&] { return !world.server.ends.empty(); }));
  CHECK(world.server.received == "bye");
  CHECK(world.server.ended_well());
  world.stream->SetReading(false);
  world.stream->SetReading(true);  // the end is not told twice
  Turn(world.loop);
  world.stream->Write("one more thing");
  world.stream->Close(Stream::How::kFlush);
  CHECK(world.UntilClientEnds());
  CHECK(world.client->received() == "one more thing");
  CHECK(world.client->error() == 0);
  CHECK(world.server.ended_well());
}

TEST_CASE("what the kernel does not take is backlog and drains", "[net][tcp]") {
  Accepted world(4096);
  world.Start();
  const std::string bytes = Pattern(8 << 20);
  world.stream->Write(bytes);
  CHECK(world.stream->backlog() >= kHighMark);
  CHECK(world.server.drained == 0);
  Turn(world.loop);
  const std::size_t before = world.stream->backlog();
  world.stream->Write("in order");
  CHECK(world.stream->backlog() == before + 8);
  CHECK(world.Until([&] {
    if (world.server.drained > 0) return true;
    CHECK(world.stream->backlog() > 0);
    world.client->Receive();
    return false;
  }));
  CHECK(world.stream->backlog() <= kLowMark);
  CHECK(world.Until([&] {
    world.client->Receive();
    return world.client->received().size() == bytes.size() + 8;
  }));
  CHECK((world.client->received() == bytes + "in order"));
  CHECK(world.stream->backlog() == 0);
  CHECK(world.server.drained == 1);
}

TEST_CASE("a small backlog does not report that it drained", "[net][tcp]") {
  Accepted world(4096);
  world.Start();
  while (world.stream->backlog() == 0) world.stream->Write(Pattern(10'000));
  CHECK(world.stream->backlog() < kHighMark);
  CHECK(world.Until([&] {
    world.client->Receive();
    return world.stream->backlog() == 0;
  }));
  CHECK(world.server.drained == 0);
}

TEST_CASE("a flushing close delivers everything and then the end", "[net][tcp]") {
  Accepted world(4096);
  world.Start();
  const std::string bytes = Pattern(3 << 20);
  world.stream->Write(bytes);
  REQUIRE(world.stream->backlog() > 0);
  world.stream->Close(Stream::How::kFlush);
  world.stream.reset();
  world.client->Send("nobody listens to this");
  CHECK(world.UntilClientEnds());
  CHECK((world.client->received() == bytes));
  CHECK(world.client->error() == 0);
  CHECK(world.server.received.empty());
  CHECK(world.server.ends.empty());
}

TEST_CASE("a flushing close hears the client out before the socket goes", "[net][tcp]") {
  Accepted world;
  world.Start();
  world.stream->Write("BYE");
  world.stream->Close(Stream::How::kFlush);
  REQUIRE(world.UntilClientEnds());
  for (int i = 0; i < 10; ++i) {
    world.client->Send("late command");
    Turn(world.loop);
  }
  // A reset would show as an error of the next receive.
  world.client->Receive();
  CHECK(world.client->error() == 0);
  CHECK(world.client->received() == "BYE");
}

TEST_CASE("an aborting close is a reset", "[net][tcp]") {
  Accepted world;
  world.Start();
  world.stream->Write("half a mess");
  SECTION("by Close") { world.stream->Close(Stream::How::kAbort); }
  SECTION("by destroying") { world.stream.reset(); }
  CHECK(world.UntilClientEnds());
  CHECK(world.client->error() == ECONNRESET);
  CHECK(world.server.ends.empty());
}

TEST_CASE("a reset by the client is an error", "[net][tcp]") {
  Accepted world;
  world.Start();
  world.client->Reset();
  REQUIRE(world.Until([&] { return !world.server.ends.empty(); }));
  CHECK(world.server.error() == "connection reset by peer");
  world.stream->Write("too late");
  Turn(world.loop);
  CHECK(world.server.ends.size() == 1);
}

TEST_CASE("a failed write is told on a later turn", "[net][tcp]") {
  Accepted world;
  world.Start();
  world.stream->SetReading(false);
  world.client->Reset();
  for (int i = 0; i < 10; ++i) {
    world.stream->Write("into the void");
    CHECK(world.server.ends.empty());
  }
  SECTION("to the observer") {
    REQUIRE(world.Until([&] { return !world.server.ends.empty(); }));
    CHECK_FALSE(world.server.ends[0].ok());
  }
  SECTION("to nobody after Close") {
    world.stream->Close(Stream::How::kFlush);
    Turn(world.loop);
    CHECK(world.server.ends.empty());
  }
  SECTION("to nobody after the stream has gone") {
    world.stream.reset();
    Turn(world.loop);
    CHECK(world.server.ends.empty());
  }
}

TEST_CASE("a paused stream reads nothing until it is resumed", "[net][tcp]") {
  Accepted world;
  world.Start();
  world.stream->SetReading(false);
  world.client->Send("patience");
  for (int i = 0; i < 5; ++i) Turn(world.loop);
  CHECK(world.server.received.empty());
  world.stream->SetReading(true);
  CHECK(world.server.received.empty());
  CHECK(world.Until([&] { return world.server.received == "patience"; }));
}

TEST_CASE("the observer may close or destroy the stream from its calls", "[net][tcp]") {
  Accepted world;
  SECTION("in OnOpen") {
    world.server.on_open = [&] { world.stream.reset(); };
    world.stream->Start(world.server);
  }
  SECTION("in OnBytes") {
    world.server.on_bytes = [&](std::string_view) { world.stream.reset(); };
    world.Start();
    world.client->Send(Pattern(100));
  }
  SECTION("in OnEnd") {
    world.server.on_end = [&] { world.stream.reset(); };
    world.Start();
    world.client->ShutDown();
  }
  CHECK(world.UntilClientEnds());
  CHECK(world.server.arrivals.size() <= 1);
}

// A dialled stream whose far side is an accepted one.
struct Dialled final : Dialer::Observer {
  void OnDialed(Result<std::unique_ptr<Stream>> result) override {
    ++calls;
    if (result.ok()) {
      stream = std::move(result.value());
    } else {
      error = result.error().message();
    }
    attempt.reset();
  }
  std::unique_ptr<Dialer::Attempt> attempt;
  std::unique_ptr<Stream> stream;
  std::string error;
  int calls = 0;
};

TEST_CASE("a dialled stream reaches the listener", "[net][tcp]") {
  Accepted world;
  world.stream.reset();
  const auto dialer = NewTcpDialer(world.loop);
  Dialled dialled;
  dialled.attempt = dialer->Dial(world.address, dialled);
  CHECK(dialled.calls == 0);
  REQUIRE(world.Until([&] { return dialled.calls > 0 && world.stream != nullptr; }));
  REQUIRE(dialled.error.empty());
  Recorder near;
  dialled.stream->Start(near);
  world.Start();
  const std::string bytes = Pattern(1 << 20);
  dialled.stream->Write(bytes);
  REQUIRE(world.Until([&] { return world.server.received.size() == bytes.size(); }));
  world.stream->Write(world.server.received);
  REQUIRE(world.Until([&] { return near.received.size() == bytes.size(); }));
  CHECK((near.received == bytes));
  dialled.stream->Close(Stream::How::kFlush);
  REQUIRE(world.Until([&] { return !world.server.ends.empty(); }));
  CHECK(world.server.ended_well());
}

TEST_CASE("a refused connect says where and why", "[net][tcp]") {
  Loop loop;
  // Bound and not listening: nobody else can get the port, and connecting is refused.
  const BoundSocket closed = std::move(BoundSocket::Bind(Loopback()).value());
  const auto dialer = NewTcpDialer(loop);
  Dialled dialled;
  dialled.attempt = dialer->Dial(closed.address(), dialled);
  REQUIRE(TurnUntil(loop, [&] { return dialled.calls > 0; }));
  CHECK(dialled.error == "connect to " + closed.address().Text() + ": connection refused");
  CHECK(dialled.calls == 1);
}

TEST_CASE("a dropped attempt calls nobody", "[net][tcp]") {
  Accepted world;
  const auto dialer = NewTcpDialer(world.loop);
  Dialled dialled;
  dialled.attempt = dialer->Dial(world.address, dialled);
  dialled.attempt.reset();
  for (int i = 0; i < 5; ++i) Turn(world.loop);
  CHECK(dialled.calls == 0);
}

}  // namespace
}  // namespace postern
