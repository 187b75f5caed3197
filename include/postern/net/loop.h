// Loop: one event loop. Owned by a worker or by the server's main thread; all but Post is for the
// thread that runs it. Owns the one timer behind all deadlines and the loop-wide read and write
// buffers.
#pragma once

#include <functional>
#include <memory>

#include "postern/base/clock.h"
#include "postern/net/deadlines.h"

namespace postern {

class Loop {
 public:
  Loop();
  // Everything that used the loop must be closed; waits for the last close callbacks.
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Runs until Stop. Once.
  void Run();
  // Makes Run return after this turn. From the loop's thread.
  void Stop();
  // Runs the function on the loop's thread on a later turn. Any thread; in order of the calls.
  void Post(std::function<void()> task);
  // Runs the function at the end of this turn, when no callback is on the stack.
  void AfterTurn(std::function<void()> task);
  // Calls back on a signal, on this loop's thread.
  void OnSignal(int signal, std::function<void()> handler);
  // Called once per turn with the time the turn kept the loop busy (polling not counted).
  void SetTurnObserver(std::function<void(Duration)> observer);

  // Whether streams that were closed still flush or linger.
  bool streams_closing() const;
  // How long the turn that is under way keeps the loop busy; zero while it polls. Any thread; only
  // with a turn observer.
  Duration busy_for(Instant now) const;

  Deadlines& deadlines();

  // Inner state, for src/net only.
  struct Inner;
  Inner& inner() { return *inner_; }

 private:
  std::unique_ptr<Inner> inner_;
};

}  // namespace postern
