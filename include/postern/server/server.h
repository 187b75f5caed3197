// The server: everything that `postern run` starts, from bound sockets to the drain. Called once,
// by main, on the main thread; owns all there is.
#pragma once

#include "postern/server/config.h"

namespace postern {

// Runs until SIGTERM or SIGINT has drained the sessions (gateway.drain at most) and returns the
// exit status: 0, or 1 when it could not start; the reason is on standard error.
int RunServer(const Config& config);

}  // namespace postern
