#include "gateway/session.h"

#include <utility>

#include "postern/base/secret.h"
#include "postern/engine/imap_engine.h"
#include "postern/engine/pop3_engine.h"

namespace postern {
namespace {

// From this size on a write goes to its stream as it is; smaller ones of one call are put together.
constexpr std::size_t kDirectWrite = 4096;
// What is put together goes out from this size on, so that the backlog, which is the measure of
// room, tells of it.
constexpr std::size_t kMostGathered = 32 * 1024;
// While the client is not read: how often to ask whether it is still there.
constexpr Duration kLookAfter = std::chrono::seconds(5);

std::unique_ptr<Engine> NewEngine(Protocol protocol, const EngineContext& context) {
  if (protocol == Protocol::kImap) return std::make_unique<ImapEngine>(context);
  return std::make_unique<Pop3Engine>(context);
}

}  // namespace

Session::Session(Worker& worker, std::string id, ListenerId listener, Protocol protocol,
                 std::unique_ptr<Stream> client, const Address& address)
    : worker_(worker),
      id_(std::move(id)),
      address_(address.HostText()),
      listener_(listener),
      protocol_(protocol),
      opened_(MonotonicNow()),
      now_(opened_),
      client_bytes_at_(opened_),
      client_observer_(*this, Side::kClient),
      backend_observer_(*this, Side::kBackend),
      engine_(NewEngine(protocol, EngineContext{*this, worker.shard(), worker.records()})),
      deadline_(worker.loop().deadlines(), &Session::OnDeadline, this) {
  client_.stream = std::move(client);
  shard().SessionOpened(protocol_, listener_);
}

Session::~Session() = default;

void Session::Start() {
  deadline_.Arm(opened_ + plan().timeouts.handshake);
  client_.stream->WipeReads(true);
  client_.stream->Start(client_observer_);
}

// ---- stream events

void Session::OnOpen(Side side) {
  if (side == Side::kBackend || finished_) return;
  Enter([this] {
    const TlsFacts tls = client_.stream->tls();
    shard().Handshake(listener_, tls.version, tls.cipher, tls.resumed, true, now_ - opened_);
    shard().SessionMoved(protocol_, state_, SessionState::kLogin);
    state_ = SessionState::kLogin;
    deadline_.Arm(opened_ + plan().timeouts.login);
    engine_->Start();
  });
}

void Session::OnBytes(Side side, std::string_view bytes) {
  Half& from = half(side);
  from.in += bytes.size();
  shard().Bytes(protocol_, side, Direction::kIn, bytes.size());
  if (finished_) {
    if (side == Side::kClient) shard().Elided(protocol_, bytes.size());
    return;
  }
  Enter([&] {
    if (side == Side::kClient) client_bytes_at_ = now_;
    if (!from.pending.empty()) {
      AppendSecret(from.pending, bytes);
      return OfferPending(side);
    }
    const std::size_t consumed = Offer(side, bytes);
    if (consumed < bytes.size()) from.pending.assign(bytes.substr(consumed));
  });
}

void Session::OnDrained() {
  Enter([] {});
}

void Session::OnEnd(Side side, const Status& why) {
  if (finished_) return;
  if (side == Side::kClient && (!why.ok() || state_ == SessionState::kHandshake)) {
    // An alert of ours still reaches the client.
    if (state_ == SessionState::kHandshake) {
      return EndHandshake(CloseReason::kHandshakeFailed, Stream::How::kFlush);
    }
    // What was forwarded already still reaches the backend.
    engine_->OnAbandoned();
    return End(CloseReason::kClientReset, Stream::How::kAbort);
  }
  half(side).ended = true;
  Enter([] {});
}

// ---- the pump

std::size_t Session::Offer(Side side, std::string_view bytes) {
  return side == Side::kClient ? engine_->OnClientBytes(bytes) : engine_->OnBackendBytes(bytes);
}

void Session::OfferPending(Side side) {
  std::string& pending = half(side).pending;
  const std::size_t consumed = Offer(side, pending);
  pending.erase(0, consumed);
  if (!pending.empty()) return;
  // An idle session owns no buffer.
  if (state_ == SessionState::kLogin) Wipe(pending);
  std::string().swap(pending);
}

// Offers again what waited, until nothing moves; then tells of ends, and reads what may be read.
void Session::Settle() {
  for (bool moved = true; moved && !finished_;) {
    moved = false;
    for (const Side side : {Side::kBackend, Side::kClient}) {
      const std::size_t before = half(side).pending.size();
      if (before == 0 || finished_) continue;
      if (side == Side::kBackend && !backend_.stream) continue;
      OfferPending(side);
      moved = moved || half(side).pending.size() != before;
    }
  }
  if (!finished_) TellEnds();
  if (!finished_) AdjustReading();
  if (!finished_) NoteBusy();
}

// The idle time begins anew when the last command in flight has had its answer.
void Session::NoteBusy() {
  const bool busy = !engine_->quiet();
  if (busy_ && !busy) client_bytes_at_ = now_;
  busy_ = busy;
}

void Session::TellEnds() {
  if (backend_.ended && !backend_.end_told && (backend_.pending.empty() || ClientHasRoom())) {
    backend_.end_told = true;
    engine_->OnBackendEnd();
  }
  if (finished_ || !client_.ended || client_.end_told) return;
  if (!client_.pending.empty() && engine_->client_blocked()) return;
  client_.end_told = true;
  engine_->OnClientEnd();
}

void Session::AdjustReading() {
  const bool read_client = client_.pending.empty() || !engine_->client_blocked();
  if (read_client != client_.reading) {
    client_.reading = read_client;
    client_.stream->SetReading(read_client);
    // Unread, a client that leaves is not heard of, and this backend may never answer.
    const Instant soon = now_ + kLookAfter;
    if (!read_client && state_ == SessionState::kRelay && soon < deadline_.at())
      deadline_.Arm(soon);
  }
  if (!backend_.stream) return;
  const bool room = ClientHasRoom();
  if (room == stalled_) {
    if (room) stall_total_ += now_ - stalled_since_;
    stalled_since_ = now_;
    stalled_ = !room;
  }
  if (room == backend_.reading) return;
  backend_.reading = room;
  backend_.stream->SetReading(room);
}

// ---- EngineHost: bytes

void Session::Write(Half& to, Side side, std::string& gather, std::string_view bytes) {
  if (bytes.empty()) return;
  to.out += bytes.size();
  shard().Bytes(protocol_, side, Direction::kOut, bytes.size());
  if (bytes.size() < kDirectWrite) {
    gather.append(bytes);
    if (gather.size() < kMostGathered) return;
    bytes = {};
  }
  if (!gather.empty() && to.stream) to.stream->Write(gather);
  gather.clear();
  if (to.stream && !bytes.empty()) to.stream->Write(bytes);
}

void Session::ToClient(std::string_view bytes) {
  Write(client_, Side::kClient, worker_.client_gather(), bytes);
}

void Session::ToBackend(std::string_view bytes) {
  Write(backend_, Side::kBackend, worker_.backend_gather(), bytes);
}

void Session::FlushGathered() {
  std::string& to_backend = worker_.backend_gather();
  if (!to_backend.empty() && backend_.stream) backend_.stream->Write(to_backend);
  if (state_ == SessionState::kLogin) Wipe(to_backend.data(), to_backend.size());
  to_backend.clear();
  std::string& to_client = worker_.client_gather();
  if (!to_client.empty()) client_.stream->Write(to_client);
  to_client.clear();
}

bool Session::ClientHasRoom() const {
  return client_.stream->backlog() < (stalled_ ? kLowMark + 1 : kHighMark);
}

bool Session::BackendHasRoom() const {
  const std::size_t mark = client_.reading ? kHighMark : kLowMark + 1;
  return !backend_.stream || backend_.stream->backlog() < mark;
}

Duration Session::client_stall() const {
  return stall_total_ + (stalled_ ? now_ - stalled_since_ : Duration::zero());
}

// ---- EngineHost: the login's fate

void Session::LoggedIn() {
  dialing_.reset();
  worker_.shared().backends.Succeeded(backend_id_);
  shard().SessionMoved(protocol_, state_, SessionState::kRelay);
  state_ = SessionState::kRelay;
  client_.stream->WipeReads(false);
  ArmIdle();
}

// ---- time

void Session::ArmIdle() {
  const Plan::Timeouts& timeouts = plan().timeouts;
  deadline_.Arm(client_bytes_at_ +
                (protocol_ == Protocol::kImap ? timeouts.imap_idle : timeouts.pop3_idle));
}

void Session::OnDeadline(void* owner) {
  Session& self = *static_cast<Session*>(owner);
  if (self.finished_) return;
  if (self.state_ == SessionState::kHandshake) {
    return self.EndHandshake(CloseReason::kHandshakeTimeout, Stream::How::kAbort);
  }
  const Stream::Peer peer = self.client_.stream->peer();
  if (self.state_ == SessionState::kRelay && peer == Stream::Peer::kGone) {
    self.engine_->OnAbandoned();
    return self.End(CloseReason::kClientReset, Stream::How::kAbort);
  }
  self.Enter([&self, peer] {
    if (self.state_ == SessionState::kLogin)
      return self.engine_->OnTimeout(Engine::Timeout::kLogin);
    // Bytes came since, or a command is in flight: look again when the time could be over. For a
    // client that sends no more, a command in flight is no excuse: its answer may never come.
    const bool waits = !self.engine_->quiet() && peer == Stream::Peer::kThere;
    if (waits) self.client_bytes_at_ = self.now_;
    self.ArmIdle();
    const Instant soon = self.now_ + kLookAfter;
    if (!self.client_.reading && soon < self.deadline_.at()) self.deadline_.Arm(soon);
    if (!waits && self.deadline_.at() <= self.now_) {
      self.deadline_.Disarm();
      self.engine_->OnTimeout(Engine::Timeout::kIdle);
    }
  });
}

// ---- the end

void Session::Finish(CloseReason reason, Ending ending) {
  End(reason, ending == Ending::kOrderly ? Stream::How::kFlush : Stream::How::kAbort);
}

void Session::End(CloseReason reason, Stream::How how) {
  if (finished_) return;
  finished_ = true;
  reason_ = reason;
  how_ = how;
  if (!inside_) Close();
}

// TLS did not come about.
void Session::EndHandshake(CloseReason reason, Stream::How how) {
  shard().Handshake(listener_, {}, {}, false, false, MonotonicNow() - opened_);
  engine_->OnAbandoned();
  End(reason, how);
}

void Session::Close() {
  deadline_.Disarm();
  shard().Elided(protocol_, client_.pending.size());
  if (state_ != SessionState::kRelay) Wipe(client_.pending);
  client_.stream->Close(how_);
  CloseBackend(Stream::How::kFlush);
  dialing_.reset();
  shard().SessionClosed(protocol_, listener_, state_, reason_);
  WriteLog();
  worker_.Retire(*this);
}

void Session::Drain() {
  if (state_ == SessionState::kHandshake) {
    return EndHandshake(CloseReason::kDrained, Stream::How::kFlush);
  }
  Enter([this] { engine_->OnDrain(); });
}

void Session::DrainDeadline() {
  if (state_ == SessionState::kHandshake) {
    return EndHandshake(CloseReason::kDrainDeadline, Stream::How::kAbort);
  }
  Enter([this] { engine_->OnDrainDeadline(); });
}

}  // namespace postern
