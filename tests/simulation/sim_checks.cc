// What a world is held to at every step, and when all is over.
#include <algorithm>
#include <string>

#include "metrics/shard_data.h"
#include "simulation/held_memory.h"
#include "simulation/metric_laws.h"
#include "simulation/sim_world.h"

namespace postern::testing {
namespace {

// DESIGN 2.13: any session, in any state.
constexpr std::int64_t kMostHeld = 512 * 1024;
// The slowest client takes its backlog in this time.
constexpr Duration kPromptly = std::chrono::minutes(10);
// A world of twenty sessions takes some thousands.
constexpr std::uint64_t kMostStepsPerSession = 50000;

}  // namespace

void SimWorld::Run() {
  const std::uint64_t most = kMostStepsPerSession * (scenario_.sessions + 1);
  while (!record_.broken() && timeline_.Step()) {
    CheckStep();
    // What is armed for later than this belongs to nobody.
    const Deadlines& deadlines = timeline_.deadlines();
    const bool forgotten = timeline_.idle() && keeper_->empty() && !deadlines.empty() &&
                           deadlines.next() > now() + std::chrono::minutes(1);
    if (forgotten) break;
    if (timeline_.steps() > most) record_.Violate("progress", "the world does not come to an end");
  }
  if (!record_.broken()) CheckEnd();
}

void SimWorld::CheckStep() {
  for (std::size_t number = 1; number <= visits_.size(); ++number) CheckMemory(number);
  for (const Visit& visit : visits_) CheckPrompt(visit);
}

// A session ends with its backend, as soon as the client has taken what waits for it.
void SimWorld::CheckPrompt(const Visit& visit) {
  if (visit.backend == nullptr || visit.backend->near_closed()) return;
  const std::optional<Instant> ended = visit.backend->told_of_end();
  if (!ended || now() < *ended + kPromptly) return;
  record_.Violate("R-01", visit.wire->name() + " is kept without its backend");
}

void SimWorld::CheckMemory(std::size_t number) {
  const Visit& visit = visits_[number - 1];
  std::int64_t held = BytesHeldBy(number);
  if (!visit.wire->near_closed()) held += static_cast<std::int64_t>(visit.wire->backlog());
  if (visit.backend != nullptr && !visit.backend->near_closed()) {
    held += static_cast<std::int64_t>(visit.backend->backlog());
  }
  most_held_ = std::max(most_held_, held);
  if (held <= kMostHeld) return;
  record_.Violate("R-INV-6", visit.wire->name() + ": " + std::to_string(held) + " bytes are held");
}

void SimWorld::CheckEnd() {
  if (!keeper_->empty()) {
    return record_.Violate("leaks", std::to_string(keeper_->size()) + " sessions are left");
  }
  if (shared_.sessions != 0) return record_.Violate("leaks", "sessions are counted and not there");
  if (!timeline_.deadlines().empty()) return record_.Violate("leaks", "a deadline is still armed");
  for (const Visit& visit : visits_) {
    if (!visit.accepted) continue;
    if (!visit.wire->near_destroyed()) {
      return record_.Violate("leaks", "the stream of " + visit.wire->name() + " is left");
    }
  }
  for (const Connection& connection : connections_) {
    if (connection.wire->near_destroyed()) continue;
    return record_.Violate("leaks", "the stream of " + connection.wire->name() + " is left");
  }
  if (scenario_.sabotage == Sabotage::kMiscount) {
    shard_->Bytes(Protocol::kImap, Side::kClient, Direction::kIn, 1);
  }
  const std::string broken = BrokenMetricLaw(shard_->data());
  if (!broken.empty()) record_.Violate("R-INV-7", broken);
}

}  // namespace postern::testing
