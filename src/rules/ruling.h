// Ruling: makes one Decision of the rules that match, in file order (DESIGN 1.3): the first in each
// slot, and all that add up. Owned by a rule set; its vectors lend themselves to the decision.
#pragma once

#include <vector>

#include "rules/examiner.h"

namespace postern {

// kNone for actions that are none.
Decision::Verdict VerdictOf(Action action);

class Ruling {
 public:
  explicit Ruling(std::size_t rules);
  void Begin();
  // In file order; kNo is not taken.
  void Take(const CompiledRule& rule, const Rule& written, Answer answer);
  // Valid until the next Begin.
  Decision Finish();

 private:
  // The slot of an action; null for those that add up.
  RuleId* SlotOf(Action action);
  void TakeUnknown(const CompiledRule& rule);
  void TakeEffect(const CompiledRule& rule, const Rule& written);

  Decision decision_;
  std::vector<RuleId> hits_;
  std::vector<RuleId> reports_;
};

}  // namespace postern
