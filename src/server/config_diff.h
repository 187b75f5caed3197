// What a reload cannot change (DESIGN 1.2). Pure; any thread.
#pragma once

#include <string>
#include <vector>

#include "postern/server/config.h"

namespace postern {

// The keys whose new values wait for a restart, a sentence each, in the order of the reference:
// gateway.workers, gateway.user, admin.address. Empty: all of wanted can apply now.
std::vector<std::string> NeedsRestart(const Config& running, const Config& wanted);

}  // namespace postern
