// Pop3Engine: the client before it is logged in. All answers here are our own.

#include "engine/pop3_login.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "engine/http_verb.h"
#include "engine/pop3_text.h"
#include "postern/base/text.h"
#include "postern/engine/limits.h"
#include "postern/pop3/capability.h"

namespace postern {
namespace {

struct ClaimedClient {
  std::string_view address;
  std::uint16_t port = 0;
};

// "ADDR=192.0.2.7 PORT=50143 ..." as Dovecot's proxy says it: words we do not know are others'
// business. Nothing when no address is claimed or a word is none.
std::optional<ClaimedClient> ParseXclient(std::string_view arguments) {
  ClaimedClient claimed;
  while (!arguments.empty()) {
    const std::size_t end = std::min(arguments.find(' '), arguments.size());
    const std::string_view word = arguments.substr(0, end);
    arguments.remove_prefix(std::min(end + 1, arguments.size()));
    const std::size_t equals = word.find('=');
    if (equals == word.npos) return {};
    const std::string_view value = word.substr(equals + 1);
    if (EqualsNoCase(word.substr(0, equals), "ADDR")) claimed.address = value;
    if (!EqualsNoCase(word.substr(0, equals), "PORT")) continue;
    const std::optional<std::uint64_t> port = ParseNumber(value);
    if (!port || *port > std::numeric_limits<std::uint16_t>::max()) return {};
    claimed.port = static_cast<std::uint16_t>(*port);
  }
  if (claimed.address.starts_with('[') && claimed.address.ends_with(']')) {
    claimed.address = claimed.address.substr(1, claimed.address.size() - 2);
  }
  if (claimed.address.empty()) return {};
  return claimed;
}

}  // namespace

bool Pop3Engine::reads_login() const {
  return state_ == State::kLogin || state_ == State::kSasl || state_ == State::kChallenge;
}

std::size_t Pop3Engine::LoginLineLimit(std::string_view bytes) const {
  // Longer than a command line may be (RFC 2449 §4), because clients do put tokens behind AUTH.
  const bool sasl = state_ != State::kLogin || StartsWithNoCase(bytes, "AUTH ");
  return sasl ? kMaxSaslLine : kMaxLineBeforeLogin;
}

std::size_t Pop3Engine::ReadLogin(std::string_view bytes) {
  std::size_t at = 0;
  while (reads_login()) {
    const std::string_view rest = bytes.substr(at);
    if (!host_.ClientHasRoom()) {
      blocked_ = !rest.empty();
      return at;
    }
    if (state_ == State::kLogin && BeginsLikeHttp(rest)) {
      Finish(CloseReason::kHttp, EngineHost::Ending::kOrderly);
      return at;
    }
    const pop3::Frame frame = client_framer_.Next(rest, LoginLineLimit(rest));
    if (frame.kind == pop3::Frame::Kind::kNeedMore) return at;
    if (frame.kind != pop3::Frame::Kind::kLine) {
      RefuseFraming(frame.kind);
      return at;
    }
    at += frame.size;
    shard_.Elided(Protocol::kPop3, frame.size);
    OnLoginLine(pop3::LineText(rest, frame));
  }
  if (state_ == State::kStls) BeginTls(at < bytes.size());
  blocked_ = at < bytes.size() && state_ != State::kDone;
  return at;
}

void Pop3Engine::OnLoginLine(std::string_view line) {
  if (state_ == State::kSasl) return OnSaslLine(line);
  if (state_ == State::kChallenge) return OnChallengeAnswer(line);
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
  if (IsHidden(command.kind)) return Refuse(pop3::kNoSuchCommand);
  switch (command.kind) {
    case Kind::kUser:
    case Kind::kPass:
    case Kind::kApop:
    case Kind::kAuth:
      return OnCredentials(command);
    case Kind::kCapa:
      return OnCapa(command);
    case Kind::kStls:
      return OnStls(command);
    case Kind::kXclient:
      return OnXclient(command);
    case Kind::kUtf8:
      return OnUtf8(command);
    case Kind::kQuit:
      return OnQuit(command);
    case Kind::kOther:
    case Kind::kNoop:
    case Kind::kStat:
    case Kind::kList:
    case Kind::kRetr:
    case Kind::kDele:
    case Kind::kRset:
    case Kind::kTop:
    case Kind::kUidl:
    case Kind::kLang:
      return Refuse(pop3::kNoSuchCommand);
  }
}

ListenerPlan Pop3Engine::listener() const {
  return host_.plan().listener(host_.client_facts().listener);
}

bool Pop3Engine::may_log_in() const {
  const ClientFacts facts = host_.client_facts();
  return facts.secure || (facts.trusted && listener().tls == ListenerTls::kNone);
}

bool Pop3Engine::may_secure() const {
  return listener().tls == ListenerTls::kStarttls && !host_.client_facts().secure;
}

void Pop3Engine::OnCapa(const pop3::Command& command) {
  if (command.has_rest) return Refuse(pop3::kBadArguments);
  pop3::Offer offer;
  offer.stls = may_secure();
  if (may_log_in()) offer.mechanisms = listener().mechanisms;
  offer.utf8 = host_.common_offer().pop3_utf8;
  offer.hidden = hidden();
  Accept("+OK\r\n" + pop3::OwnCapabilities(offer));
}

void Pop3Engine::OnStls(const pop3::Command& command) {
  if (!may_secure()) return Refuse(pop3::kNoSuchCommand);
  if (command.has_rest) return Refuse(pop3::kBadArguments);
  state_ = State::kStls;
}

// Whoever sent bytes behind STLS meant them to be taken for the client's own, inside TLS (SECURITY
// T-TLS-1). Not a word more.
void Pop3Engine::BeginTls(bool more_behind) {
  if (more_behind) {
    shard_.StarttlsInjection(host_.client_facts().listener);
    return Finish(CloseReason::kStarttlsInjection, EngineHost::Ending::kOrderly);
  }
  if (in_flight_.empty()) return;
  Accept("+OK begin TLS\r\n");
  host_.StartTls(Side::kClient);
}

// Believed of those whom the listener trusts, and not before TLS where there should be TLS.
void Pop3Engine::OnXclient(const pop3::Command& command) {
  if (!host_.client_facts().trusted || !may_log_in()) return Refuse(pop3::kNoSuchCommand);
  const std::optional<ClaimedClient> claimed = ParseXclient(command.rest);
  if (!claimed || !host_.ClientSpeaksFor(claimed->address, claimed->port)) {
    return Refuse(pop3::kBadArguments);
  }
  Accept("+OK\r\n");
}

// RFC 6856 §2.1. It is listed where every backend is known to have it; clients that try are served
// where theirs has.
void Pop3Engine::OnUtf8(const pop3::Command& command) {
  if (command.has_rest) return Refuse(pop3::kBadArguments);
  login_->utf8 = true;
  Accept("+OK\r\n");
}

void Pop3Engine::OnQuit(const pop3::Command& command) {
  if (command.has_rest) return Refuse(pop3::kBadArguments);
  Accept("+OK bye\r\n");
  Finish(CloseReason::kLogout, EngineHost::Ending::kOrderly);
}

void Pop3Engine::Answer(std::string_view line) {
  host_.ToClient(line);
  EndCommand(CommandResult::kLocal);
}

void Pop3Engine::Accept(std::string_view line) {
  login_->errors = 0;
  Answer(line);
}

void Pop3Engine::Refuse(const pop3::Complaint& complaint) {
  Answer(complaint.Line());
  if (++login_->errors < kMaxErrorsBeforeLogin) return;
  Finish(CloseReason::kClientProtocol, EngineHost::Ending::kOrderly);
}

void Pop3Engine::EndBeforeLogin(CloseReason reason, const pop3::Complaint& complaint) {
  if (login_pending()) {
    const bool slow = reason == CloseReason::kLoginTimeout && state_ == State::kBackend;
    LoginUnavailable(complaint, slow ? std::optional(BackendFailure::kTimeout) : std::nullopt);
  } else if (state_ == State::kSasl) {
    Answer(complaint.Line());
  } else if (state_ != State::kStls) {
    // Within a handshake there is nobody to talk to.
    host_.ToClient(complaint.Line());
  }
  Finish(reason, EngineHost::Ending::kOrderly);
}

}  // namespace postern
