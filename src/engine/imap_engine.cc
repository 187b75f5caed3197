#include "postern/engine/imap_engine.h"

#include "engine/imap_core.h"
#include "engine/imap_login.h"
#include "engine/imap_relay.h"
#include "postern/engine/trouble.h"

namespace postern {
ImapEngine::ImapEngine(const EngineContext& context)
    : core_(std::make_unique<ImapCore>(context)), login_(std::make_unique<ImapLogin>(*core_)) {}

ImapEngine::~ImapEngine() = default;

void ImapEngine::Start() { login_->Greet(); }

void ImapEngine::Deny(const Refusal& refusal, CloseReason reason) {
  login_->Bye(reason, ImapText(refusal.trouble, refusal.text));
}

std::size_t ImapEngine::OnClientBytes(std::string_view bytes) {
  return relay_ ? relay_->OnClientBytes(bytes) : login_->OnClientBytes(bytes);
}

std::size_t ImapEngine::OnBackendBytes(std::string_view bytes) {
  if (relay_) return relay_->OnBackendBytes(bytes);
  std::size_t consumed = login_->OnBackendBytes(bytes);
  if (login_->done() && !core_->ended()) {
    login_.reset();
    relay_ = std::make_unique<ImapRelay>(*core_);
    consumed += relay_->OnBackendBytes(bytes.substr(consumed));
  }
  return consumed;
}

bool ImapEngine::client_blocked() const { return relay_ ? relay_->blocked() : login_->blocked(); }

void ImapEngine::OnBackendConnected(PoolId pool, BackendId backend) {
  core_->pool = pool;
  core_->backend = backend;
  login_->OnBackendConnected();
}

void ImapEngine::OnSecured(Side side) {
  if (!login_) return;
  side == Side::kClient ? login_->OnClientSecured() : login_->OnBackendSecured();
}

void ImapEngine::OnBackendFailed() { login_->OnBackendFailed(); }

void ImapEngine::OnLoginRefused(const Refusal& refusal) { login_->OnRefusal(refusal); }

void ImapEngine::OnPauseOver() {
  if (relay_) relay_->OnPauseOver();
}

void ImapEngine::OnBackendEnd() { return relay_ ? relay_->OnBackendEnd() : login_->OnBackendEnd(); }

void ImapEngine::OnClientEnd() {
  if (relay_) return relay_->OnClientEnd();
  // A login under way is not worth finishing for somebody who has left.
  login_->Abandoned();
  core_->Finish(CloseReason::kClientClosed, EngineHost::Ending::kOrderly);
}

void ImapEngine::OnTimeout(Timeout which) {
  switch (which) {
    case Timeout::kConnect:
      if (login_) login_->OnConnectTimeout();
      return;
    case Timeout::kLogin:
      if (login_) login_->OnLoginTimeout();
      return;
    case Timeout::kIdle:
      if (relay_) relay_->OnIdleTimeout();
      return;
  }
}

void ImapEngine::OnDrain(CloseReason why) {
  if (relay_) return relay_->OnDrain(why);
  login_->Bye(why, ImapText(Trouble::kUnavailable, DrainText(why)));
}

void ImapEngine::OnDrainDeadline() {
  if (relay_) return relay_->OnDrainDeadline();
  login_->Bye(CloseReason::kDrainDeadline,
              ImapText(Trouble::kUnavailable, DrainText(CloseReason::kDrained)));
}

void ImapEngine::OnAbandoned() {
  if (login_) login_->Abandoned();
  core_->finished = true;
  core_->AbortAll();
}

bool ImapEngine::quiet() const { return relay_ ? relay_->quiet() : core_->in_flight.empty(); }

std::string_view ImapEngine::user() const { return core_->user; }

std::string_view ImapEngine::waiting_for() const {
  const CommandRecord* oldest = core_->in_flight.front();
  if (oldest == nullptr) return {};
  return imap::CommandName(static_cast<imap::CommandKind>(oldest->command));
}

std::string ImapEngine::commands() const {
  return core_->counts.Json([](std::uint8_t command) {
    return imap::CommandName(static_cast<imap::CommandKind>(command));
  });
}

}  // namespace postern
