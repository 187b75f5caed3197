// F-10: a small rule book, sessions and commands drawn from bytes. Input: the bytes.
//
// A violation aborts: the compiled rule set decides, hides and reports as its rules one by one; a
// command that it says no rule concerns is one that no rule matches; explain agrees.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "support/rule_laws.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 4096) return 0;
  postern::testing::RuleCensus census;
  postern::testing::CheckRuleWorld({reinterpret_cast<const char*>(data), size}, 12, census);
  return 0;
}
