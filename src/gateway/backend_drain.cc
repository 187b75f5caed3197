#include "gateway/backend_drain.h"

#include <algorithm>

#include "gateway/session.h"
#include "postern/gateway/keeper.h"

namespace postern {
namespace {

constexpr Duration kStep = std::chrono::milliseconds(100);
// Between two slices that are due at once, so that other sessions get their turn.
constexpr Duration kPause = std::chrono::milliseconds(1);
// Looking at a session costs a tenth of a microsecond, telling it some twenty.
constexpr std::size_t kMostGathered = 2000;
constexpr std::size_t kMostTold = 50;

}  // namespace

BackendDrain::BackendDrain(Keeper& keeper, BackendId backend, Duration window)
    : keeper_(keeper),
      backend_(backend),
      begun_(keeper.world().now()),
      window_(window),
      below_(keeper.size()),
      step_(
          keeper.world().deadlines(), [](void* self) { static_cast<BackendDrain*>(self)->Step(); },
          this) {
  step_.Arm(begun_);
}

BackendDrain::~BackendDrain() {
  for (Session* session : waiting_) session->drain_place = Session::kNotDraining;
}

bool BackendDrain::Has(const Session& session) const {
  return session.drain_place < waiting_.size() && waiting_[session.drain_place] == &session;
}

void BackendDrain::Forget(Session& session) {
  const std::size_t place = session.drain_place;
  waiting_[place] = waiting_.back();
  waiting_[place]->drain_place = place;
  waiting_.pop_back();
  session.drain_place = Session::kNotDraining;
}

void BackendDrain::Step() {
  const Instant now = keeper_.world().now();
  switch (state_) {
    case State::kGathering:
    case State::kGatheringLate:
      return Gather(now);
    case State::kTelling:
    case State::kTellingLate:
      return Tell(now);
    case State::kDone:
      return;
  }
}

// Backwards: a session that ends is replaced by one that was looked at already.
void BackendDrain::Gather(Instant now) {
  below_ = std::min(below_, keeper_.sessions_.size());
  const std::size_t end = below_ - std::min(below_, kMostGathered);
  for (; below_ > end; --below_) {
    Session& session = *keeper_.sessions_[below_ - 1];
    if (session.backend() != backend_ || session.drain_place != Session::kNotDraining) continue;
    session.drain_place = waiting_.size();
    waiting_.push_back(&session);
    ++total_;
  }
  if (below_ == 0) {
    state_ = state_ == State::kGathering ? State::kTelling : State::kTellingLate;
  }
  step_.Arm(now + kPause);
}

// How many should have been told or have gone by now: the first at once, the last before the window
// is over.
std::size_t BackendDrain::Due(Instant now) const {
  const Duration passed = now - begun_;
  if (passed >= window_) return total_;
  const double share = static_cast<double>(passed.count()) / static_cast<double>(window_.count());
  return std::min(total_, static_cast<std::size_t>(share * static_cast<double>(total_)) + 1);
}

void BackendDrain::Tell(Instant now) {
  const std::size_t due = Due(now);
  std::size_t told = 0;
  while (!waiting_.empty() && total_ - waiting_.size() < due && told < kMostTold) {
    Session& session = *waiting_.back();
    waiting_.pop_back();
    session.drain_place = Session::kNotDraining;
    // A login whose backend failed may be on its way to another one.
    if (session.backend() != backend_) continue;
    session.drain_place = Session::kToldToDrain;
    session.DrainWithBackend();
    ++told;
  }
  if (told == kMostTold) return step_.Arm(now + kPause);
  if (!waiting_.empty() || now - begun_ < window_) return step_.Arm(now + kStep);
  if (state_ == State::kTellingLate) {
    state_ = State::kDone;
    return;
  }
  state_ = State::kGatheringLate;
  below_ = keeper_.size();
  step_.Arm(now + kPause);
}

}  // namespace postern
