// Setup: everything of the configuration that sessions use; immutable, shared by all workers, and
// replaced whole by a reload between two turns. Sessions ask for it in each call.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "postern/base/network.h"
#include "postern/engine/plan.h"
#include "postern/gateway/lookup.h"
#include "postern/gateway/routes.h"
#include "postern/metrics/shard.h"

namespace postern {

// A listener as sessions see it; by ListenerId. What is gone from the configuration keeps its place
// for the sessions that came by it.
struct Door {
  std::string name;
  Protocol protocol = Protocol::kImap;
  std::vector<Network> trusted;  // may state their client's address, and do without TLS
  std::vector<Network> proxy;    // must begin with a PROXY header
};

// A pool's master account (pool.master): used for logins that a lookup has vouched for.
struct MasterAccount {
  std::string user;
  Secret password;
  std::string separator;  // empty: PLAIN with the user as authzid
};

struct Setup {
  Plan plan;
  Routes routes;
  std::vector<Door> doors;
  std::vector<std::shared_ptr<const MasterAccount>> masters;  // by PoolId; null: none
  std::shared_ptr<Lookup> lookup;                             // null: none
  std::vector<RuleSlot> rule_slots;  // by RuleId of the rules that came with it
};

}  // namespace postern
