// LiteralTable: finds which of many literals a text matches, in the time of one binary search.
// Owned by a PatternTable; immutable once sorted; pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "rules/bits.h"
#include "rules/literal.h"

namespace postern {

class LiteralTable {
 public:
  // Those that match from a text's beginning; or from its end, looked at backwards.
  explicit LiteralTable(bool at_end) : at_end_(at_end) {}
  void Add(const Literal& literal, std::uint32_t id);
  // Call once, behind the last Add.
  void Sort();
  // Sets the bit of each literal that text matches.
  void Match(std::string_view text, Bits& found);
  std::size_t memory() const;

 private:
  static constexpr std::uint32_t kNone = 0xFFFFFFFF;
  struct Entry {
    std::string text;
    Literal::Rest rest = Literal::Rest::kNone;
    std::uint32_t id = 0;
    std::uint32_t shorter = kNone;  // the longest other one that this one begins with
  };

  bool at_end_;
  std::vector<Entry> entries_;
  std::string reversed_;
};

}  // namespace postern
