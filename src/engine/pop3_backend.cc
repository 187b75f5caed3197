// Pop3Engine: what becomes of a login: the backend is reached, talks to Pop3BackendLogin, and says
// its word.

#include <array>
#include <utility>

#include "engine/pop3_login.h"
#include "engine/pop3_text.h"
#include "postern/base/text.h"

namespace postern {
namespace {

// Codes that say nothing about the password (RFC 2449 §8.1, RFC 3206): clients try again later, and
// no attempt is counted.
constexpr std::array<std::string_view, 3> kTemporaryCodes{"SYS/TEMP", "IN-USE", "LOGIN-DELAY"};

bool IsTemporary(std::string_view code) {
  for (const std::string_view temporary : kTemporaryCodes) {
    if (EqualsNoCase(code, temporary)) return true;
  }
  return false;
}

// A rule refuses, and no lookup and no trouble.
bool IsDenial(Trouble trouble) {
  return trouble == Trouble::kAuthorization || trouble == Trouble::kTlsRequired ||
         trouble == Trouble::kLimit;
}

LoginResult LoginResultOf(const Refusal& refusal) {
  if (refusal.trouble == Trouble::kLimit) return LoginResult::kLimit;
  const bool refused = refusal.wrong_password || IsDenial(refusal.trouble);
  return refused ? LoginResult::kFailed : LoginResult::kUnavailable;
}

std::string_view LogName(LoginResult result) {
  return result == LoginResult::kFailed ? "failed" : "unavailable";
}

// Whether the client's own password is what the backend is to hear.
bool SamePassword(const BackendAccount& account, const Credentials& credentials) {
  return account.credentials.password.Reveal() == credentials.password.Reveal();
}

}  // namespace

void Pop3Engine::OnBackendConnected(PoolId pool, BackendId backend) {
  if (state_ != State::kConnecting) return;
  pool_ = pool;
  backend_ = backend;
  login_->connected = host_.now();
  const BackendAccount* const account = host_.backend_account();
  const Pop3BackendLogin::Order order{
      account == nullptr ? login_->credentials : account->credentials,
      account == nullptr ? login_->mechanism : account->mechanism, login_->utf8,
      account != nullptr && !SamePassword(*account, login_->credentials), host_.plan().pool(pool)};
  login_->backend = std::make_unique<Pop3BackendLogin>(host_, shard_, order);
  state_ = State::kBackend;
}

void Pop3Engine::OnSecured(Side side) {
  if (side == Side::kClient && state_ == State::kStls) {
    login_->Forget();
    client_framer_ = {};
    state_ = State::kLogin;
  } else if (side == Side::kBackend && state_ == State::kBackend) {
    login_->backend->OnSecured();
    Conclude();
  }
}

void Pop3Engine::OnBackendFailed() {
  if (state_ == State::kConnecting) LoginUnavailable(pop3::kNoBackend, {});
  EndIfClientGone();
}

void Pop3Engine::OnLoginRefused(const Refusal& refusal) {
  if (state_ == State::kConnecting) RefuseLogin(refusal);
  EndIfClientGone();
}

std::size_t Pop3Engine::ReadDialogue(std::string_view bytes) {
  const std::size_t consumed = login_->backend->OnBytes(bytes);
  if (const std::optional<std::string> challenge = login_->backend->TakeChallenge()) {
    state_ = State::kChallenge;
    host_.ToClient(pop3::ChallengeLine(*challenge));
  }
  Conclude();
  // Through: what follows is a relay's. Not through: this backend's words no longer matter.
  if (state_ == State::kRelay) return consumed + ReadReplies(bytes.substr(consumed));
  const bool goes_on =
      in_dialogue() && login_->backend->verdict() == Pop3BackendLogin::Verdict::kPending;
  return goes_on ? consumed : bytes.size();
}

void Pop3Engine::Conclude() {
  using Verdict = Pop3BackendLogin::Verdict;
  // The client owes a line that must not be taken for a command.
  if (state_ == State::kChallenge) return;
  const Pop3BackendLogin& backend = *login_->backend;
  switch (backend.verdict()) {
    case Verdict::kPending:
      return;
    case Verdict::kOk:
      return LoginThrough(backend.text());
    case Verdict::kRefused:
      return LoginRefused(backend.text());
    case Verdict::kCannot:
      return LoginUnavailable(backend.complaint(), {});
    case Verdict::kUnavailable:
      return LoginUnavailable(pop3::kLoginLost, backend.failure());
    case Verdict::kUnusable:
      return TryAnotherBackend(*backend.failure());
  }
}

void Pop3Engine::ObserveLogin() {
  shard_.LoginPhaseDone(Protocol::kPop3, pool_, LoginPhase::kLogin,
                        host_.now() - login_->connected - login_->backend->tls_time());
}

void Pop3Engine::LoginThrough(std::string_view text) {
  ObserveLogin();
  if (const std::optional<Refusal> refusal = host_.Admit()) return RefuseLogin(*refusal);
  shard_.Login(Protocol::kPop3, login_->mechanism, LoginResult::kOk);
  user_ = login_->credentials.login_name();
  pipelining_ = login_->backend->pipelining();
  host_.ToClient(pop3::StatusLine("+OK", text));
  EndCommand(CommandResult::kOk);
  login_.reset();
  state_ = State::kRelay;
  host_.LoggedIn();
}

void Pop3Engine::LoginRefused(std::string_view text) {
  const bool temporary = IsTemporary(pop3::ResponseCode(text));
  host_.ToClient(pop3::RefusalLine(text));
  ObserveLogin();
  EndCommand(CommandResult::kErr);
  const LoginResult result = temporary ? LoginResult::kUnavailable : LoginResult::kFailed;
  EndLogin(result, LogName(result), {});
  if (temporary || ++login_->attempts < host_.plan().limits.login_attempts) return;
  Finish(CloseReason::kLoginFailed, EngineHost::Ending::kOrderly);
}

void Pop3Engine::RefuseLogin(const Refusal& refusal) {
  const bool limit = refusal.trouble == Trouble::kLimit;
  const bool wrong = refusal.wrong_password;
  const bool last = refusal.last;
  const bool denied = IsDenial(refusal.trouble);
  const LoginResult result = LoginResultOf(refusal);
  host_.ToClient(pop3::DenialLine(refusal.trouble, refusal.text));
  EndCommand(denied ? CommandResult::kDenied : CommandResult::kLocal);
  EndLogin(result, limit ? "limit" : denied ? "denied" : LogName(result), {});
  if (wrong && ++login_->attempts >= host_.plan().limits.login_attempts) {
    return Finish(CloseReason::kLoginFailed, EngineHost::Ending::kOrderly);
  }
  if (!last) return;
  Finish(limit ? CloseReason::kLimit : CloseReason::kRule, EngineHost::Ending::kOrderly);
}

void Pop3Engine::LoginUnavailable(const pop3::Complaint& complaint,
                                  std::optional<BackendFailure> failure) {
  Answer(complaint.Line());
  EndLogin(LoginResult::kUnavailable, LogName(LoginResult::kUnavailable), failure);
}

// Nothing of the user has been said to this one.
void Pop3Engine::TryAnotherBackend(BackendFailure why) {
  pool_ = kNoPool;
  backend_ = kNoBackend;
  login_->backend.reset();
  state_ = State::kConnecting;
  host_.RejectBackend(why);
}

void Pop3Engine::EndLogin(LoginResult result, std::string_view logged,
                          std::optional<BackendFailure> failure) {
  const bool connected = in_dialogue();
  shard_.Login(Protocol::kPop3, login_->mechanism, result);
  host_.LoginFailed(login_->credentials.login_name(), MechanismName(login_->mechanism), logged);
  pool_ = kNoPool;
  backend_ = kNoBackend;
  login_->EndAttempt();
  state_ = State::kLogin;
  if (connected) host_.DropBackend(failure);
}

}  // namespace postern
