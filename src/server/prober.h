// Prober: looks at every backend and protocol it serves all the time: connect, TLS, greeting,
// capabilities, a login where the pool has an account for that. Writes what it finds to
// BackendHealth, logs every change of a backend's state whoever caused it, and knows what all pools
// have in common. Owned by the server; used on its loop's thread.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "postern/base/log.h"
#include "postern/engine/plan.h"
#include "postern/gateway/setup.h"
#include "postern/net/loop.h"
#include "postern/server/config.h"

namespace postern {

class Prober {
 public:
  // offer is told what clients may be told before the login, each time that changes; from a turn of
  // the loop, never from inside Adopt.
  Prober(Loop& loop, BackendHealth& health, Log& log, std::function<void(CommonOffer)> offer);
  // Probes under way are given up.
  ~Prober();
  Prober(const Prober&) = delete;
  Prober& operator=(const Prober&) = delete;

  // From now on the backends of this configuration are probed, those that are new or have moved at
  // once. setup is what was made of config: its pools have the ids and names of config's. Reads the
  // pools' CA and password files. On an error, which names the pool, nothing has changed.
  Status Adopt(const Config& config, const Setup& setup);

 private:
  struct Inner;
  std::unique_ptr<Inner> inner_;
};

}  // namespace postern
