// Deadlines: instants at which something gives up, swept with a `now`; a pure heap of pointers.
// Owned by the loop, which keeps one timer for all of them. One thread.
#pragma once

#include <cstddef>
#include <vector>

#include "postern/base/clock.h"

namespace postern {

class Deadlines;

// One deadline, a member of what waits. Disarms itself when destroyed.
class Deadline {
 public:
  // expire(owner) is called once at or after the instant; it may arm this or others again and may
  // destroy the owner.
  using Expire = void (*)(void* owner);
  Deadline(Deadlines& deadlines, Expire expire, void* owner)
      : deadlines_(deadlines), expire_(expire), owner_(owner) {}
  ~Deadline() { Disarm(); }
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;

  // Sets or moves the instant.
  void Arm(Instant at);
  void Disarm();
  bool armed() const { return index_ != kUnarmed; }
  Instant at() const { return at_; }

 private:
  friend class Deadlines;
  static constexpr std::size_t kUnarmed = static_cast<std::size_t>(-1);
  Deadlines& deadlines_;
  Expire expire_;
  void* owner_;
  Instant at_{};
  std::size_t index_ = kUnarmed;
};

class Deadlines {
 public:
  // Expires all that are due, in order of their instants.
  void Sweep(Instant now);
  bool empty() const { return heap_.empty(); }
  // The earliest instant; only when not empty.
  Instant next() const { return heap_.front()->at_; }

 private:
  friend class Deadline;
  void Insert(Deadline& deadline);
  void Remove(Deadline& deadline);
  void SiftUp(std::size_t index);
  void SiftDown(std::size_t index);
  void Place(Deadline* deadline, std::size_t index);

  std::vector<Deadline*> heap_;
};

}  // namespace postern
