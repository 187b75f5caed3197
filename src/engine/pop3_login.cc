// Pop3Engine: the client before it is logged in. All answers here are our own.

#include <utility>

#include "engine/http_verb.h"
#include "engine/pop3_text.h"
#include "postern/base/text.h"
#include "postern/engine/limits.h"
#include "postern/engine/pop3_engine.h"
#include "postern/pop3/capability.h"

namespace postern {

std::size_t Pop3Engine::ReadLogin(std::string_view bytes) {
  std::size_t at = 0;
  while (state_ == State::kLogin || state_ == State::kSasl) {
    const std::string_view rest = bytes.substr(at);
    if (!host_.ClientHasRoom()) {
      blocked_ = !rest.empty();
      return at;
    }
    if (state_ == State::kLogin && BeginsLikeHttp(rest)) {
      Finish(CloseReason::kHttp, EngineHost::Ending::kOrderly);
      return at;
    }
    const bool sasl = state_ == State::kSasl || StartsWithNoCase(rest, "AUTH ");
    const pop3::Frame frame = client_framer_.Next(rest, sasl ? kMaxSaslLine : kMaxLineBeforeLogin);
    if (frame.kind == pop3::Frame::Kind::kNeedMore) return at;
    if (frame.kind != pop3::Frame::Kind::kLine) {
      RefuseFraming(frame.kind);
      return at;
    }
    at += frame.size;
    shard_.Elided(Protocol::kPop3, frame.size);
    OnLoginLine(pop3::LineText(rest, frame));
  }
  blocked_ = at < bytes.size() && state_ != State::kDone;
  return at;
}

void Pop3Engine::OnLoginLine(std::string_view line) {
  if (state_ == State::kSasl) return OnSaslLine(line);
  pop3::Command command = pop3::ParseCommand(line);
  // A password may end in spaces; everywhere else they are clumsiness.
  if (command.kind != pop3::CommandKind::kPass) {
    command = pop3::ParseCommand(pop3::TrimSpaces(line));
  }
  BeginCommand(command.kind);
  OnLoginCommand(command);
}

void Pop3Engine::OnLoginCommand(const pop3::Command& command) {
  using Kind = pop3::CommandKind;
  switch (command.kind) {
    case Kind::kUser:
      return OnUser(command);
    case Kind::kPass:
      return OnPass(command);
    case Kind::kAuth:
      return OnAuth(command);
    case Kind::kCapa:
      if (command.has_rest) return Refuse(pop3::kBadArguments);
      return Accept(std::string("+OK\r\n").append(pop3::OwnCapabilities()));
    case Kind::kQuit:
      if (command.has_rest) return Refuse(pop3::kBadArguments);
      Accept("+OK bye\r\n");
      return Finish(CloseReason::kLogout, EngineHost::Ending::kOrderly);
    case Kind::kOther:
    case Kind::kApop:
    case Kind::kStls:
    case Kind::kNoop:
    case Kind::kStat:
    case Kind::kList:
    case Kind::kRetr:
    case Kind::kDele:
    case Kind::kRset:
    case Kind::kTop:
    case Kind::kUidl:
    case Kind::kUtf8:
    case Kind::kLang:
    case Kind::kXclient:
      return Refuse(pop3::kNoSuchCommand);
  }
}

void Pop3Engine::OnUser(const pop3::Command& command) {
  if (command.rest.empty()) return Refuse(pop3::kBadArguments);
  if (command.rest.size() > kMaxUser) return Refuse(pop3::kLongLine);
  if (!login_) login_ = std::make_unique<Login>();
  login_->user = command.rest;
  Accept("+OK\r\n");
}

void Pop3Engine::OnPass(const pop3::Command& command) {
  if (!login_ || login_->user.empty()) return Refuse("-ERR USER comes first\r\n");
  if (!command.has_rest) return Refuse(pop3::kBadArguments);
  Credentials credentials;
  credentials.user = login_->user;
  credentials.password = Secret(command.rest);
  if (!CheckCredentials(credentials).ok()) return Refuse(pop3::kBadArguments);
  Connect(std::move(credentials), Mechanism::kUser);
}

void Pop3Engine::OnAuth(const pop3::Command& command) {
  // Without an argument: the list of mechanisms, as servers have long answered it.
  if (!command.has_rest) return Accept("+OK\r\nPLAIN\r\n.\r\n");
  const std::size_t space = command.rest.find(' ');
  if (!EqualsNoCase(command.rest.substr(0, space), "PLAIN")) {
    return Refuse("-ERR no such mechanism\r\n");
  }
  if (space != command.rest.npos) return OnPlain(command.rest.substr(space + 1));
  host_.ToClient("+ \r\n");
  state_ = State::kSasl;
}

void Pop3Engine::OnSaslLine(std::string_view line) {
  state_ = State::kLogin;
  // Its last line is what a command's time begins with.
  CommandRecord& record = *in_flight_.front();
  record.start = host_.now();
  record.stall_at_start = host_.client_stall();
  // Cancelled (RFC 5034 §4): neither an error nor an attempt.
  if (line == "*") return Answer("-ERR cancelled\r\n");
  OnPlain(line);
}

void Pop3Engine::OnPlain(std::string_view base64) {
  Result<Credentials> credentials = DecodePlain(base64);
  if (!credentials.ok()) return Refuse("-ERR " + credentials.error().message() + "\r\n");
  Connect(std::move(credentials.value()), Mechanism::kPlain);
}

void Pop3Engine::Connect(Credentials credentials, Mechanism mechanism) {
  errors_ = 0;
  if (!login_) login_ = std::make_unique<Login>();
  login_->credentials = std::move(credentials);
  login_->mechanism = mechanism;
  login_->connecting = host_.now();
  state_ = State::kConnecting;
  host_.ConnectBackend(login_->credentials.login_name());
}

void Pop3Engine::Answer(std::string_view line) {
  host_.ToClient(line);
  EndCommand(CommandResult::kLocal);
}

void Pop3Engine::Accept(std::string_view line) {
  errors_ = 0;
  Answer(line);
}

void Pop3Engine::Refuse(std::string_view line) {
  Answer(line);
  if (++errors_ < kMaxErrorsBeforeLogin) return;
  Finish(CloseReason::kClientProtocol, EngineHost::Ending::kOrderly);
}

void Pop3Engine::EndBeforeLogin(CloseReason reason, std::string_view line) {
  if (login_pending()) {
    const bool slow = reason == CloseReason::kLoginTimeout && in_dialogue();
    LoginUnavailable(line, slow ? std::optional(BackendFailure::kTimeout) : std::nullopt);
  } else if (state_ == State::kSasl) {
    Answer(line);
  } else {
    host_.ToClient(line);
  }
  Finish(reason, EngineHost::Ending::kOrderly);
}

}  // namespace postern
