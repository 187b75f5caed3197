// How a login ends: what the backend leg comes to, and what the client is told of it.
#include "engine/imap_hide.h"
#include "engine/imap_login.h"
#include "postern/base/text.h"
#include "postern/imap/capability.h"

namespace postern {
namespace {

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
      return Fail(ImapText(Trouble::kMechanism, "the mail server has no such mechanism"), {});
    case ImapBackendLogin::Verdict::kUnavailable:
      return Unavailable(backend_->failure());
    case ImapBackendLogin::Verdict::kUnusable:
      return Reject(*backend_->failure());
  }
}

void ImapLogin::Succeed() {
  core_.shard.LoginPhaseDone(Protocol::kImap, core_.pool, LoginPhase::kLogin,
                             core_.host.now() - connected_at_);
  if (const std::optional<Refusal> refusal = core_.host.Admit()) return OnRefusal(*refusal);
  const std::string& listed = backend_->capabilities();
  const imap::CapabilitySet known = imap::CapabilitySet::Parse(listed);
  core_.relayable = imap::RelayableCommands(known);
  core_.backend_has_id = known.Has("ID");
  core_.append_forms = imap::AppendFormsOf(known);
  core_.user.assign(credentials_.login_name());
  core_.Rewritten(Rewrite::kCapability);
  std::string alerts = backend_->alerts();
  std::string text = backend_->text();
  const SessionRules* rules = core_.host.rules();
  if (rules != nullptr && rules->hides_mailboxes()) {
    alerts = NeutralStatuses(*rules, alerts);
    if (MentionsHidden(*rules, text)) text.clear();
  }
  const std::string code = "[CAPABILITY " + core_.Capabilities(listed) + "] ";
  core_.host.ToClient(alerts + Tagged(tag_, "OK", code + (text.empty() ? "logged in" : text)));
  core_.shard.Login(Protocol::kImap, mechanism_, LoginResult::kOk);
  core_.End(*core_.in_flight.front(), CommandResult::kOk);
  state_ = State::kDone;
  core_.host.LoggedIn();
}

void ImapLogin::Refused() {
  const std::string text = backend_->text();
  const bool coded = text.starts_with('[');
  Failure failure;
  failure.command = CommandResult::kNo;
  failure.wrong_password = BlamesCredentials(text);
  if (failure.wrong_password) failure.login = LoginResult::kFailed;
  Fail(coded ? text : ImapText(Trouble::kCredentials, text), failure);
}

void ImapLogin::Unavailable(std::optional<BackendFailure> failure) {
  Failure why;
  why.backend = failure;
  Fail(ImapText(Trouble::kUnavailable, "the mail server cannot be reached, try again later"), why);
}

void ImapLogin::OnRefusal(const Refusal& refusal) {
  if (state_ != State::kBusy) return;
  const bool rule = refusal.trouble == Trouble::kAuthorization ||
                    refusal.trouble == Trouble::kTlsRequired || refusal.trouble == Trouble::kLimit;
  const bool limit = refusal.trouble == Trouble::kLimit;
  Failure failure;
  if (rule) failure.command = CommandResult::kDenied;
  if (rule) failure.logged = "denied";
  if (limit) failure.logged = "limit";
  failure.login = limit                            ? LoginResult::kLimit
                  : refusal.wrong_password || rule ? LoginResult::kFailed
                                                   : LoginResult::kUnavailable;
  failure.wrong_password = refusal.wrong_password;
  const bool last = refusal.last;
  Fail(ImapText(refusal.trouble, refusal.text), failure);
  if (!last || core_.ended()) return;
  Bye(limit ? CloseReason::kLimit : CloseReason::kRule, "logging in is over");
}

void ImapLogin::Reject(BackendFailure failure) {
  backend_.reset();
  core_.host.RejectBackend(failure);
}

void ImapLogin::Fail(std::string_view text, const Failure& failure) {
  const bool failed = failure.login == LoginResult::kFailed;
  const std::string line = Tagged(tag_, "NO", text);
  core_.shard.Login(Protocol::kImap, mechanism_, failure.login);
  core_.host.LoginFailed(
      credentials_.login_name(), MechanismName(mechanism_),
      !failure.logged.empty() ? failure.logged : (failed ? "failed" : "unavailable"));
  core_.host.ToClient(line);
  core_.End(*core_.in_flight.front(), failure.command);
  core_.host.DropBackend(failure.backend);
  core_.pool = kNoPool;
  core_.backend = kNoBackend;
  backend_.reset();
  credentials_ = Credentials{};
  state_ = State::kCommand;
  // Trouble of ours or of a backend is no attempt at a password.
  if (failure.wrong_password && ++attempts_ >= core_.host.plan().limits.login_attempts) {
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
