// Prober: looks at every backend and protocol it serves all the time: connect, TLS, greeting,
// capabilities, a login where the pool has an account for that. Writes what it finds to
// BackendHealth, logs every change of a backend's state whoever caused it, and knows what all pools
// have in common. Owned by the server; used on its loop's thread.
#pragma once

#include <functional>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "postern/base/log.h"
#include "postern/engine/plan.h"
#include "postern/gateway/setup.h"
#include "postern/net/dialer.h"
#include "postern/net/loop.h"
#include "postern/server/config.h"

namespace postern {

struct ProbeOutcome;

class Prober {
 public:
  // offer is told what clients may be told before the login, each time that changes; from a turn of
  // the loop, never from inside Adopt.
  Prober(Loop& loop, BackendHealth& health, Log& log, std::function<void(CommonOffer)> offer);
  // Probes under way are given up.
  ~Prober();
  Prober(const Prober&) = delete;
  Prober& operator=(const Prober&) = delete;

  // From now on the backends of this configuration are probed, those that are new or have moved for
  // the first time within probe.every. setup is what was made of config: its pools have the ids and
  // names of config's. Reads the pools' CA and password files. On an error, which names the pool,
  // nothing has changed.
  Status Adopt(const Config& config, const Setup& setup);

  // How long the backend has been in the state that was told last, and why it is not up; of both
  // protocols the one that speaks against it.
  struct Standing {
    Duration since{};
    std::string reason;
  };
  Standing standing(BackendId id) const;

 private:
  struct Watched;
  using List = std::vector<std::unique_ptr<Watched>>;

  Status AddPool(const Config& config, const PoolConfig& from, const Setup& setup, List& list);
  void TakeOver(Watched& watched);
  Duration Spread(Duration time, double least, double most);
  void Begin(Watched& watched);
  void End(Watched& watched, ProbeOutcome outcome);
  void Look();
  void TellState(Watched& watched);
  void TellOffer();
  static std::string_view ReasonOf(const Watched& watched, BackendState state);

  Loop& loop_;
  BackendHealth& health_;
  Log& log_;
  const std::function<void(CommonOffer)> on_offer_;
  const std::unique_ptr<Dialer> dialer_;
  std::minstd_rand random_;
  List watched_;
  CommonOffer offered_;  // what was told last
  Deadline look_;
};

}  // namespace postern
