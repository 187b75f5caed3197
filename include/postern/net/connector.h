// Connector: the Dialer that opens TCP streams on a loop. Owned by the worker.
#pragma once

#include <memory>

#include "postern/net/dialer.h"
#include "postern/net/loop.h"

namespace postern {

// Streams come with TCP_NODELAY and keep-alive set. The loop must outlive the connector and its
// attempts.
std::unique_ptr<Dialer> NewTcpDialer(Loop& loop);

}  // namespace postern
