// PatternTable: all patterns that a rule book has for one fact, matched together: what is a literal
// by LiteralTable, the rest by one RE2::Set. Owned by a rule set; one thread at a time.
#pragma once

#include <re2/set.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "postern/base/status.h"
#include "rules/bits.h"
#include "rules/literal_table.h"

namespace postern {

// What a rule set may use, and what tests want to go wrong.
struct CompileOptions {
  // Octets for one set's program and its states; 0: by the number of patterns.
  std::int64_t max_mem = 0;
  // Every match of a set fails as it would for want of memory.
  bool matches_fail = false;
};

class PatternTable {
 public:
  explicit PatternTable(TextKind kind);

  // The pattern's id; the same for the same pattern. children: also what is behind a hierarchy
  // separator under a match.
  std::uint32_t Add(std::string_view pattern, bool children = false);
  // Once, behind the last Add. Fails when there is not enough memory.
  Status Compile(const CompileOptions& options);

  std::size_t size() const { return ids_.size(); }
  // Whether the pattern, one that was added with children, may match a text that begins with this
  // one; in doubt true.
  bool MayMatchBehind(std::string_view beginning, std::uint32_t id) const;
  // Whether the pattern is one of the set: known by MatchSet only, and undecidable when that fails.
  bool InSet(std::uint32_t id) const { return in_set_[id]; }

  struct Outcome {
    Bits found;
    bool set_matched = false;
    bool failed = false;  // the patterns of the set could not be matched
    void Clear();
  };
  // Both match text, prepared as its kind asks, and add to the outcome, whose bits have room.
  void MatchLiterals(std::string_view text, Outcome& outcome);
  // Ten times dearer; RE2 allocates when a pattern matches. Does nothing the second time.
  void MatchSet(std::string_view text, Outcome& outcome);
  // Program, states as far as they may grow, literals and names.
  std::size_t memory() const;

 private:
  Status CompileSet(const CompileOptions& options);
  // Between which texts all matches of a pattern lie, by their octets; not known: anywhere.
  struct Range {
    bool known = false;
    std::string least;
    std::string most;
  };
  Range RangeOf(std::string_view pattern) const;

  TextKind kind_;
  std::map<std::string, std::uint32_t, std::less<>> ids_;
  LiteralTable fronts_{false};
  LiteralTable ends_{true};
  std::vector<std::pair<std::string, std::uint32_t>> others_;  // pattern, id; by index in the set
  std::vector<bool> in_set_;                                   // by id
  std::vector<Range> ranges_;  // by id, when they were added with children
  std::unique_ptr<re2::RE2::Set> set_;
  std::int64_t set_memory_ = 0;
  bool matches_fail_ = false;
  std::vector<int> matched_;
};

}  // namespace postern
