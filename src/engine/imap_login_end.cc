// How a login ends: what the backend leg comes to, and what the client is told of it.
#include "engine/imap_login.h"
#include "postern/base/text.h"
#include "postern/imap/capability.h"

namespace postern {
namespace {

std::string_view LoginResultName(LoginResult result) {
  return result == LoginResult::kFailed ? "failed" : "unavailable";
}

// Whether a backend's code says that the credentials are wrong, and not that it is out of order.
bool BlamesCredentials(std::string_view text) {
  if (!text.starts_with('[')) return true;
  return StartsWithNoCase(text.substr(1), "AUTH") || StartsWithNoCase(text.substr(1), "EXPIRED");
}

}  // namespace

void ImapLogin::OnBackendConnected() {
  connected_at_ = core_.host.now();
  backend_ = std::make_unique<ImapBackendLogin>(core_, credentials_, mechanism_);
}

std::size_t ImapLogin::OnBackendBytes(std::string_view bytes) {
  if (!backend_) return bytes.size();
  const std::size_t consumed = backend_->OnBytes(bytes);
  if (const std::optional<std::string> challenge = backend_->TakeChallenge()) {
    state_ = State::kChallenge;
    core_.host.ToClient("+ " + *challenge + "\r\n");
  }
  Settle();
  return consumed;
}

void ImapLogin::OnBackendSecured() {
  if (backend_) backend_->OnSecured();
}

void ImapLogin::Settle() {
  // The client owes a line that must not be taken for a command.
  if (state_ == State::kChallenge) return;
  switch (backend_->verdict()) {
    case ImapBackendLogin::Verdict::kPending:
      return;
    case ImapBackendLogin::Verdict::kOk:
      return Succeed();
    case ImapBackendLogin::Verdict::kRefused:
      return Refused();
    case ImapBackendLogin::Verdict::kNoMechanism:
      return Fail(Tagged(tag_, "NO",
                         ImapText(Trouble::kMechanism, "the mail server has no such mechanism")),
                  CommandResult::kLocal, LoginResult::kUnavailable, {});
    case ImapBackendLogin::Verdict::kUnavailable:
      return Unavailable(backend_->failure());
    case ImapBackendLogin::Verdict::kUnusable:
      return Reject(*backend_->failure());
  }
}

void ImapLogin::Succeed() {
  core_.shard.LoginPhaseDone(Protocol::kImap, core_.pool, LoginPhase::kLogin,
                             core_.host.now() - connected_at_);
  const std::string& listed = backend_->capabilities();
  const imap::CapabilitySet known = imap::CapabilitySet::Parse(listed);
  core_.relayable = imap::RelayableCommands(known);
  core_.backend_has_id = known.Has("ID");
  core_.append_forms = imap::AppendFormsOf(known);
  core_.user.assign(credentials_.login_name());
  core_.Rewritten(Rewrite::kCapability);
  const std::string& text = backend_->text();
  core_.host.ToClient(backend_->alerts() +
                      Tagged(tag_, "OK",
                             "[CAPABILITY " + imap::FilterCapabilities(listed) + "] " +
                                 (text.empty() ? "logged in" : text)));
  core_.shard.Login(Protocol::kImap, mechanism_, LoginResult::kOk);
  core_.End(*core_.in_flight.front(), CommandResult::kOk);
  state_ = State::kDone;
  core_.host.LoggedIn();
}

void ImapLogin::Refused() {
  const std::string& text = backend_->text();
  const bool coded = text.starts_with('[');
  Fail(Tagged(tag_, "NO", coded ? text : ImapText(Trouble::kCredentials, text)), CommandResult::kNo,
       BlamesCredentials(text) ? LoginResult::kFailed : LoginResult::kUnavailable, {});
}

void ImapLogin::Unavailable(std::optional<BackendFailure> failure) {
  Fail(
      Tagged(tag_, "NO",
             ImapText(Trouble::kUnavailable, "the mail server cannot be reached, try again later")),
      CommandResult::kLocal, LoginResult::kUnavailable, failure);
}

void ImapLogin::Reject(BackendFailure failure) {
  backend_.reset();
  core_.host.RejectBackend(failure);
}

void ImapLogin::Fail(std::string line, CommandResult result, LoginResult login,
                     std::optional<BackendFailure> failure) {
  core_.shard.Login(Protocol::kImap, mechanism_, login);
  core_.host.LoginFailed(credentials_.login_name(), MechanismName(mechanism_),
                         LoginResultName(login));
  core_.host.ToClient(line);
  core_.End(*core_.in_flight.front(), result);
  core_.host.DropBackend(failure);
  core_.pool = kNoPool;
  core_.backend = kNoBackend;
  backend_.reset();
  credentials_ = Credentials{};
  state_ = State::kCommand;
  // Trouble of ours or of a backend is no attempt at a password.
  if (login == LoginResult::kFailed && ++attempts_ >= core_.host.plan().limits.login_attempts) {
    Bye(CloseReason::kLoginFailed, "too many logins failed");
  }
}

void ImapLogin::OnBackendFailed() {
  if (state_ == State::kBusy) Unavailable({});
}

void ImapLogin::OnBackendEnd() {
  if (!backend_) return;
  backend_->OnLost(BackendFailure::kClosed);
  Settle();
}

void ImapLogin::OnConnectTimeout() {
  if (state_ != State::kBusy) return;
  if (!backend_) return core_.host.RejectBackend(BackendFailure::kTimeout);
  backend_->OnLost(BackendFailure::kTimeout);
  Settle();
}

void ImapLogin::OnLoginTimeout() {
  // A backend that is slow to say yes or no is not a client that is slow to ask.
  const bool busy = state_ == State::kBusy;
  if (busy) Unavailable(BackendFailure::kTimeout);
  Bye(CloseReason::kLoginTimeout,
      busy ? ImapText(Trouble::kUnavailable, "the mail server took too long")
           : "the login took too long");
}

}  // namespace postern
