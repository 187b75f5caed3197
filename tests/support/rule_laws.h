// What must hold between a rule set and the naive evaluator, for one drawn world. A violation
// aborts. Used by the property test and by the fuzzer.
#pragma once

#include <cstddef>
#include <string_view>

namespace postern::testing {

// How often something happened, so that a test can see that it tests something.
struct RuleCensus {
  std::size_t rules = 0;
  std::size_t refusals = 0;
  std::size_t hits = 0;
  std::size_t reports = 0;
  std::size_t judged = 0;   // commands that rules were asked about
  std::size_t skipped = 0;  // commands that no rule concerned
  std::size_t hidden = 0;
  std::size_t read_only = 0;
};

// bytes draw a rule book of up to `most` rules, then some sessions and commands.
void CheckRuleWorld(std::string_view bytes, std::size_t most, RuleCensus& census);

}  // namespace postern::testing
