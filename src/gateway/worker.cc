#include "postern/gateway/worker.h"

#include <algorithm>
#include <utility>

#include "gateway/session.h"

namespace postern {
namespace {

// While the process is full: how often to look whether another worker made room.
constexpr Duration kAdmitEvery = std::chrono::milliseconds(100);
// A turn that keeps everybody else waiting for so long is told to the operator.
constexpr Duration kSlowTurn = std::chrono::milliseconds(100);
// While a drain waits for closed streams: how often to look whether they are done.
constexpr Duration kFlushedEvery = std::chrono::milliseconds(20);
// More than the small writes of one call ever come to.
constexpr std::size_t kGatherSize = 64 * 1024;

}  // namespace

Result<std::unique_ptr<Worker>> Worker::Create(unsigned index, Shared& shared, ShardSize size,
                                               std::vector<ListenerSetup> listeners,
                                               TlsSettings tls) {
  std::unique_ptr<Worker> worker(new Worker(index, shared, size));
  if (Status status = worker->Open(std::move(listeners), std::move(tls)); !status.ok())
    return status;
  return worker;
}

Worker::Worker(unsigned index, Shared& shared, ShardSize size)
    : index_(index),
      shared_(shared),
      shard_(size),
      dialer_(NewTcpDialer(loop_)),
      admit_(
          loop_.deadlines(), [](void* self) { static_cast<Worker*>(self)->Admit(); }, this),
      flushed_(
          loop_.deadlines(), [](void* self) { static_cast<Worker*>(self)->StopWhenEmpty(); }, this),
      drain_(
          loop_.deadlines(), [](void* self) { static_cast<Worker*>(self)->EndDrain(); }, this) {
  // Never grown, so that no copy of a login stays where they were.
  client_gather_.reserve(kGatherSize);
  backend_gather_.reserve(kGatherSize);
  loop_.SetTurnObserver([this](Duration busy) { OnTurn(busy); });
}

Worker::~Worker() {
  sessions_.clear();
  retired_.clear();
  buried_.clear();
  listeners_.clear();
}

Status Worker::Open(std::vector<ListenerSetup> listeners, TlsSettings tls) {
  for (const Protocol protocol : {Protocol::kImap, Protocol::kPop3}) {
    tls.alpn = protocol == Protocol::kImap ? "imap" : "pop3";
    Result<std::unique_ptr<TlsContext>> context = TlsContext::ForServer(tls);
    if (!context.ok()) return context.error();
    tls_[static_cast<std::size_t>(protocol)] = std::move(context.value());
  }
  for (ListenerSetup& setup : listeners) {
    const ListenerId id = static_cast<ListenerId>(listeners_.size());
    listeners_.push_back({setup.name, setup.protocol, nullptr});
    auto accept = [this, id](std::unique_ptr<Stream> stream, const Address& client) {
      Accept(id, std::move(stream), client);
    };
    Result<std::unique_ptr<Listener>> listener =
        Listener::Open(loop_, std::move(setup.socket), std::move(accept));
    if (!listener.ok()) return listener.error();
    listeners_.back().listener = std::move(listener.value());
  }
  return {};
}

std::int64_t Worker::certificate_not_after() const { return tls_[0]->not_after(); }

void Worker::Run() { loop_.Run(); }

void Worker::OnTurn(Duration busy) {
  shard_.LoopTurn(busy);
  if (busy < kSlowTurn) return;
  shared_.log.Write(std::move(LogLine("slow_turn")
                                  .Number("worker", index_)
                                  .Seconds("busy", std::chrono::duration<double>(busy).count())));
}

void Worker::Accept(ListenerId id, std::unique_ptr<Stream> stream, const Address& client) {
  const Door& door = listeners_[id];
  TlsContext& tls = *tls_[static_cast<std::size_t>(door.protocol)];
  std::string name =
      shared_.server_id + "-" + std::to_string(index_) + "-" + std::to_string(++serial_);
  sessions_.push_back(std::make_unique<Session>(*this, std::move(name), id, door.protocol,
                                                tls.Wrap(loop_, std::move(stream)), client));
  Session& session = *sessions_.back();
  session.place = sessions_.size() - 1;
  shared_.sessions.fetch_add(1, std::memory_order_relaxed);
  session.Start();
  Admit();
}

// At the limit nobody new is taken: they wait in the kernel's queue, and those who are in notice
// nothing.
void Worker::Admit() {
  const std::size_t live = shared_.sessions.load(std::memory_order_relaxed);
  // Going on again takes a gap of a twentieth; a small limit has none, or it would never go on.
  const std::size_t most = shared_.max_sessions;
  const bool full = live >= (paused_ ? most - most / 20 : most);
  if (full && !draining_) admit_.Arm(MonotonicNow() + kAdmitEvery);
  if (full == paused_) return;
  paused_ = full;
  if (full) shard_.AdmissionRejected();
  for (Door& door : listeners_) {
    if (!door.listener) continue;
    if (full) {
      door.listener->Pause();
    } else {
      door.listener->Resume();
    }
  }
}

void Worker::Retire(Session& session) {
  const std::size_t place = session.place;
  retired_.push_back(std::move(sessions_[place]));
  if (place + 1 != sessions_.size()) {
    sessions_[place] = std::move(sessions_.back());
    sessions_[place]->place = place;
  }
  sessions_.pop_back();
  shared_.sessions.fetch_sub(1, std::memory_order_relaxed);
  Sweep();
}

void Worker::Bury(std::unique_ptr<Stream> stream) {
  buried_.push_back(std::move(stream));
  Sweep();
}

void Worker::Sweep() {
  if (sweep_due_) return;
  sweep_due_ = true;
  loop_.AfterTurn([this] {
    sweep_due_ = false;
    retired_.clear();
    buried_.clear();
    if (paused_) Admit();
    StopWhenEmpty();
  });
}

void Worker::Drain(Duration patience) {
  loop_.Post([this, patience] { BeginDrain(patience); });
}

void Worker::BeginDrain(Duration patience) {
  if (draining_) return;
  draining_ = true;
  admit_.Disarm();
  for (Door& door : listeners_) door.listener.reset();
  drain_.Arm(MonotonicNow() + patience);
  // Backwards: a session that ends is replaced by one that was told already.
  for (std::size_t i = sessions_.size(); i-- > 0;) sessions_[i]->Drain();
  StopWhenEmpty();
}

void Worker::EndDrain() {
  for (std::size_t i = sessions_.size(); i-- > 0;) sessions_[i]->DrainDeadline();
  loop_.AfterTurn([this] { loop_.Stop(); });
}

// The last words of the last sessions are flushed too, as long as the drain has time.
void Worker::StopWhenEmpty() {
  if (!draining_ || !sessions_.empty()) return;
  if (loop_.streams_closing() && drain_.armed()) {
    flushed_.Arm(MonotonicNow() + kFlushedEvery);
  } else {
    loop_.AfterTurn([this] { loop_.Stop(); });
  }
}

}  // namespace postern
