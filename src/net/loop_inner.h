// The inside of a Loop, for src/net only: libuv's handles and the buffers that all streams of a
// loop share.
#pragma once

#include <uv.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "net/later.h"
#include "postern/net/loop.h"

namespace postern {

class TlsScratch;

// One read of a socket. With 16 KiB a relay costs a quarter more CPU, with 256 KiB nothing less.
inline constexpr std::size_t kReadSize = 64 * 1024;

inline constexpr Duration kTrafficLasts = std::chrono::milliseconds(100);
// Who has been in for so long does not merely log in and out.
inline constexpr Duration kNewcomerTime = std::chrono::milliseconds(250);

struct SignalWatch {
  uv_signal_t handle;
  std::function<void()> handler;
};

struct Loop::Inner {
  Inner();
  ~Inner();
  Inner(const Inner&) = delete;
  Inner& operator=(const Inner&) = delete;

  static Inner& Of(const uv_loop_t* loop) { return *static_cast<Inner*>(loop->data); }

  // Each libuv callback begins with this: the first of a turn is when polling ended.
  void EnterCallback() {
    if (turn_observer && !in_turn) BeginTurn();
  }
  void BeginTurn();
  void EndTurn();
  void RunDeferred();
  void RunHandshake();
  void RunPosted();
  void ArmTimer();
  // Lets streams that are closing finish for at most 2 s, then cuts them.
  void FinishStreams();
  void CloseHandles();

  uv_loop_t uv;
  uv_timer_t timer;
  uv_async_t wakeup;
  uv_prepare_t prepare;
  uv_idle_t more;  // active while handshakes wait: polling does not
  std::vector<std::unique_ptr<SignalWatch>> signals;

  Deadlines deadlines;
  bool timer_armed = false;
  Instant timer_at{};

  std::mutex posted_mutex;
  std::vector<std::function<void()>> posted;
  std::vector<std::function<void()>> after_turn;
  LaterList later;
  // Handshakes with something to work on. One step of one of them is done in a turn, behind the
  // traffic that was ready: a step may cost a signature, and a thousand clients that come at once
  // must not be felt by those who are in.
  LaterList handshakes;

  // When a stream that is no newcomer last brought something: from then on, for a while, a
  // handshake that takes long would hold somebody up. Known only with a turn observer; without one
  // it always would.
  Instant traffic_at{};
  bool busy_with_traffic() const { return turn_time() - traffic_at < kTrafficLasts; }
  // When the turn that is under way began.
  Instant turn_time() const {
    return Instant{Duration(turn_began.load(std::memory_order_relaxed))};
  }

  std::function<void(Duration)> turn_observer;
  bool in_turn = false;
  // Nanoseconds of the monotonic clock, for other threads; zero while the loop polls.
  std::atomic<std::int64_t> turn_began{0};

  // Streams whose owner has left and that still flush or linger.
  int closing_streams = 0;
  std::unique_ptr<char[]> read_scratch;
  // Made when the first TLS stream of the loop needs it.
  std::unique_ptr<TlsScratch> tls;
};

}  // namespace postern
