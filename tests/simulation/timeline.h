// Timeline: what happens next. The only clock of a simulation and its only loop: one event at a
// time, in order of time, each a turn of its own; deadlines are swept when their time has come and
// what was left for after the turn runs when no callback is on the stack. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "postern/base/clock.h"
#include "postern/net/deadlines.h"

namespace postern::testing {

class Timeline {
 public:
  using Task = std::function<void()>;

  Instant now() const { return now_; }
  Duration elapsed() const { return now_ - kBegin; }
  Deadlines& deadlines() { return deadlines_; }
  // Nothing is taken back: a task must still be right when it runs.
  void After(Duration delay, Task task) {
    events_.emplace(std::make_pair(now_ + delay, ++serial_), std::move(task));
  }
  void AfterTurn(Task task) { after_turn_.push_back(std::move(task)); }
  // One turn. False when nothing is left to happen.
  bool Step();
  std::uint64_t steps() const { return steps_; }
  bool idle() const { return events_.empty(); }

 private:
  static constexpr Instant kBegin{std::chrono::hours(1)};

  Instant now_ = kBegin;
  Deadlines deadlines_;
  std::map<std::pair<Instant, std::uint64_t>, Task> events_;
  std::vector<Task> after_turn_;
  std::uint64_t serial_ = 0;
  std::uint64_t steps_ = 0;
};

}  // namespace postern::testing
