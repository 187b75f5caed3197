#include "server/expiry.h"

#include <utility>

namespace postern {
namespace {

constexpr std::int64_t kDay = 24 * 60 * 60;
// The smallest first; 0 is "expired".
constexpr std::int64_t kThresholds[] = {0, 1, 7, 14, 30};

}  // namespace

void Expiry::Look(std::size_t index, const std::string& name, std::int64_t not_after,
                  std::int64_t now) {
  const std::int64_t left = not_after - now;
  for (const std::int64_t threshold : kThresholds) {
    if (left > threshold * kDay) continue;
    if (said_[index] <= threshold) return;
    said_[index] = threshold;
    log_.Write(std::move(LogLine(left > 0 ? "certificate_expires" : "certificate_expired")
                             .Text("certificate", name)
                             .Number("days_left", left > 0 ? left / kDay : -(-left / kDay))));
    return;
  }
}

}  // namespace postern
