// From a configuration to what sessions see: the ids are the roster's, and what is gone from the
// configuration keeps its place. Pure.
#pragma once

#include <memory>
#include <vector>

#include "postern/gateway/setup.h"
#include "postern/server/config.h"
#include "server/roster.h"

namespace postern {

// What was made ready beside the configuration itself; as in Setup.
struct Ready {
  std::vector<std::shared_ptr<const MasterAccount>> masters;
  std::shared_ptr<Lookup> lookup;
  std::vector<RuleSlot> rule_slots;
};

// The roster knows all names of the configuration; before is null at the start.
std::shared_ptr<const Setup> BuildSetup(const Config& config, const Roster& roster,
                                        const Setup* before, const Ready& ready);

}  // namespace postern
