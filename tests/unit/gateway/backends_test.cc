#include "postern/gateway/backends.h"

#include <catch2/catch.hpp>
#include <string>

namespace postern {
namespace {

constexpr Instant kStart{std::chrono::hours(1)};

Backends TenBackends() {
  Pool pool{"legacy", {}};
  std::vector<Backend> backends;
  for (BackendId id = 0; id < 10; ++id) {
    Backend backend;
    backend.name = "mail" + std::to_string(id);
    backend.serves[0] = true;
    backend.serves[1] = id < 5;
    pool.backends.push_back(id);
    backends.push_back(backend);
  }
  return Backends({pool}, backends);
}

std::string User(int number) { return "user" + std::to_string(number) + "@example.org"; }

TEST_CASE("a user always gets the same backend in whatever case it is spelt") {
  const Backends backends = TenBackends();
  const Candidates first = backends.Choose(0, Protocol::kImap, "Ann@Example.ORG", kStart);
  const Candidates again = backends.Choose(0, Protocol::kImap, "ann@example.org", kStart);
  REQUIRE(first.count == kMaxCandidates);
  CHECK(first.id[0] == again.id[0]);
  CHECK(first.id[1] == again.id[1]);
  CHECK(first.id[0] != first.id[1]);
}

TEST_CASE("users are spread evenly over the backends") {
  const Backends backends = TenBackends();
  int users[10] = {};
  for (int i = 0; i < 10000; ++i) {
    ++users[backends.Choose(0, Protocol::kImap, User(i), kStart).id[0]];
  }
  for (const int count : users) {
    CHECK(count > 850);
    CHECK(count < 1150);
  }
}

TEST_CASE("a failed backend moves its own users and nobody else") {
  Backends backends = TenBackends();
  std::vector<Candidates> before;
  for (int i = 0; i < 2000; ++i)
    before.push_back(backends.Choose(0, Protocol::kImap, User(i), kStart));
  backends.Failed(3, kStart);
  for (int i = 0; i < 2000; ++i) {
    const Candidates& was = before[static_cast<std::size_t>(i)];
    const BackendId now = backends.Choose(0, Protocol::kImap, User(i), kStart).id[0];
    CHECK(now == (was.id[0] == 3 ? was.id[1] : was.id[0]));
  }
}

TEST_CASE("a failed backend is tried again after five seconds and is up only after a success") {
  Backends backends = TenBackends();
  for (BackendId id = 0; id < 10; ++id) backends.Failed(id, kStart);
  CHECK(backends.Choose(0, Protocol::kImap, "ann", kStart + kRetryAfter - Duration(1)).count == 0);
  CHECK(backends.Choose(0, Protocol::kImap, "ann", kStart + kRetryAfter).count == kMaxCandidates);
  CHECK_FALSE(backends.up(4));
  backends.Succeeded(4);
  CHECK(backends.up(4));
}

TEST_CASE("only backends that serve the protocol are chosen") {
  const Backends backends = TenBackends();
  for (int i = 0; i < 500; ++i) {
    const Candidates candidates = backends.Choose(0, Protocol::kPop3, User(i), kStart);
    CHECK(candidates.id[0] < 5);
    CHECK(candidates.id[1] < 5);
  }
}

}  // namespace
}  // namespace postern
