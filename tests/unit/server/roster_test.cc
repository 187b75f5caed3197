#include "server/roster.h"

#include <catch2/catch.hpp>
#include <memory>
#include <utility>

namespace postern {
namespace {

Config Named(const std::vector<std::string>& pools) {
  Config config;
  config.listeners.resize(1);
  config.listeners[0].name = "imaps";
  for (const std::string& name : pools) {
    PoolConfig pool;
    pool.name = name;
    pool.backends = {static_cast<BackendId>(config.backends.size())};
    BackendConfig backend;
    backend.name = "mail1";
    backend.pool = static_cast<PoolId>(config.pools.size());
    config.backends.push_back(backend);
    config.pools.push_back(pool);
  }
  return config;
}

TEST_CASE("ids stay with their names whatever a reload takes away or puts in front") {
  Roster roster(Named({"a", "b"}));
  REQUIRE(roster.Add(Named({"a", "b"})).ok());
  const PoolId a = roster.pool("a");
  const PoolId b = roster.pool("b");
  const BackendId b1 = roster.backend(b, "mail1");
  REQUIRE(roster.Add(Named({"c", "b"})).ok());
  CHECK(roster.pool("a") == a);
  CHECK(roster.pool("b") == b);
  CHECK(roster.backend(b, "mail1") == b1);
  CHECK(roster.pool("c") == 2);
  CHECK(roster.names().pools == std::vector<std::string>{"a", "b", "c"});
  CHECK(roster.names().backends.size() == 3);
}

TEST_CASE("every rule has a place of its own for its hits, and keeps it") {
  const auto with = [](const std::vector<std::string>& names) {
    Config config = Named({"a"});
    auto book = std::make_shared<RuleBook>();
    for (const std::string& name : names) {
      Rule rule;
      rule.name = name;
      rule.action = Action::kLog;
      book->rules.push_back(rule);
    }
    config.rules = std::move(book);
    return config;
  };
  Roster roster(with({}));
  const Config first = with({"one", "two", "a rule whose name is longer than a short string"});
  REQUIRE(roster.Add(first).ok());
  CHECK(roster.RuleSlots(*first.rules) == std::vector<RuleSlot>{0, 1, 2});
  const Config second = with({"new", "two", "one"});
  REQUIRE(roster.Add(second).ok());
  CHECK(roster.RuleSlots(*second.rules) == std::vector<RuleSlot>{3, 1, 0});
  CHECK(roster.names().rules.size() == 4);
}

TEST_CASE("names that no longer fit are refused and change nothing") {
  Roster roster(Named({"a"}));
  REQUIRE(roster.Add(Named({"a"})).ok());
  std::vector<std::string> many{"a"};
  for (std::size_t i = 0; i < roster.capacity().pools; ++i) many.push_back("p" + std::to_string(i));
  CHECK_FALSE(roster.Add(Named(many)).ok());
  CHECK(roster.names().pools.size() == 1);
}

}  // namespace
}  // namespace postern
