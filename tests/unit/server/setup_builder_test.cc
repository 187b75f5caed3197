#include "server/setup_builder.h"

#include <catch2/catch.hpp>

namespace postern {
namespace {

Config Parse(const std::string& pools, const std::string& routing) {
  const std::string text = R"(
[[listener]]
name = "imaps"
protocol = "imap"
address = "127.0.0.1:1993"
trusted = ["10.0.0.0/8"]
[[certificate]]
chain = "chain.pem"
key = "key.pem"
)" + pools + "[routing]\npool = \"" +
                           routing + "\"\n";
  ConfigErrors errors;
  Config config = ParseConfig(text, "/etc/postern.toml", errors);
  for (const std::string& error : errors.errors) FAIL(error);
  return config;
}

constexpr const char* kOld = R"(
[[pool]]
name = "old"
[[pool.backend]]
name = "mail1"
imap = "127.0.0.1:143"
)";
constexpr const char* kNew = R"(
[[pool]]
name = "new"
tls = "implicit"
forward = ["proxy2"]
[[pool.backend]]
name = "mail2"
imap = "[::1]:993"
)";

TEST_CASE("a pool that is gone keeps its place and takes no new sessions") {
  const Config before = Parse(kOld, "old");
  const Config after = Parse(kNew, "new");
  Roster roster(before);
  REQUIRE(roster.Add(before).ok());
  const auto first = BuildSetup(before, roster, nullptr, {});
  REQUIRE(roster.Add(after).ok());
  const auto second = BuildSetup(after, roster, first.get(), {});

  const BackendHealth health(roster.capacity().backends);
  const Instant now{std::chrono::hours(1)};
  CHECK(second->routes.pool(0).name == "old");
  CHECK(second->routes.backend(0).name == "mail1");
  CHECK(second->routes.Choose(health, {0, kNoBackend, Protocol::kImap, "ann"}, now).count == 0);
  CHECK(second->routes.routing_pool() == 1);
  CHECK(second->routes.Choose(health, {1, kNoBackend, Protocol::kImap, "ann"}, now).id[0] == 1);
}

TEST_CASE("a pool's TLS and forwarding reach engine and session") {
  const Config config = Parse(kNew, "new");
  Roster roster(config);
  REQUIRE(roster.Add(config).ok());
  const auto setup = BuildSetup(config, roster, nullptr, {});
  CHECK(setup->plan.pool(0).tls == PoolTls::kImplicit);
  CHECK_FALSE(setup->plan.pool(0).forward_id);
  CHECK(setup->routes.pool(0).forward_proxy2);
  CHECK(setup->routes.backend(0).tls_name[0] == "::1");
  CHECK(ContainedInAny(setup->doors[0].trusted, Address::Parse("10.1.2.3:1").value()));
}

}  // namespace
}  // namespace postern
