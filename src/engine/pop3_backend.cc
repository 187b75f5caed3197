// Pop3Engine: the dialogue with a backend from its greeting to its word on the login.

#include <array>
#include <utility>

#include "engine/pop3_text.h"
#include "postern/base/check.h"
#include "postern/base/text.h"
#include "postern/engine/limits.h"
#include "postern/engine/pop3_engine.h"
#include "postern/pop3/capability.h"

namespace postern {
namespace {

using Kind = pop3::Frame::Kind;

// Codes that say nothing about the password (RFC 2449 §8.1, RFC 3206): clients try again later, and
// no attempt is counted.
constexpr std::array<std::string_view, 3> kTemporaryCodes{"SYS/TEMP", "IN-USE", "LOGIN-DELAY"};

bool IsTemporary(std::string_view code) {
  for (const std::string_view temporary : kTemporaryCodes) {
    if (EqualsNoCase(code, temporary)) return true;
  }
  return false;
}

std::string_view MechanismText(Mechanism mechanism) {
  return mechanism == Mechanism::kPlain ? "PLAIN" : "USER";
}

// USER and PASS have no place for a second name, and a space at either end of a name may get lost.
bool FitsUserAndPass(const Credentials& credentials) {
  const std::string& user = credentials.user;
  if (!credentials.authzid.empty() && credentials.authzid != user) return false;
  return user.front() != ' ' && user.back() != ' ';
}

}  // namespace

bool Pop3Engine::in_dialogue() const {
  switch (state_) {
    case State::kGreeting:
    case State::kCapa:
    case State::kUser:
    case State::kPass:
    case State::kAuth:
    case State::kAuthContinue:
      return true;
    case State::kLogin:
    case State::kSasl:
    case State::kConnecting:
    case State::kRelay:
    case State::kEnding:
    case State::kDone:
      return false;
  }
  return false;
}

bool Pop3Engine::credentials_sent() const {
  return state_ == State::kUser || state_ == State::kPass || state_ == State::kAuth;
}

void Pop3Engine::OnBackendConnected(PoolId pool, BackendId backend) {
  if (state_ != State::kConnecting) return;
  pool_ = pool;
  backend_ = backend;
  login_->connected = host_.now();
  shard_.LoginPhaseDone(Protocol::kPop3, pool_, LoginPhase::kConnect,
                        login_->connected - login_->connecting);
  reply_framer_.Reset();
  login_->capabilities.clear();
  state_ = State::kGreeting;
}

void Pop3Engine::OnSecured(Side) {}

void Pop3Engine::OnBackendFailed() {
  if (state_ == State::kConnecting) LoginUnavailable(pop3::kUnavailable, {});
  EndIfClientGone();
}

std::size_t Pop3Engine::ReadDialogue(std::string_view bytes) {
  std::size_t at = 0;
  while (in_dialogue()) {
    const std::string_view rest = bytes.substr(at);
    const pop3::Frame frame = reply_framer_.Next(rest, kMaxCapabilityLine);
    if (frame.kind == Kind::kNeedMore) return at;
    if (frame.kind == Kind::kTooLong || frame.kind == Kind::kMalformed) {
      DialogueFailed(BackendFailure::kProtocol);
      break;
    }
    at += frame.size;
    OnDialogueFrame(rest.substr(0, frame.size), frame.kind);
  }
  // Through: what follows is a relay's. Not through: this backend's words no longer matter.
  if (state_ == State::kRelay) return at + ReadReplies(bytes.substr(at));
  return bytes.size();
}

void Pop3Engine::OnDialogueFrame(std::string_view bytes, Kind kind) {
  if (state_ == State::kCapa) return OnCapabilities(bytes, kind);
  const std::string_view line = bytes.substr(0, bytes.size() - 2);
  switch (state_) {
    case State::kGreeting:
      return OnGreeting(line);
    case State::kUser:
      return OnUserReply(line);
    case State::kAuthContinue:
      return OnContinuation(line);
    case State::kPass:
    case State::kAuth:
      return OnLoginReply(line);
    case State::kCapa:
    case State::kLogin:
    case State::kSasl:
    case State::kConnecting:
    case State::kRelay:
    case State::kEnding:
    case State::kDone:
      break;
  }
}

void Pop3Engine::OnGreeting(std::string_view line) {
  if (!pop3::IsOk(line)) return DialogueFailed(BackendFailure::kGreeting);
  state_ = State::kCapa;
  SendLine(Secret("CAPA"));
}

void Pop3Engine::OnCapabilities(std::string_view bytes, Kind kind) {
  if (kind == Kind::kLine) {
    // Old servers do not know CAPA; they can do the plain things.
    if (pop3::IsErr(bytes)) return SendLogin();
    if (!pop3::IsOk(bytes)) return DialogueFailed(BackendFailure::kProtocol);
    return reply_framer_.BeginBody();
  }
  if (login_->capabilities.size() + bytes.size() > kMaxCapabilityLine) {
    return DialogueFailed(BackendFailure::kProtocol);
  }
  login_->capabilities.append(bytes);
  if (kind == Kind::kBodyEnd) SendLogin();
}

void Pop3Engine::SendLogin() {
  host_.BackendGreeted();
  const pop3::Capabilities offered = pop3::ParseCapabilities(login_->capabilities);
  pipelining_ = offered.pipelining;
  if (login_->mechanism == Mechanism::kPlain && offered.sasl_plain) {
    return SendAuth(EncodePlain(login_->credentials));
  }
  if (!FitsUserAndPass(login_->credentials)) return LoginUnavailable(pop3::kCannotExpress, {});
  SendUser();
}

void Pop3Engine::SendAuth(const Secret& message) {
  Secret line("AUTH PLAIN");
  const bool fits = line.size() + 1 + message.size() + 2 <= kMaxPop3Line;
  if (fits) {
    line.Append(" ");
    line.Append(message.Reveal());
  }
  state_ = fits ? State::kAuth : State::kAuthContinue;
  SendLine(std::move(line));
}

void Pop3Engine::SendUser() {
  Secret line("USER ");
  line.Append(login_->credentials.user);
  state_ = State::kUser;
  SendLine(std::move(line));
}

void Pop3Engine::SendPass() {
  Secret line("PASS ");
  line.Append(login_->credentials.password.Reveal());
  state_ = State::kPass;
  SendLine(std::move(line));
}

void Pop3Engine::SendLine(Secret line) {
  // Whatever became part of the line was checked where it came in; here it would be too late.
  POSTERN_CHECK(line.Reveal().find_first_of(std::string_view("\0\r\n", 3)) ==
                std::string_view::npos);
  line.Append("\r\n");
  shard_.Inserted(Protocol::kPop3, line.size());
  host_.ToBackend(line.Reveal());
}

void Pop3Engine::OnUserReply(std::string_view line) {
  if (pop3::IsOk(line)) return SendPass();
  if (pop3::IsErr(line)) return LoginRefused(pop3::StatusText(line));
  DialogueFailed(BackendFailure::kProtocol);
}

void Pop3Engine::OnContinuation(std::string_view line) {
  if (pop3::IsErr(line)) return LoginRefused(pop3::StatusText(line));
  if (pop3::IsOk(line) || line.empty() || line[0] != '+') {
    return DialogueFailed(BackendFailure::kProtocol);
  }
  state_ = State::kAuth;
  SendLine(EncodePlain(login_->credentials));
}

void Pop3Engine::OnLoginReply(std::string_view line) {
  if (pop3::IsOk(line)) return LoginThrough(pop3::StatusText(line));
  if (pop3::IsErr(line)) return LoginRefused(pop3::StatusText(line));
  DialogueFailed(BackendFailure::kProtocol);
}

void Pop3Engine::LoginThrough(std::string_view text) {
  shard_.LoginPhaseDone(Protocol::kPop3, pool_, LoginPhase::kLogin,
                        host_.now() - login_->connected);
  shard_.Login(Protocol::kPop3, login_->mechanism, LoginResult::kOk);
  user_ = login_->credentials.login_name();
  host_.ToClient(pop3::StatusLine("+OK", text));
  EndCommand(CommandResult::kOk);
  login_.reset();
  state_ = State::kRelay;
  host_.LoggedIn();
}

void Pop3Engine::LoginRefused(std::string_view text) {
  const std::string_view code = pop3::ResponseCode(text);
  const bool temporary = IsTemporary(code);
  if (text.empty()) text = "login failed";
  host_.ToClient(pop3::StatusLine(code.empty() ? "-ERR [AUTH]" : "-ERR", text));
  shard_.LoginPhaseDone(Protocol::kPop3, pool_, LoginPhase::kLogin,
                        host_.now() - login_->connected);
  EndCommand(CommandResult::kErr);
  EndLogin(temporary ? LoginResult::kUnavailable : LoginResult::kFailed, {});
  if (temporary || ++attempts_ < host_.plan().limits.login_attempts) return;
  Finish(CloseReason::kLoginFailed, EngineHost::Ending::kOrderly);
}

void Pop3Engine::LoginUnavailable(std::string_view answer, std::optional<BackendFailure> failure) {
  Answer(answer);
  EndLogin(LoginResult::kUnavailable, failure);
}

void Pop3Engine::DialogueFailed(BackendFailure why) {
  if (credentials_sent()) return LoginUnavailable(pop3::kLoginLost, why);
  // Nothing of the user has been said to it, so another one may be asked.
  pool_ = kNoPool;
  backend_ = kNoBackend;
  login_->connecting = host_.now();
  state_ = State::kConnecting;
  host_.RejectBackend(why);
}

void Pop3Engine::EndLogin(LoginResult result, std::optional<BackendFailure> failure) {
  const bool connected = in_dialogue();
  shard_.Login(Protocol::kPop3, login_->mechanism, result);
  host_.LoginFailed(login_->credentials.user, MechanismText(login_->mechanism),
                    result == LoginResult::kFailed ? "failed" : "unavailable");
  pool_ = kNoPool;
  backend_ = kNoBackend;
  login_.reset();
  state_ = State::kLogin;
  if (connected) host_.DropBackend(failure);
}

}  // namespace postern
