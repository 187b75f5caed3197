// Explain: which rule decides for given facts, and why each of the others does not (`postern
// explain`). Slow: rule by rule, each pattern compiled anew. Pure; any thread.
#pragma once

#include <string>
#include <vector>

#include "postern/rules/facts.h"
#include "postern/rules/rule.h"
#include "postern/rules/rule_set.h"

namespace postern {

// What became of one rule.
struct RuleVerdict {
  RuleId rule = kNoRule;
  Stage stage = Stage::kConnection;
  bool matched = false;  // all that it asks holds
  bool took_effect =
      false;  // and it came to something: no earlier rule had decided, not mode report
  // A sentence without a full stop. Not matched: the first condition that does not hold, "user is
  // bob@x, not .*@legacy\.example" or "client is not known yet". Matched without effect: why.
  // Empty when it took effect.
  std::string why;
};

// Every rule, stage by stage, in file order within a stage. command is null when there is none.
std::vector<RuleVerdict> Explain(const RuleBook& book, const RuleNames& names,
                                 const SessionFacts& facts, const CommandFacts* command);

}  // namespace postern
