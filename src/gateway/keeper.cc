#include "postern/gateway/keeper.h"

#include <algorithm>
#include <utility>

#include "gateway/session.h"

namespace postern {
namespace {

// More than the small writes of one call ever come to.
constexpr std::size_t kGatherSize = 64 * 1024;
// Sessions whose idle time is counted anew in one turn, so that a reload delays nobody.
constexpr std::size_t kRearmStep = 2000;
// Under pressure a client has this long to log in.
constexpr Duration kHastyLogin = std::chrono::seconds(20);
// Sessions that hold less are not worth ending.
constexpr std::size_t kWorthDropping = 32 * 1024;
constexpr Duration kRearmPause = std::chrono::milliseconds(1);

bool SameIdleTimes(const Plan& a, const Plan& b) {
  return a.timeouts.imap_idle == b.timeouts.imap_idle &&
         a.timeouts.pop3_idle == b.timeouts.pop3_idle;
}

}  // namespace

Keeper::Keeper(unsigned index, World& world, Shared& shared, Shard& shard,
               std::shared_ptr<const Setup> setup)
    : index_(index),
      world_(world),
      shared_(shared),
      shard_(shard),
      setup_(std::move(setup)),
      rearm_(
          world.deadlines(), [](void* self) { static_cast<Keeper*>(self)->Rearm(); }, this) {
  // Never grown, so that no copy of a login stays where they were.
  client_gather_.reserve(kGatherSize);
  backend_gather_.reserve(kGatherSize);
}

Keeper::~Keeper() {
  sessions_.clear();
  retired_.clear();
  buried_.clear();
}

void Keeper::Accept(ListenerId listener, std::unique_ptr<Stream> stream, const Address& client,
                    const Address& local) {
  std::string id =
      shared_.server_id + "-" + std::to_string(index_) + "-" + std::to_string(++serial_);
  sessions_.push_back(std::make_unique<Session>(*this, std::move(id), listener, client, local));
  Session& session = *sessions_.back();
  session.place = sessions_.size() - 1;
  shared_.sessions.fetch_add(1, std::memory_order_relaxed);
  session.Start(std::move(stream));
}

void Keeper::Adopt(std::shared_ptr<const Setup> setup) {
  const bool same = SameIdleTimes(setup->plan, setup_->plan);
  setup_ = std::move(setup);
  if (same) return;
  rearmed_ = 0;
  rearm_.Arm(world_.now() + kRearmPause);
}

void Keeper::Rearm() {
  const std::size_t end = std::min(sessions_.size(), rearmed_ + kRearmStep);
  for (; rearmed_ < end; ++rearmed_) sessions_[rearmed_]->IdleTimesChanged();
  if (rearmed_ < sessions_.size()) rearm_.Arm(world_.now() + kRearmPause);
}

void Keeper::Drain() {
  // Backwards: a session that ends is replaced by one that was told already.
  for (std::size_t i = sessions_.size(); i-- > 0;) sessions_[i]->Drain();
}

void Keeper::DrainDeadline() {
  for (std::size_t i = sessions_.size(); i-- > 0;) sessions_[i]->DrainDeadline();
}

void Keeper::Relieve(Pressure level) {
  if (level == Pressure::kNone) return;
  const Instant late = world_.now() - kHastyLogin;
  std::size_t most = 0;
  for (std::size_t i = sessions_.size(); i-- > 0;) most = std::max(most, sessions_[i]->held());
  const std::size_t drop = std::max(most / 2, kWorthDropping);
  for (std::size_t i = sessions_.size(); i-- > 0;) {
    Session& session = *sessions_[i];
    if (session.logging_in() && session.opened() < late) {
      session.EndLogin();
    } else if (level == Pressure::kDrop && session.held() >= drop) {
      session.EndForMemory();
    }
  }
}

void Keeper::Retire(Session& session) {
  const std::size_t place = session.place;
  retired_.push_back(std::move(sessions_[place]));
  if (place + 1 != sessions_.size()) {
    sessions_[place] = std::move(sessions_.back());
    sessions_[place]->place = place;
    // From behind to where it was counted anew already.
    if (rearm_.armed() && place < rearmed_) sessions_[place]->IdleTimesChanged();
  }
  sessions_.pop_back();
  shared_.sessions.fetch_sub(1, std::memory_order_relaxed);
  Sweep();
}

void Keeper::Bury(std::unique_ptr<Stream> stream) {
  buried_.push_back(std::move(stream));
  Sweep();
}

void Keeper::Sweep() {
  if (sweep_due_) return;
  sweep_due_ = true;
  world_.AfterTurn([this] {
    sweep_due_ = false;
    retired_.clear();
    buried_.clear();
    world_.OnSwept();
  });
}

}  // namespace postern
