#include "postern/gateway/backend_health.h"

#include <catch2/catch.hpp>
#include <memory>
#include <thread>
#include <vector>

namespace postern {
namespace {

constexpr Instant kStart{std::chrono::hours(1)};
constexpr BackendId kIt = 1;

TEST_CASE("two probes in a row take a backend down and one brings it back") {
  BackendHealth health(2);
  CHECK(health.state(kIt) == BackendState::kUp);
  health.ProbeFailed(kIt, Protocol::kImap);
  CHECK(health.state(kIt) == BackendState::kFailing);
  CHECK_FALSE(health.up(kIt));
  health.ProbeSucceeded(kIt, Protocol::kImap, kStart);
  CHECK(health.state(kIt) == BackendState::kUp);
  CHECK(health.back(kIt, Protocol::kImap, kStart) == 1);  // it was never down
  health.ProbeFailed(kIt, Protocol::kImap);
  health.ProbeFailed(kIt, Protocol::kImap);
  CHECK(health.state(kIt, Protocol::kImap) == BackendState::kDown);
  CHECK(health.state(kIt, Protocol::kPop3) == BackendState::kUp);
  CHECK(health.state(kIt) == BackendState::kDown);
  CHECK(health.state(0) == BackendState::kUp);
  health.ProbeSucceeded(kIt, Protocol::kImap, kStart);
  CHECK(health.state(kIt) == BackendState::kUp);
  CHECK(health.back(kIt, Protocol::kImap, kStart) == 0);
  CHECK(health.back(kIt, Protocol::kImap, kStart + kSlowStart / 2) == Approx(0.5));
  CHECK(health.back(kIt, Protocol::kImap, kStart + kSlowStart) == 1);
  CHECK(health.back(kIt, Protocol::kPop3, kStart) == 1);
}

TEST_CASE("a failure of a session lasts until a success or a probe behind its rest") {
  BackendHealth health(2);
  health.Failed(kIt, kStart);
  CHECK(health.state(kIt) == BackendState::kFailing);
  CHECK_FALSE(health.rested(kIt, kStart));
  health.ProbeSucceeded(kIt, Protocol::kImap, kStart + kRetryAfter - Duration(1));
  CHECK(health.state(kIt) == BackendState::kFailing);
  CHECK(health.rested(kIt, kStart + kRetryAfter));
  health.ProbeSucceeded(kIt, Protocol::kImap, kStart + kRetryAfter);
  CHECK(health.state(kIt) == BackendState::kUp);
  health.Failed(kIt, kStart);
  health.Succeeded(kIt);
  CHECK(health.up(kIt));
}

TEST_CASE("draining outweighs everything and outlives what is forgotten") {
  BackendHealth health(2);
  health.SessionOpened(kIt);
  health.ProbeFailed(kIt, Protocol::kPop3);
  health.ProbeFailed(kIt, Protocol::kPop3);
  health.Failed(kIt, kStart);
  health.SetDraining(kIt, true);
  CHECK(health.state(kIt) == BackendState::kDraining);
  health.Forget(kIt);
  CHECK(health.state(kIt) == BackendState::kDraining);
  health.SetDraining(kIt, false);
  CHECK(health.state(kIt) == BackendState::kUp);
  CHECK(health.rested(kIt, kStart));
  CHECK(health.sessions(kIt) == 1);
}

TEST_CASE("sessions of many threads are counted") {
  BackendHealth health(2);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&health] {
      for (int round = 0; round < 1000; ++round) {
        health.SessionOpened(kIt);
        health.SessionOpened(kIt);
        health.SessionClosed(kIt);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(health.sessions(kIt) == 4000);
  CHECK(health.sessions(0) == 0);
}

TEST_CASE("a backend that does not greet keeps a bounded number waiting") {
  BackendHealth health(1);
  std::vector<std::unique_ptr<BackendHealth::Place>> places;
  for (std::uint32_t i = 0; i < kMaxConnecting; ++i) {
    places.push_back(std::make_unique<BackendHealth::Place>(health, BackendId{0}));
    REQUIRE(places.back()->taken());
  }
  CHECK_FALSE(BackendHealth::Place(health, BackendId{0}).taken());
  places.pop_back();
  CHECK(BackendHealth::Place(health, BackendId{0}).taken());
}

}  // namespace
}  // namespace postern
