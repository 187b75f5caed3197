// How a session finds its backend: the candidates of the pool one after the other, until one
// greets.
#include <utility>

#include "gateway/session.h"
#include "postern/base/secret.h"

namespace postern {

void Session::ConnectBackend(std::string_view user) {
  Shared& shared = worker_.shared();
  pool_ = shared.routing_pool;
  dialing_ = std::make_unique<Dialing>(*this);
  dialing_->candidates = shared.backends.Choose(pool_, protocol_, user, now_);
  TryNextBackend();
}

// Dials the next candidate. With none left the deadline is due at once: the engine hears of it on a
// later turn.
void Session::TryNextBackend() {
  Dialing& dialing = *dialing_;
  dialing.attempt.reset();
  if (dialing.next >= dialing.candidates.count) {
    backend_id_ = kNoBackend;
    dialing.deadline.Arm(now_);
    return;
  }
  backend_id_ = dialing.candidates.id[dialing.next++];
  const Backend& backend = worker_.shared().backends.backend(backend_id_);
  dialing.deadline.Arm(now_ + plan().timeouts.connect);
  dialing.attempt =
      worker_.dialer().Dial(backend.address[static_cast<std::size_t>(protocol_)], *this);
}

void Session::OnDialed(Result<std::unique_ptr<Stream>> result) {
  if (finished_) return;
  Enter([&] {
    if (!result.ok()) {
      worker_.shared().backends.Failed(backend_id_, now_);
      shard().BackendFailed(backend_id_, BackendFailure::kConnect);
      return TryNextBackend();
    }
    // From inside its own callback: the attempt goes when the next one is made or the login is
    // over.
    backend_ = Half{};
    backend_.stream = std::move(result.value());
    shard().BackendSessions(backend_id_, +1);
    engine_->OnBackendConnected(pool_, backend_id_);
    backend_.stream->Start(backend_observer_);
  });
}

void Session::OnConnectDeadline(void* owner) {
  Session& self = *static_cast<Session*>(owner);
  if (self.finished_ || !self.dialing_) return;
  self.Enter([&self] {
    if (self.backend_id_ == kNoBackend) {
      self.dialing_.reset();
      return self.engine_->OnBackendFailed();
    }
    if (self.backend_.stream) return self.engine_->OnTimeout(Engine::Timeout::kConnect);
    self.worker_.shared().backends.Failed(self.backend_id_, self.now_);
    self.shard().BackendFailed(self.backend_id_, BackendFailure::kTimeout);
    self.TryNextBackend();
  });
}

void Session::BackendGreeted() {
  if (dialing_) dialing_->deadline.Disarm();
}

void Session::RejectBackend(BackendFailure why) {
  worker_.shared().backends.Failed(backend_id_, now_);
  shard().BackendFailed(backend_id_, why);
  CloseBackend(Stream::How::kAbort);
  if (!dialing_) dialing_ = std::make_unique<Dialing>(*this);
  TryNextBackend();
}

void Session::DropBackend(std::optional<BackendFailure> failure) {
  if (failure && backend_.stream) {
    worker_.shared().backends.Failed(backend_id_, now_);
    shard().BackendFailed(backend_id_, *failure);
  }
  CloseBackend(Stream::How::kFlush);
  dialing_.reset();
  pool_ = kNoPool;
  backend_id_ = kNoBackend;
}

void Session::CloseBackend(Stream::How how) {
  std::string& gathered = worker_.backend_gather();
  if (!backend_.stream) return gathered.clear();
  if (!gathered.empty()) backend_.stream->Write(gathered);
  if (state_ == SessionState::kLogin) Wipe(gathered.data(), gathered.size());
  gathered.clear();
  backend_.stream->Close(how);
  worker_.Bury(std::move(backend_.stream));
  shard().BackendSessions(backend_id_, -1);
  backend_.pending.clear();
  backend_.ended = backend_.end_told = false;
  if (stalled_) stall_total_ += now_ - stalled_since_;
  stalled_ = false;
}

}  // namespace postern
