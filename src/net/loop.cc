#include "postern/net/loop.h"

#include <utility>

#include "net/loop_inner.h"
#include "net/tcp_socket.h"
#include "net/tls_scratch.h"
#include "postern/base/check.h"

namespace postern {
namespace {

using namespace std::chrono_literals;

// Timers are rounded up to this, so that sessions of the same second share a wake-up.
constexpr Duration kTimerStep = 10ms;
constexpr Duration kFinishTime = 2s;

std::uint64_t StepsInMs(Duration wait) {
  if (wait <= Duration::zero()) return 0;
  return static_cast<std::uint64_t>((wait + kTimerStep - Duration(1)) / kTimerStep) *
         static_cast<std::uint64_t>(kTimerStep / 1ms);
}

void OnTimer(uv_timer_t* timer) noexcept {
  Loop::Inner& inner = Loop::Inner::Of(timer->loop);
  inner.EnterCallback();
  inner.timer_armed = false;
  inner.deadlines.Sweep(MonotonicNow());
}

void OnWakeup(uv_async_t* wakeup) noexcept {
  Loop::Inner& inner = Loop::Inner::Of(wakeup->loop);
  inner.EnterCallback();
  inner.RunPosted();
}

// The end of a turn: what was deferred runs now, and the timer is set once for all changes of the
// turn.
void OnPrepare(uv_prepare_t* prepare) noexcept {
  Loop::Inner& inner = Loop::Inner::Of(prepare->loop);
  inner.RunDeferred();
  inner.RunHandshake();
  inner.ArmTimer();
  inner.EndTurn();
}

void OnUvSignal(uv_signal_t* handle, int) noexcept {
  Loop::Inner::Of(handle->loop).EnterCallback();
  static_cast<SignalWatch*>(handle->data)->handler();
}

void CutStream(uv_handle_t* handle, void*) noexcept {
  if (handle->type == UV_TCP && uv_is_closing(handle) == 0) {
    TcpSocket::Of(handle).Close(Stream::How::kAbort);
  }
}

template <typename Handle>
uv_handle_t* AsHandle(Handle* handle) {
  return reinterpret_cast<uv_handle_t*>(handle);
}

}  // namespace

Loop::Inner::Inner() : read_scratch(new char[kReadSize]) {
  POSTERN_CHECK(uv_loop_init(&uv) == 0);
  uv.data = this;
  POSTERN_CHECK(uv_timer_init(&uv, &timer) == 0);
  POSTERN_CHECK(uv_async_init(&uv, &wakeup, OnWakeup) == 0);
  POSTERN_CHECK(uv_prepare_init(&uv, &prepare) == 0);
  POSTERN_CHECK(uv_prepare_start(&prepare, OnPrepare) == 0);
  POSTERN_CHECK(uv_idle_init(&uv, &more) == 0);
}

Loop::Inner::~Inner() {
  tls.reset();  // no other thread posts from here on
  // What was still to be called belongs to owners that are gone.
  posted.clear();
  after_turn.clear();
  turn_observer = nullptr;
  FinishStreams();
  CloseHandles();
  uv_run(&uv, UV_RUN_DEFAULT);
  POSTERN_CHECK(uv_loop_close(&uv) == 0);
}

void Loop::Inner::FinishStreams() {
  bool late = false;
  Deadline limit(
      deadlines, [](void* flag) { *static_cast<bool*>(flag) = true; }, &late);
  limit.Arm(MonotonicNow() + kFinishTime);
  while (closing_streams > 0 && !late) uv_run(&uv, UV_RUN_ONCE);
  uv_walk(&uv, CutStream, nullptr);
}

void Loop::Inner::CloseHandles() {
  for (const auto& watch : signals) uv_close(AsHandle(&watch->handle), nullptr);
  uv_close(AsHandle(&timer), nullptr);
  uv_close(AsHandle(&wakeup), nullptr);
  uv_close(AsHandle(&prepare), nullptr);
  uv_close(AsHandle(&more), nullptr);
}

void Loop::Inner::BeginTurn() {
  in_turn = true;
  turn_began.store(MonotonicNow().time_since_epoch().count(), std::memory_order_relaxed);
}

void Loop::Inner::EndTurn() {
  if (!in_turn) return;
  in_turn = false;
  const Instant began{Duration(turn_began.load(std::memory_order_relaxed))};
  turn_began.store(0, std::memory_order_relaxed);
  if (turn_observer) turn_observer(MonotonicNow() - began);
}

void Loop::Inner::RunDeferred() {
  while (!later.empty() || !after_turn.empty()) {
    EnterCallback();
    while (!later.empty()) later.RunFirst();
    std::vector<std::function<void()>> tasks;
    tasks.swap(after_turn);
    for (auto& task : tasks) task();
    // The memory goes back to the list unless something was added meanwhile.
    tasks.clear();
    if (after_turn.empty()) after_turn.swap(tasks);
  }
}

void Loop::Inner::RunHandshake() {
  if (!handshakes.empty()) {
    EnterCallback();
    handshakes.RunFirst();
    RunDeferred();
  }
  if (handshakes.empty()) {
    uv_idle_stop(&more);
  } else {
    uv_idle_start(&more, [](uv_idle_t*) noexcept {});
  }
}

void Loop::Inner::RunPosted() {
  std::vector<std::function<void()>> tasks;
  {
    const std::lock_guard<std::mutex> lock(posted_mutex);
    tasks.swap(posted);
  }
  for (auto& task : tasks) task();
}

// A deadline that moved away leaves the timer as it is: a wake-up too many costs less than setting
// the timer in every turn.
void Loop::Inner::ArmTimer() {
  if (deadlines.empty()) {
    if (timer_armed) uv_timer_stop(&timer);
    timer_armed = false;
    return;
  }
  const Instant next = deadlines.next();
  if (timer_armed && timer_at <= next + kTimerStep) return;
  const Instant now = MonotonicNow();
  const std::uint64_t wait = StepsInMs(next - now);
  uv_update_time(&uv);
  uv_timer_start(&timer, OnTimer, wait, 0);
  timer_armed = true;
  timer_at = now + std::chrono::milliseconds(wait);
}

Loop::Loop() : inner_(std::make_unique<Inner>()) {}
Loop::~Loop() = default;

void Loop::Run() { uv_run(&inner_->uv, UV_RUN_DEFAULT); }

void Loop::Stop() { uv_stop(&inner_->uv); }

void Loop::Post(std::function<void()> task) {
  {
    const std::lock_guard<std::mutex> lock(inner_->posted_mutex);
    inner_->posted.push_back(std::move(task));
  }
  uv_async_send(&inner_->wakeup);
}

void Loop::AfterTurn(std::function<void()> task) { inner_->after_turn.push_back(std::move(task)); }

void Loop::OnSignal(int signal, std::function<void()> handler) {
  auto watch = std::make_unique<SignalWatch>();
  watch->handler = std::move(handler);
  POSTERN_CHECK(uv_signal_init(&inner_->uv, &watch->handle) == 0);
  watch->handle.data = watch.get();
  POSTERN_CHECK(uv_signal_start(&watch->handle, OnUvSignal, signal) == 0);
  inner_->signals.push_back(std::move(watch));
}

void Loop::SetTurnObserver(std::function<void(Duration)> observer) {
  inner_->turn_observer = std::move(observer);
}

bool Loop::streams_closing() const { return inner_->closing_streams > 0; }

Duration Loop::busy_for(Instant now) const {
  const std::int64_t began = inner_->turn_began.load(std::memory_order_relaxed);
  return began == 0 ? Duration::zero() : now - Instant{Duration(began)};
}

Deadlines& Loop::deadlines() { return inner_->deadlines; }

}  // namespace postern
