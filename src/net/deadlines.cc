#include "postern/net/deadlines.h"

#include <utility>

namespace postern {

void Deadline::Arm(Instant at) {
  if (armed()) deadlines_.Remove(*this);
  at_ = at;
  deadlines_.Insert(*this);
}

void Deadline::Disarm() {
  if (armed()) deadlines_.Remove(*this);
}

void Deadlines::Sweep(Instant now) {
  while (!heap_.empty() && heap_.front()->at_ <= now) {
    Deadline& due = *heap_.front();
    Remove(due);
    due.expire_(due.owner_);  // may destroy `due`
  }
}

void Deadlines::Insert(Deadline& deadline) {
  heap_.push_back(&deadline);
  deadline.index_ = heap_.size() - 1;
  SiftUp(deadline.index_);
}

void Deadlines::Remove(Deadline& deadline) {
  const std::size_t hole = deadline.index_;
  Deadline* last = heap_.back();
  heap_.pop_back();
  deadline.index_ = Deadline::kUnarmed;
  if (last == &deadline) return;
  Place(last, hole);
  SiftUp(hole);
  SiftDown(last->index_);
}

void Deadlines::SiftUp(std::size_t index) {
  Deadline* moving = heap_[index];
  while (index > 0) {
    const std::size_t parent = (index - 1) / 2;
    if (heap_[parent]->at_ <= moving->at_) break;
    Place(heap_[parent], index);
    index = parent;
  }
  Place(moving, index);
}

void Deadlines::SiftDown(std::size_t index) {
  Deadline* moving = heap_[index];
  for (;;) {
    std::size_t child = 2 * index + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && heap_[child + 1]->at_ < heap_[child]->at_) ++child;
    if (moving->at_ <= heap_[child]->at_) break;
    Place(heap_[child], index);
    index = child;
  }
  Place(moving, index);
}

void Deadlines::Place(Deadline* deadline, std::size_t index) {
  heap_[index] = deadline;
  deadline->index_ = index;
}

}  // namespace postern
