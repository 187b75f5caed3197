// On thousands of drawn rule books and facts the compiled rule set decides as the naive evaluator:
// decisions, hits, reports, hidden names, read-only; and a command that it says no rule concerns is
// one that no rule matches.
#include <catch2/catch.hpp>
#include <random>
#include <string>

#include "support/rule_laws.h"

namespace postern::testing {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(NDEBUG)
constexpr std::size_t kWorlds = 300;
#else
constexpr std::size_t kWorlds = 3000;
#endif

TEST_CASE("A compiled rule set decides as its rules one by one") {
  std::mt19937_64 random(20261122);
  RuleCensus census;
  for (std::size_t world = 0; world < kWorlds; ++world) {
    std::string bytes(300 + random() % 900, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    CheckRuleWorld(bytes, 24, census);
  }
  CAPTURE(census.rules, census.refusals, census.hits, census.reports, census.judged);
  CAPTURE(census.skipped, census.hidden, census.read_only);
  CHECK(census.rules > kWorlds * 2);
  CHECK(census.refusals > kWorlds);
  CHECK(census.hits > census.refusals);
  CHECK(census.reports > kWorlds / 10);
  CHECK(census.judged > kWorlds);
  CHECK(census.skipped > kWorlds);
  CHECK(census.hidden > kWorlds / 10);
  CHECK(census.read_only > kWorlds / 10);
}

}  // namespace
}  // namespace postern::testing
