#include "postern/gateway/ledger.h"

#include <catch2/catch.hpp>
#include <thread>
#include <utility>
#include <vector>

namespace postern {
namespace {

Instant At(int seconds) { return Instant{std::chrono::seconds(seconds)}; }

Ledger::Taken Take(Ledger& ledger, std::string session, bool end_idle = false) {
  return ledger.Take(Ledger::Key("rule", "ann"), 2, end_idle, {0, std::move(session)});
}

TEST_CASE("a limit gives so many places and gets them back") {
  Ledger ledger;
  Ledger::Taken a = Take(ledger, "a");
  Ledger::Taken b = Take(ledger, "b");
  REQUIRE(a.place);
  REQUIRE(b.place);
  CHECK_FALSE(Take(ledger, "c").place);
  CHECK_FALSE(ledger.HasRoom(Ledger::Key("rule", "ann"), 2));
  CHECK(ledger.HasRoom(Ledger::Key("rule", "bob"), 2));
  CHECK(ledger.HasRoom(Ledger::Key("other", "ann"), 2));
  a.place.reset();
  CHECK(Take(ledger, "c").place);
}

TEST_CASE("nothing is kept of who has gone") {
  Ledger ledger;
  { const Ledger::Taken a = Take(ledger, "a"); }
  CHECK(ledger.size() == 0);
  CHECK_FALSE(ledger.Take(Ledger::Key("rule", "ann"), 0, true, {0, "b"}).place);
  CHECK(ledger.size() == 0);
}

TEST_CASE("the longest idle gives way and who is busy does not") {
  Ledger ledger;
  Ledger::Taken a = Take(ledger, "a");
  Ledger::Taken b = Take(ledger, "b");
  CHECK_FALSE(Take(ledger, "c", true).place);
  a.place->Idle(At(20));
  b.place->Idle(At(10));
  Ledger::Taken c = Take(ledger, "c", true);
  REQUIRE(c.place);
  REQUIRE(c.end);
  CHECK(c.end->session == "b");
  // It has lost its place: giving it back again frees nobody else's.
  b.place.reset();
  CHECK_FALSE(Take(ledger, "d").place);
  a.place->Busy();
  CHECK_FALSE(Take(ledger, "d", true).place);
}

TEST_CASE("no more places than the limit from any number of threads") {
  Ledger ledger;
  std::atomic<int> taken{0};
  std::atomic<int> most{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 2000; ++round) {
        const Ledger::Taken one = Take(ledger, "s");
        if (!one.place) continue;
        const int now = ++taken;
        int before = most;
        while (before < now && !most.compare_exchange_weak(before, now)) {
        }
        --taken;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(most <= 2);
  CHECK(ledger.size() == 0);
}

}  // namespace
}  // namespace postern
