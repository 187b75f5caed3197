// Setup: everything of the configuration that sessions use; immutable, shared by all workers, and
// replaced whole by a reload between two turns. Sessions ask for it in each call.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "postern/engine/plan.h"
#include "postern/gateway/routes.h"
#include "postern/net/network.h"

namespace postern {

// A listener as sessions see it; by ListenerId. What is gone from the configuration keeps its place
// for the sessions that came by it.
struct Door {
  std::string name;
  Protocol protocol = Protocol::kImap;
  std::vector<Network> trusted;  // may state their client's address, and do without TLS
  std::vector<Network> proxy;    // must begin with a PROXY header
};

struct Setup {
  Plan plan;
  Routes routes;
  std::vector<Door> doors;
};

}  // namespace postern
