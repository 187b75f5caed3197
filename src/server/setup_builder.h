// From a configuration to what sessions see: the ids are the roster's, and what is gone from the
// configuration keeps its place. Pure.
#pragma once

#include <memory>

#include "postern/gateway/setup.h"
#include "postern/server/config.h"
#include "server/roster.h"

namespace postern {

// The roster knows all names of the configuration; before is null at the start.
std::shared_ptr<const Setup> BuildSetup(const Config& config, const Roster& roster,
                                        const Setup* before);

}  // namespace postern
