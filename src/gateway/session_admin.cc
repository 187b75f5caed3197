// A session as operators see it, and its end when they want it.
#include "gateway/session.h"

namespace postern {
namespace {

// How long an operator waits for the boundary at which a session ends.
constexpr Duration kKickPatience = std::chrono::seconds(30);

}  // namespace

SessionInfo Session::Describe() const {
  const Instant now = keeper_.world().now();
  const TlsFacts tls = client_.stream->tls();
  SessionInfo info;
  info.id = id_;
  info.protocol = protocol_;
  info.state = state_;
  info.listener = door().name;
  info.client = address_;
  info.user = engine_->user();
  if (pool_ != kNoPool) info.pool = routes().pool(pool_).name;
  if (backend_id_ != kNoBackend) info.backend = routes().backend(backend_id_).name;
  info.tls_version = tls.version;
  info.tls_cipher = tls.cipher;
  info.age = now - opened_;
  info.idle = now - client_bytes_at_;
  info.command = engine_->waiting_for();
  info.held = held();
  if (!client_.reading) {
    info.not_reading = "client: what it sent waits for the backend";
  } else if (stalled_) {
    info.not_reading = "backend: the client does not take what was sent";
  }
  info.worker = keeper_.index();
  return info;
}

void Session::EndAtBoundary(CloseReason why) {
  if (state_ == SessionState::kHandshake || client_.securing) {
    return EndHandshake(why, Stream::How::kFlush);
  }
  Enter([this, why] { engine_->OnDrain(why); });
  if (finished_ || why != CloseReason::kKicked) return;
  // Who hangs in the middle of an answer goes without its end.
  kicked_until_ = now_ + kKickPatience;
  deadline_.Arm(kicked_until_);
}

}  // namespace postern
