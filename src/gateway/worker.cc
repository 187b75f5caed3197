#include "postern/gateway/worker.h"

#include <algorithm>
#include <utility>

#include "postern/base/check.h"

namespace postern {
namespace {

// While the process is full: how often to look whether another worker made room.
constexpr Duration kAdmitEvery = std::chrono::milliseconds(100);
// A turn that keeps everybody else waiting for so long is told to the operator.
constexpr Duration kSlowTurn = std::chrono::milliseconds(100);
// While a drain waits for closed streams: how often to look whether they are done.
constexpr Duration kFlushedEvery = std::chrono::milliseconds(20);

}  // namespace

Result<std::unique_ptr<Worker>> Worker::Create(unsigned index, Shared& shared,
                                               const ShardSize& size, WorkerSetup setup) {
  std::unique_ptr<Worker> worker(new Worker(index, shared, size, setup));
  if (Status status = worker->Take(std::move(setup)); !status.ok()) return status;
  return worker;
}

Worker::Worker(unsigned index, Shared& shared, const ShardSize& size, const WorkerSetup& setup)
    : index_(index),
      shared_(shared),
      shard_(size),
      dialer_(NewTcpDialer(loop_)),
      keeper_(index, *this, shared, shard_, setup.setup, setup.rules),
      admit_(
          loop_.deadlines(), [](void* self) { static_cast<Worker*>(self)->Admit(); }, this),
      flushed_(
          loop_.deadlines(), [](void* self) { static_cast<Worker*>(self)->StopWhenEmpty(); }, this),
      drain_(
          loop_.deadlines(), [](void* self) { static_cast<Worker*>(self)->EndDrain(); }, this) {
  loop_.SetTurnObserver([this](Duration busy) { OnTurn(busy); });
}

Worker::~Worker() = default;

// Sessions that came by a listener stay when it closes; streams keep what they need of a context. A
// context that has no successor stays for those who were promised TLS before: STARTTLS at a
// listener that is gone, a backend that was dialled.
Status Worker::Take(WorkerSetup setup) {
  keeper_.Adopt(std::move(setup.setup), std::move(setup.rules));
  listener_tls_.resize(setup.openings.size());
  listeners_.resize(setup.openings.size());
  pool_tls_.resize(setup.pool_tls.size());
  for (std::size_t i = 0; i < setup.pool_tls.size(); ++i) {
    if (setup.pool_tls[i] != nullptr) pool_tls_[i] = std::move(setup.pool_tls[i]);
  }
  Status failed;
  for (std::size_t i = 0; i < setup.openings.size(); ++i) {
    WorkerSetup::Opening& opening = setup.openings[i];
    if (opening.tls != nullptr) listener_tls_[i] = std::move(opening.tls);
    if (opening.closed || draining_) listeners_[i].reset();
    if (!opening.socket || draining_) continue;
    // One that fails takes nothing from the others.
    Status status = Listen(static_cast<ListenerId>(i), std::move(*opening.socket));
    if (!status.ok()) failed = std::move(status);
  }
  Admit();
  return failed;
}

Status Worker::Listen(ListenerId id, BoundSocket socket) {
  auto accept = [this, id](std::unique_ptr<Stream> stream, const Address& client,
                           const Address& local) { Accept(id, std::move(stream), client, local); };
  Result<std::unique_ptr<Listener>> listener =
      Listener::Open(loop_, std::move(socket), std::move(accept));
  if (!listener.ok()) return listener.error();
  listeners_[id] = std::move(listener.value());
  if (paused_) listeners_[id]->Pause();
  return {};
}

void Worker::Run() { loop_.Run(); }

void Worker::Adopt(WorkerSetup setup) {
  // What is posted must be copyable.
  auto shared = std::make_shared<WorkerSetup>(std::move(setup));
  loop_.Post([this, shared] {
    const Status status = Take(std::move(*shared));
    if (status.ok()) return;
    shared_.log.Write(std::move(
        LogLine("listen_failed").Number("worker", index_).Text("reason", status.message())));
  });
}

void Worker::Post(std::function<void(Keeper&)> task) {
  loop_.Post([this, task = std::move(task)] { task(keeper_); });
}

void Worker::OnTurn(Duration busy) {
  shard_.LoopTurn(busy);
  if (busy < kSlowTurn) return;
  shared_.log.Write(std::move(LogLine("slow_turn")
                                  .Number("worker", index_)
                                  .Seconds("busy", std::chrono::duration<double>(busy).count())));
}

void Worker::Accept(ListenerId id, std::unique_ptr<Stream> stream, const Address& client,
                    const Address& local) {
  keeper_.Accept(id, std::move(stream), client, local);
  Admit();
}

std::unique_ptr<Stream> Worker::SecureClient(ListenerId id, std::unique_ptr<Stream> lower) {
  POSTERN_CHECK(listener_tls_[id] != nullptr);
  return listener_tls_[id]->Wrap(loop_, std::move(lower));
}

std::unique_ptr<Stream> Worker::SecureBackend(PoolId pool, std::unique_ptr<Stream> lower,
                                              const std::string& name) {
  POSTERN_CHECK(pool_tls_[pool] != nullptr);
  return pool_tls_[pool]->Wrap(loop_, std::move(lower), name);
}

void Worker::OnSwept() {
  if (paused_) Admit();
  StopWhenEmpty();
}

// At the limit nobody new is taken: they wait in the kernel's queue, and those who are in notice
// nothing.
void Worker::Admit() {
  const std::size_t live = shared_.sessions.load(std::memory_order_relaxed);
  // Going on again takes a gap of a twentieth; a small limit has none, or it would never go on.
  const std::size_t most = shared_.max_sessions.load(std::memory_order_relaxed);
  const bool scarce = pressure_ >= Pressure::kRefuse;
  const bool full = scarce || live >= (paused_ ? most - most / 20 : most);
  if (full && !draining_) admit_.Arm(MonotonicNow() + kAdmitEvery);
  if (full == paused_) return;
  paused_ = full;
  if (full) shard_.AdmissionRejected(scarce ? Admission::kMemory : Admission::kSessions);
  for (const std::unique_ptr<Listener>& listener : listeners_) {
    if (!listener) continue;
    if (full) {
      listener->Pause();
    } else {
      listener->Resume();
    }
  }
}

void Worker::Press(Pressure level) {
  loop_.Post([this, level] {
    pressure_ = level;
    keeper_.Relieve(level);
    Admit();
  });
}

void Worker::Drain(Duration patience) {
  loop_.Post([this, patience] { BeginDrain(patience); });
}

void Worker::BeginDrain(Duration patience) {
  if (draining_) return;
  draining_ = true;
  admit_.Disarm();
  for (std::unique_ptr<Listener>& listener : listeners_) listener.reset();
  drain_.Arm(MonotonicNow() + patience);
  keeper_.Drain();
  StopWhenEmpty();
}

void Worker::EndDrain() {
  keeper_.DrainDeadline();
  loop_.AfterTurn([this] { loop_.Stop(); });
}

// The last words of the last sessions are flushed too, as long as the drain has time.
void Worker::StopWhenEmpty() {
  if (!draining_ || !keeper_.empty()) return;
  if (loop_.streams_closing() && drain_.armed()) {
    flushed_.Arm(MonotonicNow() + kFlushedEvery);
  } else {
    loop_.AfterTurn([this] { loop_.Stop(); });
  }
}

}  // namespace postern
