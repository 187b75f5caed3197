#include "engine/imap_login.h"

#include <algorithm>

#include "engine/http_verb.h"
#include "postern/base/text.h"
#include "postern/engine/limits.h"
#include "postern/imap/capability.h"

namespace postern {

using imap::CommandKind;
using Step = HeadReader::Step;

namespace {

// What Postern offers before it knows the backend (DESIGN 2.8).
constexpr std::string_view kOurCapabilities = "IMAP4rev1 LITERAL+ SASL-IR ID AUTH=PLAIN";

// The commands there are before the login.
imap::CommandSet BeforeLogin() {
  imap::CommandSet set;
  for (const CommandKind kind :
       {CommandKind::kCapability, CommandKind::kNoop, CommandKind::kLogout, CommandKind::kId,
        CommandKind::kLogin, CommandKind::kAuthenticate}) {
    set.set(static_cast<std::size_t>(kind));
  }
  return set;
}

std::string_view MechanismName(Mechanism mechanism) {
  return mechanism == Mechanism::kPlain ? "PLAIN" : "LOGIN";
}

std::string_view LoginResultName(LoginResult result) {
  return result == LoginResult::kFailed ? "failed" : "unavailable";
}

}  // namespace

ImapLogin::ImapLogin(ImapCore& core) : core_(core) { core_.relayable = BeforeLogin(); }

void ImapLogin::Greet() {
  core_.host.ToClient("* OK [CAPABILITY " + std::string(kOurCapabilities) + "] " +
                      core_.host.plan().name + " ready\r\n");
}

// A line that is still coming: only AUTHENTICATE and what answers it may be longer than a LOGIN.
std::size_t ImapLogin::LineLimit(std::string_view bytes) const {
  if (state_ == State::kSasl) return kMaxSaslLine;
  if (bytes.size() < kMaxLineBeforeLogin) return kMaxLineBeforeLogin;
  const std::string_view beginning = bytes.substr(0, kMaxTag + sizeof(" AUTHENTICATE "));
  const imap::CommandStart start = imap::ParseCommandStart(beginning, kMaxTag);
  return start.kind == CommandKind::kAuthenticate ? kMaxSaslLine : kMaxLineBeforeLogin;
}

std::size_t ImapLogin::OnClientBytes(std::string_view bytes) {
  std::size_t consumed = 0;
  waits_for_room_ = false;
  while (!core_.ended() && state_ != State::kBusy && state_ != State::kDone) {
    // A client that asks and asks, and does not read what it gets.
    waits_for_room_ = consumed < bytes.size() && !core_.host.ClientHasRoom();
    if (waits_for_room_) break;
    const std::string_view rest = bytes.substr(consumed);
    if (state_ == State::kCommand && !reader_.gathered() && BeginsLikeHttp(rest)) {
      core_.Finish(CloseReason::kHttp, EngineHost::Ending::kOrderly);
      break;
    }
    const imap::Frame frame = framer_.Next(rest, LineLimit(rest));
    if (frame.kind == imap::Frame::Kind::kNeedMore) break;
    consumed += frame.size;
    if (frame.kind == imap::Frame::Kind::kLine) {
      OnLine(rest.substr(0, frame.size - 2));
    } else if (frame.kind == imap::Frame::Kind::kLiteral) {
      OnLiteral(rest.substr(0, frame.size));
    } else {
      // The tag, when the line came far enough to have one.
      if (state_ == State::kCommand) {
        reader_.First(rest.substr(0, rest.find_first_of(std::string_view("\r\n\0", 3))), {}, {});
      }
      Doubt();
    }
  }
  core_.Elide(consumed);
  return consumed;
}

void ImapLogin::OnLine(std::string_view line) {
  if (state_ == State::kSasl) return OnSaslLine(line);
  if (state_ == State::kLiteral) {
    state_ = State::kCommand;
    return OnStep(reader_.Next(line), line);
  }
  OnStep(reader_.First(line, core_.relayable, {}), line);
}

void ImapLogin::OnStep(Step step, std::string_view line) {
  switch (step) {
    case Step::kDone:
      tag_.assign(reader_.tag());
      OnCommand(reader_.gathered() ? reader_.arguments() : line.substr(reader_.start().arguments));
      break;
    case Step::kGather:
      framer_.OpenLiteral(reader_.mark().size);
      if (reader_.mark().synchronising) core_.host.ToClient("+ OK\r\n");
      state_ = State::kLiteral;
      return;
    case Step::kTooBig:
      if (!reader_.mark().synchronising) return Doubt();
      tag_.assign(reader_.tag());
      Mistake(reader_.kind(), "[TOOBIG] this literal is too long");
      break;
    case Step::kClumsy:
      tag_.assign(reader_.tag());
      Mistake(reader_.kind(), "[CLIENTBUG] " + std::string(reader_.complaint()));
      break;
    case Step::kStream:
    case Step::kDoubt:
      return Doubt();
  }
  reader_.Reset();
}

void ImapLogin::OnLiteral(std::string_view piece) {
  if (!reader_.Literal(piece)) Doubt();
}

void ImapLogin::OnCommand(std::string_view arguments) {
  const CommandKind kind = reader_.kind();
  if (kind == CommandKind::kLogin) return OnLoginArguments(arguments);
  if (kind == CommandKind::kAuthenticate) return OnAuthenticate(arguments);
  if (kind == CommandKind::kCapability) {
    core_.host.ToClient("* CAPABILITY " + std::string(kOurCapabilities) + "\r\n");
  } else if (kind == CommandKind::kId) {
    core_.host.ToClient("* ID (\"name\" \"Postern\")\r\n");
  } else if (kind == CommandKind::kLogout) {
    core_.host.ToClient("* BYE until next time\r\n");
    Answer(kind, "OK", "logged out");
    return core_.Finish(CloseReason::kLogout, EngineHost::Ending::kOrderly);
  }
  Answer(kind, "OK", "done");
}

void ImapLogin::OnLoginArguments(std::string_view arguments) {
  imap::Arguments walk(arguments);
  imap::Arguments::Argument user = walk.Next();
  imap::Arguments::Argument password = walk.Next();
  using Kind = imap::Arguments::Kind;
  const bool strings = (user.kind == Kind::kAtom || user.kind == Kind::kString) &&
                       (password.kind == Kind::kAtom || password.kind == Kind::kString);
  if (!strings) {
    return Mistake(CommandKind::kLogin, "[CLIENTBUG] LOGIN takes a name and a password");
  }
  Credentials credentials;
  credentials.user = std::move(user.value);
  credentials.password = Secret(password.value);
  Wipe(password.value);
  TryLogin(std::move(credentials), Mechanism::kLogin);
}

void ImapLogin::OnAuthenticate(std::string_view arguments) {
  arguments = arguments.substr(1, imap::TrimmedLength(arguments) - 1);
  const std::size_t space = arguments.find(' ');
  if (!EqualsNoCase(arguments.substr(0, space), "PLAIN")) {
    return Answer(CommandKind::kAuthenticate, "NO", "[CANNOT] this mechanism is not offered");
  }
  if (space != std::string_view::npos) return TryPlain(arguments.substr(space + 1));
  core_.host.ToClient("+ \r\n");
  state_ = State::kSasl;
}

void ImapLogin::OnSaslLine(std::string_view line) {
  state_ = State::kCommand;
  if (line == "*") {
    return Answer(CommandKind::kAuthenticate, "BAD", "[CLIENTBUG] authentication cancelled");
  }
  TryPlain(line);
}

void ImapLogin::TryPlain(std::string_view base64) {
  Result<Credentials> credentials = DecodePlain(base64);
  if (!credentials.ok()) {
    return Mistake(CommandKind::kAuthenticate, "[CLIENTBUG] " + credentials.error().message());
  }
  TryLogin(std::move(credentials.value()), Mechanism::kPlain);
}

void ImapLogin::TryLogin(Credentials credentials, Mechanism mechanism) {
  const Status status = CheckCredentials(credentials);
  const CommandKind kind =
      mechanism == Mechanism::kPlain ? CommandKind::kAuthenticate : CommandKind::kLogin;
  if (!status.ok()) return Mistake(kind, "[CLIENTBUG] " + status.message());
  errors_ = 0;
  credentials_ = std::move(credentials);
  mechanism_ = mechanism;
  state_ = State::kBusy;
  core_.Complete(core_.Begin(tag_, kind));
  connect_began_ = core_.host.now();
  backend_ = std::make_unique<ImapBackendLogin>(core_, credentials_, mechanism_);
  core_.host.ConnectBackend(credentials_.login_name());
}

void ImapLogin::OnBackendConnected() {
  core_.shard.LoginPhaseDone(Protocol::kImap, core_.pool, LoginPhase::kConnect,
                             core_.host.now() - connect_began_);
  connect_began_ = core_.host.now();
  backend_ = std::make_unique<ImapBackendLogin>(core_, credentials_, mechanism_);
}

std::size_t ImapLogin::OnBackendBytes(std::string_view bytes) {
  if (!backend_) return bytes.size();
  const std::size_t consumed = backend_->OnBytes(bytes);
  Settle();
  return consumed;
}

void ImapLogin::Settle() {
  switch (backend_->verdict()) {
    case ImapBackendLogin::Verdict::kPending:
      return;
    case ImapBackendLogin::Verdict::kOk:
      return Succeed();
    case ImapBackendLogin::Verdict::kRefused: {
      const bool coded = backend_->text().starts_with('[');
      const std::string text = (coded ? "" : "[AUTHENTICATIONFAILED] ") + backend_->text();
      const bool temporary =
          coded && !StartsWithNoCase(text, "[AUTH") && !StartsWithNoCase(text, "[EXPIRED");
      return Fail(Tagged(tag_, "NO", text), CommandResult::kNo,
                  temporary ? LoginResult::kUnavailable : LoginResult::kFailed, {});
    }
    case ImapBackendLogin::Verdict::kUnavailable:
      return Unavailable(backend_->failure());
    case ImapBackendLogin::Verdict::kUnusable: {
      const BackendFailure why = *backend_->failure();
      backend_.reset();
      connect_began_ = core_.host.now();
      return core_.host.RejectBackend(why);
    }
  }
}

void ImapLogin::Succeed() {
  core_.shard.LoginPhaseDone(Protocol::kImap, core_.pool, LoginPhase::kLogin,
                             core_.host.now() - connect_began_);
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

void ImapLogin::Unavailable(std::optional<BackendFailure> failure) {
  Fail(Tagged(tag_, "NO", "[UNAVAILABLE] the mail server cannot be reached, try again later"),
       CommandResult::kLocal, LoginResult::kUnavailable, failure);
}

void ImapLogin::OnBackendEnd() {
  if (!backend_) return;
  if (backend_->credentials_sent()) return Unavailable(BackendFailure::kClosed);
  backend_.reset();
  connect_began_ = core_.host.now();
  core_.host.RejectBackend(BackendFailure::kClosed);
}

void ImapLogin::OnConnectTimeout() {
  if (state_ != State::kBusy) return;
  if (backend_ && backend_->credentials_sent()) return Unavailable(BackendFailure::kTimeout);
  backend_.reset();
  core_.host.RejectBackend(BackendFailure::kTimeout);
}

void ImapLogin::OnLoginTimeout() {
  // A backend that is slow to say yes or no is not a client that is slow to ask.
  const bool busy = state_ == State::kBusy;
  if (busy) Unavailable(BackendFailure::kTimeout);
  Bye(CloseReason::kLoginTimeout,
      busy ? "[UNAVAILABLE] the mail server took too long" : "the login took too long");
}

void ImapLogin::Answer(CommandKind kind, std::string_view status, std::string_view text) {
  errors_ = 0;
  core_.CountLocal(kind);
  core_.host.ToClient(Tagged(tag_, status, text));
}

void ImapLogin::Mistake(CommandKind kind, std::string_view text) {
  core_.CountLocal(kind);
  core_.host.ToClient(Tagged(tag_.empty() ? "*" : tag_, "BAD", text));
  if (++errors_ >= kMaxErrorsBeforeLogin) Bye(CloseReason::kClientProtocol, "too many errors");
}

void ImapLogin::Doubt() {
  const bool sasl = state_ == State::kSasl;
  core_.CountLocal(sasl ? CommandKind::kAuthenticate : reader_.kind());
  const std::string_view tag = sasl ? std::string_view(tag_) : reader_.tag();
  if (!tag.empty())
    core_.host.ToClient(Tagged(tag, "BAD", "[CLIENTBUG] this cannot be read safely"));
  Bye(CloseReason::kClientProtocol, "cannot tell where this command ends");
}

void ImapLogin::Abandoned() {
  if (state_ == State::kBusy) core_.shard.Login(Protocol::kImap, mechanism_, LoginResult::kAborted);
}

void ImapLogin::Bye(CloseReason reason, std::string_view text) {
  Abandoned();
  core_.host.ToClient("* BYE " + std::string(text) + "\r\n");
  core_.Finish(reason, EngineHost::Ending::kOrderly);
}

}  // namespace postern
