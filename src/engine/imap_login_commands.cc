// What a client's commands before the login mean.
#include "engine/imap_login.h"
#include "postern/base/text.h"

namespace postern {

using imap::Arguments;
using imap::CommandKind;

namespace {

bool IsString(const Arguments::Argument& argument) {
  return argument.kind == Arguments::Kind::kAtom || argument.kind == Arguments::Kind::kString;
}

}  // namespace

// A login that is not taken here is refused as it begins: no literal of it is asked for, and
// nothing of it is kept (SECURITY T-TLS-3).
bool ImapLogin::RefuseLogin(Step step) {
  const CommandKind kind = reader_.kind();
  const ImapOffer offer = Offer();
  const std::optional<Trouble> why = offer.Refusal(kind);
  if (!why || step == Step::kDoubt || step == Step::kStream) return false;
  const bool mark = step == Step::kGather || step == Step::kTooBig;
  const bool coming = mark && !reader_.mark().synchronising;
  if (*why == Trouble::kTlsRequired) {
    core_.shard.PlaintextAttempt(core_.host.client_facts().listener);
  }
  tag_.assign(reader_.tag());
  Answer(kind, "NO", ImapText(*why, offer.Advice()));
  reader_.Reset();
  if (!coming) return true;
  framer_.OpenLiteral(reader_.mark().size);
  state_ = reader_.mark().size == 0 ? State::kSwallowTail : State::kSwallow;
  return true;
}

void ImapLogin::OnCommand(std::string_view arguments) {
  const CommandKind kind = reader_.kind();
  if (kind == CommandKind::kLogin) return OnLoginArguments(arguments);
  if (kind == CommandKind::kAuthenticate) return OnAuthenticate(arguments);
  if (kind == CommandKind::kStarttls) {
    // Answered when it is known that nothing stands behind it.
    core_.CountLocal(kind);
    state_ = State::kSecuring;
    return;
  }
  if (kind == CommandKind::kCapability) {
    core_.host.ToClient("* CAPABILITY " + Capabilities() + "\r\n");
  } else if (kind == CommandKind::kId) {
    return OnId(arguments);
  } else if (kind == CommandKind::kLogout) {
    core_.host.ToClient("* BYE until next time\r\n");
    Answer(kind, "OK", "logged out");
    return core_.Finish(CloseReason::kLogout, EngineHost::Ending::kOrderly);
  }
  Answer(kind, "OK", "done");
}

void ImapLogin::OnId(std::string_view arguments) {
  LearnWhoSpeaks(arguments);
  if (const std::optional<Refusal> refusal = core_.LearnId(arguments)) {
    core_.Count(CommandKind::kId, CommandResult::kDenied);
    return Bye(CloseReason::kRule, ImapText(refusal->trouble, refusal->text));
  }
  core_.host.ToClient("* ID (\"name\" \"Postern\")\r\n");
  Answer(CommandKind::kId, "OK", "done");
}

// Webmails and inner proxies say for whom they speak, once; nobody else is heard (DESIGN 2.7).
void ImapLogin::LearnWhoSpeaks(std::string_view arguments) {
  if (spoken_for_ || !core_.host.client_facts().trusted || Offer().needs_tls()) return;
  std::optional<std::string> address;
  std::optional<std::string> port;
  Arguments walk(arguments);
  if (walk.Next().kind != Arguments::Kind::kOpen) return;
  Arguments::Argument key = walk.Next();
  for (; IsString(key); key = walk.Next()) {
    Arguments::Argument value = walk.Next();
    if (!IsString(value)) return;
    if (EqualsNoCase(key.value, "x-originating-ip") && !address) address = value.value;
    if (EqualsNoCase(key.value, "x-originating-port") && !port) port = value.value;
  }
  if (key.kind != Arguments::Kind::kClose || !address) return;
  const std::uint64_t number = ParseNumber(port.value_or("")).value_or(0);
  spoken_for_ = core_.host.ClientSpeaksFor(
      *address, number <= 0xFFFF ? static_cast<std::uint16_t>(number) : std::uint16_t{0});
}

void ImapLogin::OnLoginArguments(std::string_view arguments) {
  Arguments walk(arguments);
  Arguments::Argument user = walk.Next();
  Arguments::Argument password = walk.Next();
  if (!IsString(user) || !IsString(password)) {
    Wipe(password.value);
    return Mistake(CommandKind::kLogin,
                   ImapText(Trouble::kClientBug, "LOGIN takes a name and a password"));
  }
  Credentials credentials;
  credentials.user = std::move(user.value);
  credentials.password = Secret(password.value);
  Wipe(password.value);
  const Status status = CheckCredentials(credentials);
  if (!status.ok()) {
    return Mistake(CommandKind::kLogin, ImapText(Trouble::kClientBug, status.message()));
  }
  TryLogin(std::move(credentials), Mechanism::kLogin, CommandKind::kLogin);
}

void ImapLogin::OnAuthenticate(std::string_view arguments) {
  arguments = arguments.substr(1, imap::TrimmedLength(arguments) - 1);
  const std::size_t space = arguments.find(' ');
  const std::optional<Mechanism> mechanism = SaslMechanismOf(arguments.substr(0, space));
  const bool offered = mechanism && Offer().Has(*mechanism) &&
                       !Hides("AUTH=" + std::string(MechanismName(*mechanism)));
  if (!offered) {
    return Answer(CommandKind::kAuthenticate, "NO",
                  ImapText(Trouble::kMechanism, "this mechanism is not offered"));
  }
  std::optional<std::string_view> initial_response;
  if (space != std::string_view::npos) initial_response = arguments.substr(space + 1);
  sasl_.emplace(*mechanism);
  OnSasl(sasl_->Begin(initial_response));
}

void ImapLogin::OnSasl(SaslExchange::Outcome outcome) {
  state_ = State::kCommand;
  switch (outcome) {
    case SaslExchange::Outcome::kChallenge:
      state_ = State::kSasl;
      return core_.host.ToClient("+ " + std::string(sasl_->challenge()) + "\r\n");
    case SaslExchange::Outcome::kCredentials:
      TryLogin(sasl_->Take(), sasl_->mechanism(), CommandKind::kAuthenticate);
      break;
    case SaslExchange::Outcome::kCancelled:
      Answer(CommandKind::kAuthenticate, "BAD",
             ImapText(Trouble::kCancelled, "authentication cancelled"));
      break;
    case SaslExchange::Outcome::kMalformed:
      Mistake(CommandKind::kAuthenticate, ImapText(Trouble::kClientBug, sasl_->complaint()));
      break;
  }
  sasl_.reset();
}

void ImapLogin::TryLogin(Credentials credentials, Mechanism mechanism, CommandKind kind) {
  errors_ = 0;
  credentials_ = std::move(credentials);
  mechanism_ = mechanism;
  state_ = State::kBusy;
  core_.Complete(core_.Begin(tag_, kind));
  core_.host.ConnectBackend(credentials_, mechanism_);
}

// What the client has to say to the backend's reason goes there as it is, if it is short
// (DESIGN 2.15). An answer of the backend that came too early is told now.
void ImapLogin::OnChallengeAnswer(std::string_view line) {
  state_ = State::kBusy;
  if (backend_->verdict() == ImapBackendLogin::Verdict::kPending) {
    backend_->AnswerChallenge(line.size() <= kMaxChallengeAnswer ? line : "*");
  }
  Settle();
}

}  // namespace postern
