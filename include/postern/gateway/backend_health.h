// BackendHealth: what is known of the backends, a few relaxed atomics each: written by the probes
// (main loop), by operators (main loop) and by passive signs of sessions (any worker), never per
// command. One object for the process, which outlives every reload; its indices are the BackendIds,
// which stay with a backend's name. Any thread. Knows no addresses, no names and no sockets.
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>
#include <vector>

#include "postern/base/clock.h"
#include "postern/base/ids.h"

namespace postern {

// A backend that failed a session is not tried again before this.
inline constexpr Duration kRetryAfter = std::chrono::seconds(5);
// So many probes in a row that fail, and the backend is down.
inline constexpr std::uint32_t kDownAfter = 2;
// A backend that was down takes its users back over this time.
inline constexpr Duration kSlowStart = std::chrono::seconds(30);
// Sessions that may wait for one backend to greet them (SECURITY R-07).
inline constexpr std::uint32_t kMaxConnecting = 1000;

// In the order of their weight: of two that hold, the later one is the backend's.
enum class BackendState : std::uint8_t {
  kUp,
  kFailing,   // it failed a session or a probe, and has not shown since that it is well
  kDown,      // probes fail again and again: nobody is sent there
  kDraining,  // an operator wants it empty: nobody new is sent there
};
// "up", "failing", "down", "draining".
std::string_view BackendStateName(BackendState state);

class BackendHealth {
 public:
  explicit BackendHealth(std::size_t capacity) : records_(capacity) {}
  std::size_t capacity() const { return records_.size(); }

  // A session came to the backend, or left it.
  void SessionOpened(BackendId id);
  void SessionClosed(BackendId id);
  std::uint32_t sessions(BackendId id) const;
  // What sessions are to a backend that somebody is to be sent to: those it has, and those that
  // wait for its greeting.
  std::uint32_t load(BackendId id) const;

  // What became of a session's connection.
  void Failed(BackendId id, Instant now);
  void Succeeded(BackendId id);
  // What became of a probe. One that went well also ends what a session's failure began, once the
  // backend has rested.
  void ProbeFailed(BackendId id, Protocol protocol);
  void ProbeSucceeded(BackendId id, Protocol protocol, Instant now);
  void SetDraining(BackendId id, bool draining);
  // Another machine goes by this id now, or none: what probes and sessions said of it is void.
  // Whether it drains, and who is connected, stays.
  void Forget(BackendId id);

  BackendState state(BackendId id, Protocol protocol) const;
  // Of both protocols the heavier one.
  BackendState state(BackendId id) const;
  // New sessions may go there and nothing speaks against it.
  bool up(BackendId id) const { return state(id) == BackendState::kUp; }
  // False for kRetryAfter behind a failure of a session.
  bool rested(BackendId id, Instant now) const;
  // How far the backend has come back: from 0 when it was down until now, to 1 when kSlowStart is
  // over.
  double back(BackendId id, Protocol protocol, Instant now) const;

  // One of kMaxConnecting places in front of a backend, held from the dial to its greeting: a
  // backend that is slow to greet keeps no more than these waiting.
  class Place {
   public:
    Place(BackendHealth& health, BackendId id);
    ~Place();
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    bool taken() const { return taken_; }

   private:
    std::atomic<std::uint32_t>& count_;
    bool taken_;
  };

 private:
  struct alignas(64) Record {
    std::atomic<std::int64_t> retry_at{0};  // nanoseconds of the monotonic clock; 0: never failed
    std::atomic<std::uint32_t> connecting{0};
    std::atomic<std::uint32_t> sessions{0};
    std::atomic<bool> draining{false};
    std::atomic<std::uint32_t> probes_failed[kProtocolCount] = {0, 0};  // in a row
    std::atomic<std::int64_t> back_at[kProtocolCount] = {0, 0};  // as retry_at; 0: never was down
  };

  std::vector<Record> records_;
};

}  // namespace postern
