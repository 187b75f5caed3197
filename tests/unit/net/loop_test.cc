#include "postern/net/loop.h"

#include <catch2/catch.hpp>
#include <csignal>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "postern/net/listener.h"
#include "unit/net/raw_socket.h"
#include "unit/net/recorder.h"

namespace postern {
namespace {

using namespace std::chrono_literals;

TEST_CASE("posted tasks run on the loop in the order of the calls", "[net][loop]") {
  Loop loop;
  std::vector<int> order;
  std::thread::id where;
  std::thread other([&] {
    for (int i = 0; i < 1000; ++i) loop.Post([&order, i] { order.push_back(i); });
    loop.Post([&] {
      where = std::this_thread::get_id();
      loop.Stop();
    });
  });
  loop.Run();
  other.join();
  CHECK(where == std::this_thread::get_id());
  REQUIRE(order.size() == 1000);
  for (int i = 0; i < 1000; ++i) REQUIRE(order[static_cast<std::size_t>(i)] == i);
}

TEST_CASE("a task posted by a task runs on a later turn", "[net][loop]") {
  Loop loop;
  bool within = true;
  loop.Post([&] {
    loop.Post([&] {
      CHECK_FALSE(within);
      loop.Stop();
    });
    loop.AfterTurn([&] { within = false; });
  });
  loop.Run();
}

TEST_CASE("after the turn the list is run until it is empty", "[net][loop]") {
  Loop loop;
  std::vector<int> order;
  loop.Post([&] {
    loop.AfterTurn([&] {
      order.push_back(1);
      loop.AfterTurn([&] {
        order.push_back(3);
        loop.Stop();
      });
    });
    loop.AfterTurn([&] { order.push_back(2); });
    CHECK(order.empty());
  });
  loop.Run();
  CHECK(order == std::vector<int>{1, 2, 3});
}

struct Alarm {
  Alarm(Loop& its_loop, Duration wait)
      : loop(its_loop), deadline(its_loop.deadlines(), &Alarm::Expire, this) {
    deadline.Arm(MonotonicNow() + wait);
  }
  static void Expire(void* self) {
    auto& alarm = *static_cast<Alarm*>(self);
    alarm.expired_at = MonotonicNow();
    alarm.loop.Stop();
  }
  Loop& loop;
  Deadline deadline;
  Instant expired_at{};
};

TEST_CASE("a deadline expires on its loop and not before its time", "[net][loop]") {
  Loop loop;
  Alarm later(loop, 1h);
  Alarm alarm(loop, 25ms);
  const Instant due = alarm.deadline.at();
  loop.Run();
  CHECK(alarm.expired_at >= due);
  CHECK(later.deadline.armed());
}

TEST_CASE("an earlier deadline moves the timer", "[net][loop]") {
  Loop loop;
  Alarm alarm(loop, 1h);
  loop.Post([&] { alarm.deadline.Arm(MonotonicNow() + 5ms); });
  loop.Run();
  CHECK(alarm.expired_at != Instant{});
}

TEST_CASE("a deadline in the past expires at once", "[net][loop]") {
  Loop loop;
  Alarm alarm(loop, -1s);
  loop.Run();
  CHECK(alarm.expired_at != Instant{});
}

TEST_CASE("a signal arrives on the loop", "[net][loop]") {
  Loop loop;
  int calls = 0;
  loop.OnSignal(SIGUSR1, [&] {
    ++calls;
    loop.Stop();
  });
  loop.Post([] { std::raise(SIGUSR1); });
  loop.Run();
  CHECK(calls == 1);
}

TEST_CASE("the turn observer is told the busy time and not the waiting", "[net][loop]") {
  Loop loop;
  std::vector<Duration> turns;
  loop.SetTurnObserver([&](Duration busy) { turns.push_back(busy); });
  Duration worked{};
  std::optional<Alarm> alarm;
  loop.Post([&] {
    const Instant begin = MonotonicNow();
    while (MonotonicNow() - begin < 2ms) {
    }
    worked = MonotonicNow() - begin;
    loop.AfterTurn([&] { alarm.emplace(loop, 300ms); });
  });
  const Instant begin = MonotonicNow();
  loop.Run();
  const Duration whole = MonotonicNow() - begin;
  REQUIRE_FALSE(turns.empty());
  CHECK(turns.front() >= worked);
  CHECK(turns.front() < whole - 100ms);
}

TEST_CASE("a loop that ends lets closing streams finish", "[net][loop]") {
  auto loop = std::make_unique<Loop>();
  std::unique_ptr<Stream> stream;
  BoundSocket socket = std::move(BoundSocket::Bind(Address::Parse("127.0.0.1:0").value()).value());
  RawSocket* client = nullptr;
  const Address address = socket.address();
  auto listener = std::move(Listener::Open(*loop, std::move(socket),
                                           [&](std::unique_ptr<Stream> accepted, const Address&,
                                               const Address&) { stream = std::move(accepted); })
                                .value());
  RawSocket raw(address);
  client = &raw;
  REQUIRE(TurnUntil(*loop, [&] { return stream != nullptr; }));
  Recorder recorder;
  stream->Start(recorder);
  stream->Write("BYE");
  stream->Close(Stream::How::kFlush);
  stream.reset();
  listener.reset();
  client->ShutDown();
  loop.reset();
  while (client->Receive()) {
  }
  CHECK(client->received() == "BYE");
  CHECK(client->error() == 0);
}

}  // namespace
}  // namespace postern
