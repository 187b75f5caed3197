// The rules of simulated worlds, made from a seed: of all actions and stages, so that every reload
// brings others; and what no session of a world may do under any of them. Values.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "postern/gateway/lookup.h"
#include "postern/rules/rule_set.h"
#include "simulation/random.h"
#include "simulation/record.h"
#include "simulation/timeline.h"

namespace postern::testing {

class SimRules {
 public:
  // What the rules of a world have in common over all reloads.
  SimRules(Random& random, Sabotage sabotage);

  // Rules of now; none at all in a world without.
  std::shared_ptr<RuleSet> Make(Random& random) const;
  bool any() const { return any_; }
  // Verbs that a rule of every such set denies: no backend ever reads one behind a login.
  const std::vector<std::string>& forbidden() const { return forbidden_; }

 private:
  bool any_ = false;
  std::vector<std::string> forbidden_;
  const Sabotage sabotage_;
};

// A lookup whose answers come late, in any order, and often from nobody.
class SimLookup final : public Lookup {
 public:
  SimLookup(Timeline& timeline, Random random) : timeline_(timeline), random_(random) {}
  void Ask(LookupQuestion question, std::function<void(LookupAnswer)> done) override;

 private:
  Timeline& timeline_;
  Random random_;
};

}  // namespace postern::testing
