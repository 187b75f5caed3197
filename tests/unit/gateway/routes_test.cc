#include "postern/gateway/routes.h"

#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

namespace postern {
namespace {

constexpr Instant kStart{std::chrono::hours(1)};

struct Ten {
  Routes routes;
  BackendHealth health{10};
  BackendId First(const std::string& user, Instant now) const {
    return Choose(Protocol::kImap, user, now).id[0];
  }
  // Two probes in a row found it dead.
  void TakeDown(BackendId id) {
    for (const Protocol protocol : {Protocol::kImap, Protocol::kPop3}) {
      health.ProbeFailed(id, protocol);
      health.ProbeFailed(id, protocol);
    }
  }
  void BringUp(BackendId id, Instant now) {
    health.ProbeSucceeded(id, Protocol::kImap, now);
    health.ProbeSucceeded(id, Protocol::kPop3, now);
  }
  Candidates Choose(Protocol protocol, const std::string& user, Instant now) const {
    return routes.Choose(health, {0, kNoBackend, protocol, user}, now);
  }
};

Ten TenBackends(Balance balance = Balance::kUser) {
  Pool pool;
  pool.balance = balance;
  pool.name = "legacy";
  std::vector<Backend> backends;
  for (BackendId id = 0; id < 10; ++id) {
    Backend backend;
    backend.name = "mail" + std::to_string(id);
    backend.address[0] = backend.address[1] = Address::Parse("127.0.0.1:143").value();
    backend.serves[0] = true;
    backend.serves[1] = id < 5;
    pool.backends.push_back(id);
    backends.push_back(backend);
  }
  return Ten{Routes({pool}, backends, 0)};
}

std::string User(int number) { return "user" + std::to_string(number) + "@example.org"; }

TEST_CASE("a user always gets the same backend in whatever case it is spelt") {
  const Ten backends = TenBackends();
  const Candidates first = backends.Choose(Protocol::kImap, "Ann@Example.ORG", kStart);
  const Candidates again = backends.Choose(Protocol::kImap, "ann@example.org", kStart);
  REQUIRE(first.count == kMaxCandidates);
  CHECK(first.id[0] == again.id[0]);
  CHECK(first.id[1] == again.id[1]);
  CHECK(first.id[0] != first.id[1]);
}

TEST_CASE("users are spread evenly over the backends") {
  const Ten backends = TenBackends();
  int users[10] = {};
  for (int i = 0; i < 10000; ++i) {
    ++users[backends.Choose(Protocol::kImap, User(i), kStart).id[0]];
  }
  for (const int count : users) {
    CHECK(count > 850);
    CHECK(count < 1150);
  }
}

TEST_CASE("a failed backend moves its own users and nobody else") {
  Ten backends = TenBackends();
  std::vector<Candidates> before;
  for (int i = 0; i < 2000; ++i)
    before.push_back(backends.Choose(Protocol::kImap, User(i), kStart));
  backends.health.Failed(3, kStart);
  for (int i = 0; i < 2000; ++i) {
    const Candidates& was = before[static_cast<std::size_t>(i)];
    const BackendId now = backends.Choose(Protocol::kImap, User(i), kStart).id[0];
    CHECK(now == (was.id[0] == 3 ? was.id[1] : was.id[0]));
  }
}

TEST_CASE("a failed backend is tried again after five seconds and is up only after a success") {
  Ten backends = TenBackends();
  for (BackendId id = 0; id < 10; ++id) backends.health.Failed(id, kStart);
  CHECK(backends.Choose(Protocol::kImap, "ann", kStart + kRetryAfter - Duration(1)).count == 0);
  CHECK(backends.Choose(Protocol::kImap, "ann", kStart + kRetryAfter).count == kMaxCandidates);
  CHECK_FALSE(backends.health.up(4));
  backends.health.Succeeded(4);
  CHECK(backends.health.up(4));
}

TEST_CASE("a backend whose name is not resolved yet is not chosen") {
  Pool pool;
  pool.backends = {0};
  Backend backend;
  backend.serves[0] = true;
  const Routes routes({pool}, {backend}, 0);
  CHECK(routes.Choose(BackendHealth(1), {0, kNoBackend, Protocol::kImap, "ann"}, kStart).count ==
        0);
}

TEST_CASE("one of ten backends gone moves its tenth of the users and it comes back to the same") {
  Ten backends = TenBackends();
  constexpr int kUsers = 5000;
  std::vector<BackendId> before;
  for (int i = 0; i < kUsers; ++i) before.push_back(backends.First(User(i), kStart));
  backends.TakeDown(7);
  int moved = 0;
  for (int i = 0; i < kUsers; ++i) {
    const BackendId was = before[static_cast<std::size_t>(i)];
    const BackendId now = backends.First(User(i), kStart);
    REQUIRE(now != 7);
    if (was != 7) REQUIRE(now == was);
    moved += now != was ? 1 : 0;
  }
  CHECK(moved > kUsers / 10 * 85 / 100);
  CHECK(moved < kUsers / 10 * 115 / 100);
  backends.BringUp(7, kStart);
  for (int i = 0; i < kUsers; ++i) {
    REQUIRE(backends.First(User(i), kStart + kSlowStart) == before[static_cast<std::size_t>(i)]);
  }
}

TEST_CASE("a backend that comes back takes its users one after the other and keeps whom it has") {
  Ten backends = TenBackends();
  std::vector<std::string> its_own;
  for (int i = 0; i < 10000; ++i) {
    if (backends.First(User(i), kStart) == 7) its_own.push_back(User(i));
  }
  backends.TakeDown(7);
  backends.BringUp(7, kStart);
  std::vector<bool> is_back(its_own.size());
  for (int part = 0; part <= 10; ++part) {
    const Instant now = kStart + kSlowStart * part / 10;
    double count = 0;
    for (std::size_t i = 0; i < its_own.size(); ++i) {
      const bool there = backends.First(its_own[i], now) == 7;
      if (is_back[i]) REQUIRE(there);
      is_back[i] = there;
      count += there ? 1 : 0;
    }
    CHECK(count / static_cast<double>(its_own.size()) == Approx(part / 10.0).margin(0.05));
  }
}

TEST_CASE("when all backends come back at once nobody has to wait for the slow start") {
  Ten backends = TenBackends();
  std::vector<BackendId> before;
  for (int i = 0; i < 500; ++i) before.push_back(backends.First(User(i), kStart));
  for (BackendId id = 0; id < 10; ++id) backends.TakeDown(id);
  CHECK(backends.Choose(Protocol::kImap, "ann", kStart).count == 0);
  for (BackendId id = 0; id < 10; ++id) backends.BringUp(id, kStart);
  for (int i = 0; i < 500; ++i) {
    CHECK(backends.First(User(i), kStart) == before[static_cast<std::size_t>(i)]);
  }
}

TEST_CASE("a backend that is down for one protocol still serves the other") {
  Ten backends = TenBackends();
  for (BackendId id = 0; id < 10; ++id) {
    backends.health.ProbeFailed(id, Protocol::kPop3);
    backends.health.ProbeFailed(id, Protocol::kPop3);
  }
  CHECK(backends.Choose(Protocol::kPop3, "ann", kStart).count == 0);
  CHECK(backends.Choose(Protocol::kImap, "ann", kStart).count == kMaxCandidates);
}

TEST_CASE("a draining backend gets nobody new") {
  Ten backends = TenBackends();
  const BackendId its = backends.First("ann", kStart);
  backends.health.SetDraining(its, true);
  CHECK(backends.First("ann", kStart) != its);
  CHECK(backends.routes.Choose(backends.health, {0, its, Protocol::kImap, "ann"}, kStart).count ==
        0);
  backends.health.SetDraining(its, false);
  CHECK(backends.First("ann", kStart) == its);
}

TEST_CASE("a wish for one backend gets that one or none") {
  Ten backends = TenBackends();
  const auto choose = [&](BackendId id, Protocol protocol) {
    return backends.routes.Choose(backends.health, {0, id, protocol, "ann"}, kStart);
  };
  for (BackendId id = 0; id < 10; ++id) {
    const Candidates candidates = choose(id, Protocol::kImap);
    REQUIRE(candidates.count == 1);
    CHECK(candidates.id[0] == id);
  }
  CHECK(choose(7, Protocol::kPop3).count == 0);   // does not serve it
  CHECK(choose(10, Protocol::kImap).count == 0);  // is not in the pool
  backends.health.Failed(3, kStart);
  CHECK(choose(3, Protocol::kImap).count == 1);  // failing: there is no other to try instead
  backends.TakeDown(3);
  CHECK(choose(3, Protocol::kImap).count == 0);
}

TEST_CASE("balance least sends to the backend with the fewest sessions") {
  Ten backends = TenBackends(Balance::kLeast);
  for (BackendId id = 0; id < 10; ++id) {
    for (int i = 0; i < 5; ++i) backends.health.SessionOpened(id);
  }
  const BackendId tied = backends.First("ann", kStart);
  CHECK(backends.First("ann", kStart) == tied);  // a tie is the same each time
  backends.health.SessionClosed(4);
  backends.health.SessionClosed(6);
  backends.health.SessionClosed(6);
  for (int i = 0; i < 20; ++i) {
    const Candidates candidates = backends.Choose(Protocol::kImap, User(i), kStart);
    CHECK(candidates.id[0] == 6);
    CHECK(candidates.id[1] == 4);
  }
  // Those that wait for the greeting are sessions soon.
  std::vector<std::unique_ptr<BackendHealth::Place>> waiting;
  for (int i = 0; i < 3; ++i) {
    waiting.push_back(std::make_unique<BackendHealth::Place>(backends.health, BackendId{6}));
  }
  CHECK(backends.First("ann", kStart) == 4);
}

TEST_CASE("balance least gives a backend that comes back its share over the slow start") {
  Ten backends = TenBackends(Balance::kLeast);
  backends.TakeDown(4);
  for (BackendId id = 0; id < 10; ++id) {
    for (int i = 0; i < 100 && id != 4; ++i) backends.health.SessionOpened(id);
  }
  backends.BringUp(4, kStart);
  // How many it takes in a row at this moment.
  const auto takes = [&](Instant now) {
    int count = 0;
    while (backends.First("ann", now) == 4) {
      backends.health.SessionOpened(4);
      ++count;
    }
    return count;
  };
  CHECK(takes(kStart) < 10);
  takes(kStart + kSlowStart / 2);
  CHECK(backends.health.sessions(4) == Approx(50).margin(3));
  takes(kStart + kSlowStart);
  CHECK(backends.health.sessions(4) == Approx(100).margin(3));
}

TEST_CASE("only backends that serve the protocol are chosen") {
  const Ten backends = TenBackends();
  for (int i = 0; i < 500; ++i) {
    const Candidates candidates = backends.Choose(Protocol::kPop3, User(i), kStart);
    CHECK(candidates.id[0] < 5);
    CHECK(candidates.id[1] < 5);
  }
}

}  // namespace
}  // namespace postern
