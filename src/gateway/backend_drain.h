// BackendDrain: sends the sessions of one backend away, spread evenly over a window. Owned by the
// keeper; one thread. No turn is long: sessions are gathered and told in slices.
#pragma once

#include <cstddef>
#include <vector>

#include "postern/base/clock.h"
#include "postern/base/ids.h"
#include "postern/net/deadlines.h"

namespace postern {

class Keeper;
class Session;

class BackendDrain {
 public:
  // Nobody new is sent to the backend; whoever was on the way there already is found when the
  // window is over.
  BackendDrain(Keeper& keeper, BackendId backend, Duration window);
  // Sessions that were not told stay.
  ~BackendDrain();
  BackendDrain(const BackendDrain&) = delete;
  BackendDrain& operator=(const BackendDrain&) = delete;

  BackendId backend() const { return backend_; }
  // Whether the session waits to be told.
  bool Has(const Session& session) const;
  // It ends by itself.
  void Forget(Session& session);

 private:
  enum class State { kGathering, kTelling, kGatheringLate, kTellingLate, kDone };

  void Step();
  void Gather(Instant now);
  void Tell(Instant now);
  std::size_t Due(Instant now) const;

  Keeper& keeper_;
  const BackendId backend_;
  const Instant begun_;
  const Duration window_;
  State state_ = State::kGathering;
  std::size_t below_;  // sessions below this place are to be looked at
  std::vector<Session*> waiting_;
  std::size_t total_ = 0;  // that were gathered
  Deadline step_;
};

}  // namespace postern
