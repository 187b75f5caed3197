#include "rules/pattern_table.h"

#include <algorithm>

#include "rules/pattern.h"

namespace postern {
namespace {

// What a set gets: enough for the states that real texts lead to. Grown when its program alone
// needs more, up to a limit at which the rules are refused.
constexpr std::int64_t kSetMemory = 4 << 20;
constexpr std::int64_t kPatternMemory = 12 << 10;
constexpr std::int64_t kMostSetMemory = 256 << 20;

}  // namespace

PatternTable::PatternTable(TextKind kind) : kind_(kind) {}

std::uint32_t PatternTable::Add(std::string_view pattern, bool children) {
  const auto next = static_cast<std::uint32_t>(ids_.size());
  const auto [known, added] = ids_.emplace(pattern, next);
  if (!added) return known->second;
  const std::optional<Literal> literal = FindLiteral(pattern, kind_);
  // Behind anything is anything else; a text's end with children is left to the set.
  const bool hard = !literal || (children && literal->at_end && !literal->text.empty());
  in_set_.push_back(hard);
  if (children) ranges_.push_back(RangeOf(pattern));
  if (!hard) {
    Literal found = *literal;
    if (children && found.rest == Literal::Rest::kNone) found.rest = Literal::Rest::kTree;
    (found.at_end ? ends_ : fronts_).Add(found, next);
  } else if (children) {
    others_.emplace_back("(?:" + std::string(pattern) + ")(?s:[/.\\\\].*)?", next);
  } else {
    others_.emplace_back(pattern, next);
  }
  return next;
}

Status PatternTable::Compile(const CompileOptions& options) {
  fronts_.Sort();
  ends_.Sort();
  matches_fail_ = options.matches_fail;
  matched_.reserve(others_.size());
  return others_.empty() ? Status() : CompileSet(options);
}

Status PatternTable::CompileSet(const CompileOptions& options) {
  std::int64_t budget = kSetMemory + kPatternMemory * static_cast<std::int64_t>(others_.size());
  if (options.max_mem > 0) budget = options.max_mem;
  while (true) {
    re2::RE2::Options with = OptionsOf(kind_);
    with.set_max_mem(budget);
    set_ = std::make_unique<re2::RE2::Set>(with, re2::RE2::ANCHOR_BOTH);
    for (const auto& [pattern, id] : others_) {
      std::string error;
      if (set_->Add(pattern, &error) < 0) return Status::Error("'" + pattern + "': " + error);
    }
    set_memory_ = budget;
    if (set_->Compile()) return {};
    budget *= 2;
    if (options.max_mem > 0 || budget > kMostSetMemory) break;
  }
  return Status::Error("the patterns need more memory than " + std::to_string(set_memory_) +
                       " octets together");
}

void PatternTable::Outcome::Clear() {
  found.Clear();
  set_matched = false;
  failed = false;
}

void PatternTable::MatchLiterals(std::string_view text, Outcome& outcome) {
  fronts_.Match(text, outcome.found);
  ends_.Match(text, outcome.found);
}

void PatternTable::MatchSet(std::string_view text, Outcome& outcome) {
  if (!set_ || outcome.set_matched) return;
  outcome.set_matched = true;
  re2::RE2::Set::ErrorInfo error{};
  // Whether at all comes first: it allocates nothing and is the answer for most texts.
  const bool any =
      set_->Match(Piece(text), nullptr, &error) && set_->Match(Piece(text), &matched_, &error);
  if (matches_fail_ || (!any && error.kind != re2::RE2::Set::kNoError)) {
    outcome.failed = true;
    return;
  }
  if (!any) return;
  for (const int index : matched_) {
    outcome.found.Set(others_[static_cast<std::size_t>(index)].second);
  }
}

std::size_t PatternTable::memory() const {
  std::size_t octets = static_cast<std::size_t>(set_memory_) + fronts_.memory() + ends_.memory();
  // A node of the map beside its string.
  for (const auto& [pattern, id] : ids_) octets += pattern.capacity() + 64;
  for (const Range& range : ranges_) octets += sizeof range + range.most.capacity();
  for (const auto& [pattern, id] : others_) octets += 2 * pattern.capacity() + sizeof others_[0];
  return octets;
}

}  // namespace postern
