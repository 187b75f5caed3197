// What operators ask of a worker's sessions.
#include <algorithm>

#include "gateway/backend_drain.h"
#include "gateway/session.h"
#include "postern/gateway/keeper.h"

namespace postern {

std::size_t Keeper::Describe(std::size_t below, std::size_t most,
                             std::vector<SessionInfo>& into) const {
  below = std::min(below, sessions_.size());
  const std::size_t end = below - std::min(below, most);
  for (; below > end; --below) into.push_back(sessions_[below - 1]->Describe());
  return below;
}

bool Keeper::Kick(std::string_view id) {
  for (const std::unique_ptr<Session>& session : sessions_) {
    if (session->id() != id) continue;
    session->Kick();
    return true;
  }
  return false;
}

void Keeper::DrainBackend(BackendId id, Duration window) {
  UndrainBackend(id);
  drains_.push_back(std::make_unique<BackendDrain>(*this, id, window));
}

void Keeper::UndrainBackend(BackendId id) {
  std::erase_if(drains_, [id](const auto& drain) { return drain->backend() == id; });
}

void Keeper::ForgetDrained(Session& session) {
  if (session.drain_place >= Session::kToldToDrain) return;
  // Its backend may have changed since it was gathered.
  for (const std::unique_ptr<BackendDrain>& drain : drains_) {
    if (drain->Has(session)) return drain->Forget(session);
  }
}

}  // namespace postern
