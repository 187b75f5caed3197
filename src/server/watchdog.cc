#include "server/watchdog.h"

#include <utility>

#include "postern/base/check.h"

namespace postern {

void Watchdog::Look(std::size_t worker, Duration busy) {
  POSTERN_CHECK(busy < kStallAborts);
  if (busy >= kStallNotReady && !stalled_[worker]) {
    log_.Write(std::move(LogLine("worker_stalled")
                             .Number("worker", static_cast<std::int64_t>(worker))
                             .Seconds("busy", std::chrono::duration<double>(busy).count())));
  }
  stalled_[worker] = busy >= kStallNotReady;
  if (busy >= kStallNotReady) {
    not_ready_ = "worker " + std::to_string(worker) + " does not answer";
    culprit_ = worker;
  } else if (culprit_ == worker) {
    not_ready_.clear();
  }
}

}  // namespace postern
