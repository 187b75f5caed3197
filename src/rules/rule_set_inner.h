// What a rule set is made of; for its own files only.
#pragma once

#include <memory>
#include <unordered_map>
#include <vector>

#include "rules/compiled_rules.h"
#include "rules/examiner.h"
#include "rules/ruling.h"

namespace postern {

struct RuleSet::Compiled {
  explicit Compiled(std::unique_ptr<CompiledRules> compiled, std::size_t count)
      : rules(std::move(compiled)), examiner(*rules), ruling(count) {}

  std::unique_ptr<CompiledRules> rules;
  Examiner examiner;
  Ruling ruling;
  SessionRules found;  // of the session that is asked for
  // What sessions share, by hash.
  std::unordered_multimap<std::uint64_t, std::weak_ptr<const SessionRules>> interned;
  std::size_t sweep_at = 64;  // when the dead are looked for
};

}  // namespace postern
