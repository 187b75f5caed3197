// Watchdog: notices a worker that does not come back from a turn (DESIGN 3). A stall of 1 s is
// logged and makes the process not ready, one of 5 s ends it: a cut and a restart are better than a
// silent half of a service. (A turn of 100 ms is logged by the worker when it is over.) Owned by
// the server; main thread. Pure but for the abort: it is told the times.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "postern/base/clock.h"
#include "postern/base/log.h"

namespace postern {

// Rare enough that an idle process costs nothing to speak of; /readyz looks for itself.
inline constexpr Duration kLookEvery = std::chrono::seconds(1);
inline constexpr Duration kStallNotReady = std::chrono::seconds(1);
inline constexpr Duration kStallAborts = std::chrono::seconds(5);

class Watchdog {
 public:
  Watchdog(Log& log, std::size_t workers) : log_(log), stalled_(workers, false) {}

  // The worker has been busy with one turn for this long. Logs a stall once.
  void Look(std::size_t worker, Duration busy);
  // Why the process is not ready; empty when no worker stalls.
  const std::string& not_ready() const { return not_ready_; }

 private:
  Log& log_;
  std::vector<bool> stalled_;
  std::string not_ready_;
  std::size_t culprit_ = 0;  // of not_ready_
};

}  // namespace postern
