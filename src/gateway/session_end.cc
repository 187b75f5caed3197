// A session's time, and its end.
#include <utility>

#include "gateway/session.h"
#include "postern/base/secret.h"

namespace postern {
namespace {

// While the client is not read: how often to ask whether it is still there.
constexpr Duration kLookAfter = std::chrono::seconds(5);

}  // namespace

void Session::ArmIdle() {
  const Plan::Timeouts& timeouts = plan().timeouts;
  deadline_.Arm(client_bytes_at_ +
                (protocol_ == Protocol::kImap ? timeouts.imap_idle : timeouts.pop3_idle));
}

void Session::SetupChanged() {
  if (judged_) {
    judged_->generation = 0;
    judged_->rules.reset();
  }
  if (state_ != SessionState::kRelay || finished_) return;
  ArmIdle();
  const Instant soon = keeper_.world().now() + kLookAfter;
  if (!client_.reading && soon < deadline_.at()) deadline_.Arm(soon);
}

void Session::OnDeadline(void* owner) {
  Session& self = *static_cast<Session*>(owner);
  if (self.finished_) return;
  if (self.state_ == SessionState::kHandshake || self.client_.securing) {
    const bool header = self.awaits_header_;
    if (self.arrival_->cut) return self.Cut();
    return self.EndHandshake(header ? CloseReason::kProxyHeader : CloseReason::kHandshakeTimeout,
                             Stream::How::kAbort);
  }
  if (self.kicked_until_ != Instant{}) {
    if (self.keeper_.world().now() >= self.kicked_until_) return self.DrainDeadline();
    return self.deadline_.Arm(self.kicked_until_);
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

// TLS did not come about, or not even the PROXY header in front of it.
void Session::EndHandshake(CloseReason reason, Stream::How how) {
  if (!awaits_header_) shard().Handshake(listener_, {}, {}, false, false, Duration::zero());
  engine_->OnAbandoned();
  End(reason, how);
}

void Session::Close() {
  deadline_.Disarm();
  shard().Elided(protocol_, client_.pending.size());
  if (state_ != SessionState::kRelay) Wipe(client_.pending);
  client_.stream->Close(how_);
  CloseBackend(Stream::How::kFlush);
  LeaveLookup();
  dialing_.reset();
  judged_.reset();
  shard().SessionClosed(protocol_, listener_, state_, reason_);
  WriteLog();
  keeper_.Retire(*this);
}

std::size_t Session::held() const {
  std::size_t held = client_.pending.size() + backend_.pending.size() + client_.stream->backlog();
  if (backend_.stream) held += backend_.stream->backlog();
  return held;
}

void Session::EndLogin() {
  Enter([this] { engine_->OnTimeout(Engine::Timeout::kLogin); });
}

// What is cut stays visibly cut.
void Session::EndForMemory() {
  if (state_ == SessionState::kHandshake || client_.securing) {
    return EndHandshake(CloseReason::kLimit, Stream::How::kAbort);
  }
  engine_->OnAbandoned();
  End(CloseReason::kLimit, Stream::How::kAbort);
}

void Session::Drain() {
  if (state_ == SessionState::kHandshake || client_.securing) {
    return EndHandshake(CloseReason::kDrained, Stream::How::kFlush);
  }
  Enter([this] { engine_->OnDrain(CloseReason::kDrained); });
}

void Session::DrainDeadline() {
  if (state_ == SessionState::kHandshake || client_.securing) {
    return EndHandshake(CloseReason::kDrainDeadline, Stream::How::kAbort);
  }
  Enter([this] { engine_->OnDrainDeadline(); });
}

}  // namespace postern
