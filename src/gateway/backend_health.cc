#include "postern/gateway/backend_health.h"

#include <algorithm>

namespace postern {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;

std::int64_t Nanoseconds(Instant instant) { return instant.time_since_epoch().count(); }

std::size_t Index(Protocol protocol) { return static_cast<std::size_t>(protocol); }

}  // namespace

std::string_view BackendStateName(BackendState state) {
  switch (state) {
    case BackendState::kUp:
      return "up";
    case BackendState::kFailing:
      return "failing";
    case BackendState::kDown:
      return "down";
    case BackendState::kDraining:
      return "draining";
  }
  return "up";
}

void BackendHealth::SessionOpened(BackendId id) { records_[id].sessions.fetch_add(1, kRelaxed); }

void BackendHealth::SessionClosed(BackendId id) { records_[id].sessions.fetch_sub(1, kRelaxed); }

std::uint32_t BackendHealth::sessions(BackendId id) const {
  return records_[id].sessions.load(kRelaxed);
}

std::uint32_t BackendHealth::load(BackendId id) const {
  return sessions(id) + records_[id].connecting.load(kRelaxed);
}

void BackendHealth::Failed(BackendId id, Instant now) {
  records_[id].retry_at.store(Nanoseconds(now + kRetryAfter), kRelaxed);
}

void BackendHealth::Succeeded(BackendId id) { records_[id].retry_at.store(0, kRelaxed); }

void BackendHealth::ProbeFailed(BackendId id, Protocol protocol) {
  std::atomic<std::uint32_t>& failed = records_[id].probes_failed[Index(protocol)];
  // The main loop is the only writer.
  failed.store(std::min(failed.load(kRelaxed) + 1, kDownAfter), kRelaxed);
}

void BackendHealth::ProbeSucceeded(BackendId id, Protocol protocol, Instant now) {
  Record& record = records_[id];
  std::atomic<std::uint32_t>& failed = record.probes_failed[Index(protocol)];
  // Before the backend is up: nobody may see it up and not on its way back.
  if (failed.load(kRelaxed) >= kDownAfter) {
    record.back_at[Index(protocol)].store(Nanoseconds(now), std::memory_order_release);
  }
  failed.store(0, std::memory_order_release);
  std::int64_t retry_at = record.retry_at.load(kRelaxed);
  // A failure that a worker reports this very moment stands.
  if (retry_at <= Nanoseconds(now)) record.retry_at.compare_exchange_strong(retry_at, 0, kRelaxed);
}

void BackendHealth::SetDraining(BackendId id, bool draining) {
  records_[id].draining.store(draining, kRelaxed);
}

void BackendHealth::Forget(BackendId id) {
  Record& record = records_[id];
  record.retry_at.store(0, kRelaxed);
  for (std::size_t i = 0; i < kProtocolCount; ++i) {
    record.probes_failed[i].store(0, kRelaxed);
    record.back_at[i].store(0, kRelaxed);
  }
}

BackendState BackendHealth::state(BackendId id, Protocol protocol) const {
  const Record& record = records_[id];
  if (record.draining.load(kRelaxed)) return BackendState::kDraining;
  const std::uint32_t failed =
      record.probes_failed[Index(protocol)].load(std::memory_order_acquire);
  if (failed >= kDownAfter) return BackendState::kDown;
  const bool failing = failed > 0 || record.retry_at.load(kRelaxed) != 0;
  return failing ? BackendState::kFailing : BackendState::kUp;
}

BackendState BackendHealth::state(BackendId id) const {
  return std::max(state(id, Protocol::kImap), state(id, Protocol::kPop3));
}

bool BackendHealth::rested(BackendId id, Instant now) const {
  return records_[id].retry_at.load(kRelaxed) <= Nanoseconds(now);
}

double BackendHealth::back(BackendId id, Protocol protocol, Instant now) const {
  const std::int64_t at = records_[id].back_at[Index(protocol)].load(std::memory_order_acquire);
  if (at == 0) return 1;
  const auto gone = static_cast<double>(Nanoseconds(now) - at);
  return std::clamp(gone / static_cast<double>(Duration(kSlowStart).count()), 0.0, 1.0);
}

BackendHealth::Place::Place(BackendHealth& health, BackendId id)
    : count_(health.records_[id].connecting),
      taken_(count_.fetch_add(1, kRelaxed) < kMaxConnecting) {
  if (!taken_) count_.fetch_sub(1, kRelaxed);
}

BackendHealth::Place::~Place() {
  if (taken_) count_.fetch_sub(1, kRelaxed);
}

}  // namespace postern
