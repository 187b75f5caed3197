// What the backends of all pools have in common that clients may be told before the login
// (DESIGN 2.8). Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "postern/engine/plan.h"
#include "server/probe_dialogue.h"

namespace postern {

// One backend and protocol it serves.
struct ProbedBackend {
  PoolId pool = 0;
  Protocol protocol = Protocol::kImap;
  // Of the last probe that went well; none yet: null. A backend that is down counts with what it
  // could when it was up: clients may be told the same a moment later.
  const ProbeFindings* findings = nullptr;
  // pool.pass_capabilities
  const std::vector<std::string>* pass_capabilities = nullptr;
};

// What every backend has of which anything is known, and nothing while there is a pool of which
// nothing is known. Without what Postern offers by itself.
CommonOffer OfferOf(const std::vector<ProbedBackend>& backends);

}  // namespace postern
