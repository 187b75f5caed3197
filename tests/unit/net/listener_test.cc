#include "postern/net/listener.h"

#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

#include "unit/net/raw_socket.h"
#include "unit/net/recorder.h"

namespace postern {
namespace {

BoundSocket Bind(const std::string& text) {
  return std::move(BoundSocket::Bind(Address::Parse(text).value()).value());
}

int Option(int descriptor, int level, int name) {
  int value = -1;
  socklen_t size = sizeof value;
  getsockopt(descriptor, level, name, &value, &size);
  return value;
}

TEST_CASE("port zero becomes a port that several workers can share", "[net][listener]") {
  const BoundSocket first = Bind("127.0.0.1:0");
  CHECK(first.address().port() != 0);
  CHECK(first.address().HostText() == "127.0.0.1");
  const Result<BoundSocket> second = BoundSocket::Bind(first.address());
  REQUIRE(second.ok());
  CHECK(second.value().address().Text() == first.address().Text());
}

TEST_CASE("an address of another machine is refused with a hint", "[net][listener]") {
  const Result<BoundSocket> socket = BoundSocket::Bind(Address::Parse("192.0.2.1:0").value());
  REQUIRE_FALSE(socket.ok());
  CHECK(socket.error().message().find("cannot listen on 192.0.2.1:0: ") == 0);
  CHECK(socket.error().message().find("no interface of this machine") != std::string::npos);
}

TEST_CASE("a port on which somebody listens is not free", "[net][listener]") {
  Loop loop;
  BoundSocket socket = Bind("127.0.0.1:0");
  const Address address = socket.address();
  CHECK(BoundSocket::CheckFree(address).ok());
  const auto listener =
      std::move(Listener::Open(loop, std::move(socket),
                               [](std::unique_ptr<Stream>, const Address&, const Address&) {})
                    .value());
  CHECK(BoundSocket::CheckFree(address).message().find("another program has this port") !=
        std::string::npos);
  CHECK(BoundSocket::CheckFree(Address::Parse("127.0.0.1:0").value()).ok());
}

TEST_CASE("accepted sockets inherit the options of the listening one", "[net][listener]") {
  BoundSocket socket = Bind("127.0.0.1:0");
  const Address address = socket.address();
  const int listening = socket.Release();
  REQUIRE(listen(listening, 1) == 0);
  const RawSocket client(address);
  const int accepted = accept(listening, nullptr, nullptr);
  REQUIRE(accepted >= 0);
  CHECK(Option(accepted, IPPROTO_TCP, TCP_NODELAY) == 1);
  CHECK(Option(accepted, SOL_SOCKET, SO_KEEPALIVE) == 1);
  CHECK(Option(accepted, IPPROTO_TCP, TCP_KEEPIDLE) == 60);
  CHECK(Option(accepted, IPPROTO_TCP, TCP_KEEPINTVL) == 15);
  CHECK(Option(accepted, IPPROTO_TCP, TCP_KEEPCNT) == 4);
  CHECK(Option(accepted, IPPROTO_TCP, TCP_USER_TIMEOUT) == 180'000);
  close(accepted);
  close(listening);
}

struct Counting {
  Counting() {
    BoundSocket socket = Bind("127.0.0.1:0");
    address = socket.address();
    listener = std::move(
        Listener::Open(loop, std::move(socket),
                       [this](std::unique_ptr<Stream> stream, const Address&, const Address&) {
                         streams.push_back(std::move(stream));
                         if (on_accept) on_accept();
                       })
            .value());
  }
  void Connect(int count) {
    for (int i = 0; i < count; ++i) clients.push_back(std::make_unique<RawSocket>(address));
  }
  void Turns() {
    for (int i = 0; i < 5; ++i) Turn(loop);
  }
  Loop loop;
  Address address;
  std::function<void()> on_accept;
  std::vector<std::unique_ptr<Stream>> streams;
  std::vector<std::unique_ptr<RawSocket>> clients;
  std::unique_ptr<Listener> listener;
};

TEST_CASE("a paused listener leaves connections to the kernel", "[net][listener]") {
  Counting world;
  world.Connect(2);
  REQUIRE(TurnUntil(world.loop, [&] { return world.streams.size() == 2; }));
  world.listener->Pause();
  world.Connect(5);
  world.Turns();
  CHECK(world.streams.size() == 2);
  world.listener->Resume();
  CHECK(world.streams.size() == 2);  // not from inside the call
  CHECK(TurnUntil(world.loop, [&] { return world.streams.size() == 7; }));
}

TEST_CASE("a listener may be paused by what it calls", "[net][listener]") {
  Counting world;
  world.on_accept = [&] { world.listener->Pause(); };
  world.Connect(3);
  REQUIRE(TurnUntil(world.loop, [&] { return world.streams.size() == 1; }));
  world.Turns();
  CHECK(world.streams.size() == 1);
  world.listener->Resume();
  world.listener->Pause();
  world.Turns();
  CHECK(world.streams.size() == 1);
  world.listener->Resume();
  REQUIRE(TurnUntil(world.loop, [&] { return world.streams.size() == 2; }));
  world.Turns();
  CHECK(world.streams.size() == 2);
}

TEST_CASE("a paused listener does not keep its loop busy", "[net][listener]") {
  Counting world;
  world.listener->Pause();
  world.Connect(3);
  world.Turns();
  int turns = 0;
  world.loop.SetTurnObserver([&](Duration) { ++turns; });
  Deadline stop(
      world.loop.deadlines(), [](void* loop) { static_cast<Loop*>(loop)->Stop(); }, &world.loop);
  stop.Arm(MonotonicNow() + std::chrono::milliseconds(50));
  world.loop.Run();
  CHECK(turns <= 3);
}

TEST_CASE("a listener may be destroyed by what it calls", "[net][listener]") {
  Counting world;
  world.on_accept = [&] { world.listener.reset(); };
  world.Connect(3);
  REQUIRE(TurnUntil(world.loop, [&] { return world.streams.size() == 1; }));
  world.Turns();
  CHECK(world.streams.size() == 1);
}

TEST_CASE("IPv6 listens for itself only", "[net][listener]") {
  const Result<BoundSocket> six = BoundSocket::Bind(Address::Parse("[::1]:0").value());
  if (!six.ok()) return;  // a machine without IPv6
  const std::string port = std::to_string(six.value().address().port());
  CHECK(six.value().address().HostText() == "::1");
  CHECK(BoundSocket::Bind(Address::Parse("127.0.0.1:" + port).value()).ok());
}

}  // namespace
}  // namespace postern
