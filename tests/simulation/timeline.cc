#include "simulation/timeline.h"

#include <algorithm>

namespace postern::testing {

bool Timeline::Step() {
  const bool due = !deadlines_.empty();
  if (!due && events_.empty()) return false;
  ++steps_;
  const bool deadline_first =
      due && (events_.empty() || deadlines_.next() <= events_.begin()->first.first);
  if (deadline_first) {
    now_ = std::max(now_, deadlines_.next());
    deadlines_.Sweep(now_);
  } else {
    const auto first = events_.begin();
    now_ = std::max(now_, first->first.first);
    const Task task = std::move(first->second);
    events_.erase(first);
    task();
  }
  while (!after_turn_.empty()) {
    const std::vector<Task> tasks = std::exchange(after_turn_, {});
    for (const Task& task : tasks) task();
  }
  return true;
}

}  // namespace postern::testing
