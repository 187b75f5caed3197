#include "postern/gateway/routes.h"

#include <catch2/catch.hpp>
#include <string>

namespace postern {
namespace {

constexpr Instant kStart{std::chrono::hours(1)};

struct Ten {
  Routes routes;
  BackendHealth health{10};
  Candidates Choose(Protocol protocol, const std::string& user, Instant now) const {
    return routes.Choose(health, 0, protocol, user, now);
  }
};

Ten TenBackends() {
  Pool pool;
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
  CHECK(routes.Choose(BackendHealth(1), 0, Protocol::kImap, "ann", kStart).count == 0);
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
