// What the server asks of the operating system for its own process. Main thread, at start.
#pragma once

#include <cstddef>
#include <string>

#include "postern/base/status.h"

namespace postern {

// Raises the descriptor limit as far as it goes and returns it.
std::size_t RaiseDescriptorLimit();
// Two descriptors a session, less a reserve for logs, listeners and new backends (SECURITY
// T-RES-6).
std::size_t SessionsFor(std::size_t descriptors);
// No core image and no debugger of others: passwords pass through this memory.
void ForbidCoreDumps();
// Becomes the user and its groups, for good. Errors name the user and what is missing.
Status BecomeUser(const std::string& user);

}  // namespace postern
