// How a session finds its backend: the candidates of the pool one after the other, until one
// greets.
#include <utility>

#include "gateway/session.h"
#include "postern/base/secret.h"

namespace postern {

// Dials the next candidate. With none left the deadline is due at once: the engine hears of it on a
// later turn.
void Session::TryNextBackend() {
  Dialing& dialing = *dialing_;
  dialing.attempt.reset();
  dialing.queue.reset();
  backend_id_ = kNoBackend;
  while (backend_id_ == kNoBackend && dialing.next < dialing.candidates.count) {
    const BackendId id = dialing.candidates.id[dialing.next++];
    // A queue that is full says nothing about the backend's health.
    if (dialing.queue.emplace(keeper_.shared().health, id).taken()) backend_id_ = id;
  }
  if (backend_id_ == kNoBackend) return dialing.deadline.Arm(now_);
  const Backend& backend = routes().backend(backend_id_);
  dialing.began = now_;
  dialing.deadline.Arm(now_ + plan().timeouts.connect);
  dialing.attempt =
      keeper_.world().dialer().Dial(backend.address[static_cast<std::size_t>(protocol_)], *this);
}

void Session::BackendFailedWith(BackendFailure why) {
  keeper_.shared().health.Failed(backend_id_, now_);
  shard().BackendFailed(backend_id_, why);
}

void Session::OnDialed(Result<std::unique_ptr<Stream>> result) {
  if (finished_) return;
  Enter([&] {
    if (!result.ok()) {
      BackendFailedWith(BackendFailure::kConnect);
      return TryNextBackend();
    }
    shard().LoginPhaseDone(protocol_, pool_, LoginPhase::kConnect, now_ - dialing_->began);
    dialing_->began = now_;
    // From inside its own callback: the attempt goes when the next one is made or the login is
    // over.
    backend_ = Half{};
    backend_.stream = std::move(result.value());
    shard().BackendSessions(backend_id_, +1);
    keeper_.shared().health.SessionOpened(backend_id_);
    const Pool& pool = routes().pool(pool_);
    if (pool.forward_proxy2) {
      backend_.stream->Write(EncodeProxyHeader(arrival_->client, arrival_->local));
    }
    if (pool.tls == PoolTls::kImplicit) {
      const Backend& backend = routes().backend(backend_id_);
      backend_.stream = keeper_.world().SecureBackend(
          pool_, std::move(backend_.stream), backend.tls_name[static_cast<std::size_t>(protocol_)]);
      backend_.securing = true;
    }
    backend_.stream->Start(backend_observer_);
  });
}

// The backend's stream carries the protocol, or its TLS is there.
void Session::BackendOpen() {
  if (backend_.securing) {
    shard().LoginPhaseDone(protocol_, pool_, LoginPhase::kTls, now_ - dialing_->began);
    backend_.securing = false;
  }
  if (backend_.open) return engine_->OnSecured(Side::kBackend);
  backend_.open = true;
  engine_->OnBackendConnected(pool_, backend_id_);
}

// No fallback: what is wrong with its TLS is wrong with the backend.
void Session::BackendTlsFailed(const Status& why) {
  keeper_.shared().log.Write(
      std::move(LogLine("backend_tls_failed")
                    .Text("id", id_)
                    .Text("pool", routes().pool(pool_).name)
                    .Text("backend", routes().backend(backend_id_).name)
                    .Text("reason", why.ok() ? "closed during the handshake" : why.message())));
  backend_.tls_failed = true;
  backend_.ended = backend_.end_told = true;
  if (backend_.open) return engine_->OnBackendEnd();
  RejectBackend(BackendFailure::kTls);
}

void Session::OnConnectDeadline(void* owner) {
  Session& self = *static_cast<Session*>(owner);
  if (self.finished_ || !self.dialing_) return;
  self.Enter([&self] {
    if (self.dialing_->step == Dialing::Step::kDelay) return self.AskLookups();
    if (self.dialing_->step == Dialing::Step::kRefuse) {
      // The engine's answer may end the attempt that the words belong to.
      const std::unique_ptr<Dialing> dialing = std::move(self.dialing_);
      return self.engine_->OnLoginRefused(dialing->refusal);
    }
    if (self.backend_id_ == kNoBackend) {
      self.dialing_.reset();
      return self.engine_->OnBackendFailed();
    }
    if (self.backend_.stream && self.backend_.open) {
      return self.engine_->OnTimeout(Engine::Timeout::kConnect);
    }
    self.RejectBackend(BackendFailure::kTimeout);
  });
}

void Session::BackendGreeted() {
  if (!dialing_) return;
  dialing_->deadline.Disarm();
  dialing_->queue.reset();
}

void Session::RejectBackend(BackendFailure why) {
  BackendFailedWith(backend_.tls_failed ? BackendFailure::kTls : why);
  CloseBackend(Stream::How::kAbort);
  backend_.tls_failed = false;
  if (!dialing_) dialing_ = std::make_unique<Dialing>(*this);
  TryNextBackend();
}

void Session::DropBackend(std::optional<BackendFailure> failure) {
  if (failure && backend_.stream) {
    BackendFailedWith(backend_.tls_failed ? BackendFailure::kTls : *failure);
  }
  CloseBackend(Stream::How::kFlush);
  LeaveLookup();
  dialing_.reset();
  pool_ = kNoPool;
  backend_id_ = kNoBackend;
}

void Session::CloseBackend(Stream::How how) {
  std::string& gathered = keeper_.backend_gather();
  if (!backend_.stream) return gathered.clear();
  if (!gathered.empty()) backend_.stream->Write(gathered);
  if (state_ == SessionState::kLogin) Wipe(gathered.data(), gathered.size());
  gathered.clear();
  backend_.stream->Close(how);
  keeper_.Bury(std::move(backend_.stream));
  shard().BackendSessions(backend_id_, -1);
  keeper_.shared().health.SessionClosed(backend_id_);
  backend_.pending.clear();
  backend_.ended = backend_.end_told = backend_.tls_due = backend_.securing = false;
  if (stalled_) stall_total_ += now_ - stalled_since_;
  stalled_ = false;
}

}  // namespace postern
