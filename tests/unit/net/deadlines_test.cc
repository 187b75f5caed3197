#include "postern/net/deadlines.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <functional>
#include <memory>
#include <random>
#include <vector>

namespace postern {
namespace {

using namespace std::chrono_literals;

Instant At(int ms) { return Instant(std::chrono::milliseconds(ms)); }

// A deadline that notes its name, then does what the test wants.
struct Waiter {
  Waiter(Deadlines& deadlines, int its_name, std::vector<int>& its_log)
      : name(its_name), log(its_log), deadline(deadlines, &Waiter::Expire, this) {}
  static void Expire(void* self) {
    auto& waiter = *static_cast<Waiter*>(self);
    waiter.log.push_back(waiter.name);
    if (waiter.then) waiter.then();
  }
  int name;
  std::vector<int>& log;
  std::function<void()> then;
  Deadline deadline;
};

struct Fixture {
  Waiter& Add(int name, int ms) {
    waiters.push_back(std::make_unique<Waiter>(deadlines, name, log));
    waiters.back()->deadline.Arm(At(ms));
    return *waiters.back();
  }
  Deadlines deadlines;
  std::vector<int> log;
  std::vector<std::unique_ptr<Waiter>> waiters;
};

TEST_CASE("deadlines expire in order of their instants", "[net]") {
  Fixture fixture;
  for (const int ms : {50, 10, 40, 20, 30}) fixture.Add(ms, ms);
  CHECK(fixture.deadlines.next() == At(10));
  fixture.deadlines.Sweep(At(9));
  CHECK(fixture.log.empty());
  fixture.deadlines.Sweep(At(30));
  CHECK(fixture.log == std::vector<int>{10, 20, 30});
  CHECK(fixture.deadlines.next() == At(40));
  fixture.deadlines.Sweep(At(100));
  CHECK(fixture.log == std::vector<int>{10, 20, 30, 40, 50});
  CHECK(fixture.deadlines.empty());
}

TEST_CASE("a deadline moves when it is armed again", "[net]") {
  Fixture fixture;
  Waiter& early = fixture.Add(1, 10);
  fixture.Add(2, 20);
  early.deadline.Arm(At(30));
  CHECK(early.deadline.at() == At(30));
  fixture.deadlines.Sweep(At(25));
  CHECK(fixture.log == std::vector<int>{2});
  early.deadline.Arm(At(5));
  fixture.deadlines.Sweep(At(25));
  CHECK(fixture.log == std::vector<int>{2, 1});
  CHECK_FALSE(early.deadline.armed());
}

TEST_CASE("a disarmed or destroyed deadline does not expire", "[net]") {
  Fixture fixture;
  fixture.Add(1, 10).deadline.Disarm();
  fixture.Add(2, 10);
  fixture.waiters.pop_back();
  CHECK(fixture.deadlines.empty());
  fixture.deadlines.Sweep(At(100));
  CHECK(fixture.log.empty());
}

TEST_CASE("deadlines may be changed while they expire", "[net]") {
  Fixture fixture;
  Waiter& first = fixture.Add(1, 10);
  Waiter& second = fixture.Add(2, 20);
  fixture.Add(3, 30);

  SECTION("armed again later") {
    first.then = [&] { first.deadline.Arm(At(200)); };
    fixture.deadlines.Sweep(At(100));
    CHECK(fixture.log == std::vector<int>{1, 2, 3});
    CHECK(fixture.deadlines.next() == At(200));
  }
  SECTION("another disarmed") {
    first.then = [&] { second.deadline.Disarm(); };
    fixture.deadlines.Sweep(At(100));
    CHECK(fixture.log == std::vector<int>{1, 3});
  }
  SECTION("another destroyed") {
    first.then = [&] { fixture.waiters.erase(fixture.waiters.begin() + 1); };
    fixture.deadlines.Sweep(At(100));
    CHECK(fixture.log == std::vector<int>{1, 3});
  }
  SECTION("itself destroyed") {
    first.then = [&] { fixture.waiters.erase(fixture.waiters.begin()); };
    fixture.deadlines.Sweep(At(100));
    CHECK(fixture.log == std::vector<int>{1, 2, 3});
  }
}

TEST_CASE("many deadlines armed and disarmed at random keep their order", "[net]") {
  Deadlines deadlines;
  std::vector<int> log;
  std::mt19937 random(7);
  std::vector<std::unique_ptr<Waiter>> waiters;
  for (int i = 0; i < 300; ++i) waiters.push_back(std::make_unique<Waiter>(deadlines, i, log));
  for (int i = 0; i < 3000; ++i) {
    Deadline& one = waiters[random() % waiters.size()]->deadline;
    if (random() % 4 == 0) {
      one.Disarm();
    } else {
      one.Arm(At(static_cast<int>(random() % 1000)));
    }
  }
  std::vector<Instant> expected;
  for (const auto& waiter : waiters) {
    if (waiter->deadline.armed()) expected.push_back(waiter->deadline.at());
  }
  std::sort(expected.begin(), expected.end());
  deadlines.Sweep(At(1000));
  std::vector<Instant> seen;
  for (const int name : log) seen.push_back(waiters[static_cast<std::size_t>(name)]->deadline.at());
  CHECK(seen == expected);
}

}  // namespace
}  // namespace postern
