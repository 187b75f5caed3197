// Later: a call that is due at the end of the turn; a member of what waits, so that deferring
// allocates nothing and a destroyed waiter is never called. One thread; owned by streams, run by
// the loop.
#pragma once

namespace postern {

class Later {
 public:
  using Run = void (*)(void* owner);
  Later(Run run, void* owner) : run_(run), owner_(owner) {}
  ~Later() { Cancel(); }
  Later(const Later&) = delete;
  Later& operator=(const Later&) = delete;

  bool scheduled() const { return next_ != nullptr; }
  void Cancel() {
    if (!scheduled()) return;
    next_->previous_ = previous_;
    previous_->next_ = next_;
    next_ = previous_ = nullptr;
  }

 private:
  friend class LaterList;
  Run run_;
  void* owner_;
  Later* next_ = nullptr;
  Later* previous_ = nullptr;
};

// A ring through a head of its own: first scheduled, first run.
class LaterList {
 public:
  LaterList() : head_(nullptr, nullptr) { head_.next_ = head_.previous_ = &head_; }

  // Scheduling what is scheduled already changes nothing.
  void Schedule(Later& later) {
    if (later.scheduled()) return;
    later.previous_ = head_.previous_;
    later.next_ = &head_;
    head_.previous_->next_ = &later;
    head_.previous_ = &later;
  }
  bool empty() const { return head_.next_ == &head_; }
  // Takes the first off the list and runs it; it may schedule itself again or be destroyed by that.
  void RunFirst() {
    Later& first = *head_.next_;
    first.Cancel();
    first.run_(first.owner_);
  }

 private:
  Later head_;
};

}  // namespace postern
