#include "engine/pop3_backend_login.h"

#include <utility>

#include "engine/forward.h"
#include "postern/base/check.h"
#include "postern/base/text.h"
#include "postern/engine/limits.h"

namespace postern {
namespace {

using Kind = pop3::Frame::Kind;

// USER and PASS have no place for a second name, and a space at either end of a name may get lost.
bool FitsUserAndPass(const Credentials& credentials) {
  const std::string& user = credentials.user;
  if (!credentials.authzid.empty() && credentials.authzid != user) return false;
  return user.front() != ' ' && user.back() != ' ';
}

// What a Dovecot that trusts us puts into its greeting, and nowhere else.
bool OffersXclient(std::string_view greeting) {
  return StartsWithNoCase(pop3::StatusText(greeting), "[XCLIENT]");
}

}  // namespace

bool Pop3BackendLogin::credentials_sent() const {
  switch (state_) {
    case State::kUser:
    case State::kPass:
    case State::kAuth:
    case State::kChallenge:
      return true;
    case State::kGreeting:
    case State::kCapa:
    case State::kStls:
    case State::kTls:
    case State::kXclient:
    case State::kUtf8:
    case State::kAuthContinue:
      return false;
  }
  return true;
}

std::size_t Pop3BackendLogin::OnBytes(std::string_view bytes) {
  std::size_t at = 0;
  while (listening() && state_ != State::kTls) {
    const std::string_view rest = bytes.substr(at);
    const pop3::Frame frame = framer_.Next(rest, kMaxCapabilityLine);
    if (frame.kind == Kind::kNeedMore) return at;
    if (frame.kind == Kind::kTooLong || frame.kind == Kind::kMalformed) {
      Lost(BackendFailure::kProtocol);
      break;
    }
    at += frame.size;
    OnFrame(rest.substr(0, frame.size), frame.kind);
  }
  // What stands behind the +OK of STLS was not said by whom TLS will vouch for.
  if (state_ == State::kTls && at < bytes.size()) Lost(BackendFailure::kProtocol);
  if (state_ == State::kTls && listening()) host_.StartTls(Side::kBackend);
  return at;
}

void Pop3BackendLogin::OnFrame(std::string_view bytes, Kind kind) {
  if (state_ == State::kCapa) return OnCapabilities(bytes, kind);
  const std::string_view line = bytes.substr(0, bytes.size() - 2);
  switch (state_) {
    case State::kGreeting:
      return OnGreeting(line);
    case State::kStls:
      return OnStlsReply(line);
    case State::kXclient:
      return OnXclientReply(line);
    case State::kUtf8:
      return OnUtf8Reply(line);
    case State::kUser:
      return OnUserReply(line);
    case State::kAuthContinue:
      return OnContinuation(line);
    case State::kPass:
    case State::kAuth:
    case State::kChallenge:
      return OnVerdict(line);
    case State::kCapa:
    case State::kTls:
      break;
  }
}

void Pop3BackendLogin::OnGreeting(std::string_view line) {
  if (!pop3::IsOk(line)) return Lost(BackendFailure::kGreeting);
  greeted_xclient_ = OffersXclient(line);
  AskCapabilities();
}

void Pop3BackendLogin::AskCapabilities() {
  listed_.clear();
  Send(State::kCapa, Secret("CAPA"));
}

void Pop3BackendLogin::OnCapabilities(std::string_view bytes, Kind kind) {
  if (kind == Kind::kLine) {
    // Old servers do not know CAPA; they can do the plain things.
    if (pop3::IsErr(bytes)) return Secure();
    if (!pop3::IsOk(bytes)) return Lost(BackendFailure::kProtocol);
    return framer_.BeginBody();
  }
  if (listed_.size() + bytes.size() > kMaxCapabilityLine) return Lost(BackendFailure::kProtocol);
  listed_.append(bytes);
  if (kind != Kind::kBodyEnd) return;
  offered_ = pop3::ParseCapabilities(listed_);
  Secure();
}

void Pop3BackendLogin::Secure() {
  if (order_.pool.tls != PoolTls::kStarttls || secured_) return Introduce();
  if (!offered_.stls) return Lost(BackendFailure::kTls);
  Send(State::kStls, Secret("STLS"));
}

void Pop3BackendLogin::OnStlsReply(std::string_view line) {
  if (!pop3::IsOk(line)) {
    return Lost(pop3::IsErr(line) ? BackendFailure::kTls : BackendFailure::kProtocol);
  }
  state_ = State::kTls;
  handshake_began_ = host_.now();
}

// Nothing that was said before counts any more (SECURITY T-TLS-2).
void Pop3BackendLogin::OnSecured() {
  if (state_ != State::kTls || !listening()) return;
  tls_time_ += host_.now() - handshake_began_;
  secured_ = true;
  greeted_xclient_ = false;
  offered_ = {};
  framer_.Reset();
  AskCapabilities();
}

// Behind STLS there is no greeting that could offer XCLIENT. Asking costs a line, and the answer
// comes from the right one.
void Pop3BackendLogin::Introduce() {
  const bool may = greeted_xclient_ || offered_.xclient || secured_;
  if (!order_.pool.forward_xclient || !may) return SwitchToUtf8();
  const std::string line = Pop3Xclient(host_.client_facts());
  if (line.empty()) return SwitchToUtf8();
  Send(State::kXclient, Secret(line));
}

void Pop3BackendLogin::OnXclientReply(std::string_view line) {
  if (!pop3::IsOk(line) && !pop3::IsErr(line)) return Lost(BackendFailure::kProtocol);
  SwitchToUtf8();
}

// UTF8 has to come before the credentials (RFC 6856 §2.1), so the client's is said again here.
void Pop3BackendLogin::SwitchToUtf8() {
  if (!order_.utf8) return LogIn();
  if (!offered_.utf8) return Cannot(pop3::kBackendLacksUtf8);
  Send(State::kUtf8, Secret("UTF8"));
}

void Pop3BackendLogin::OnUtf8Reply(std::string_view line) {
  if (pop3::IsOk(line)) return LogIn();
  if (pop3::IsErr(line)) return Cannot(pop3::kBackendLacksUtf8);
  Lost(BackendFailure::kProtocol);
}

// PLAIN stays PLAIN and USER stays USER (DESIGN 2.6). The LOGIN exchange is said as USER and PASS,
// which every backend has, and as PLAIN where that does not do.
void Pop3BackendLogin::LogIn() {
  host_.BackendGreeted();
  if (IsOauth(order_.mechanism)) {
    if (!offered_.sasl.Has(order_.mechanism)) return Cannot(pop3::kCannotExpress);
    return SendAuth(order_.mechanism);
  }
  const bool fits = FitsUserAndPass(order_.credentials);
  const bool for_another = !order_.credentials.authzid.empty() && !fits;
  const bool plain_instead =
      for_another || (order_.mechanism == Mechanism::kLogin && (!fits || !offered_.user));
  const bool plain = order_.mechanism == Mechanism::kPlain || plain_instead;
  if (plain && offered_.sasl.Has(Mechanism::kPlain)) return SendAuth(Mechanism::kPlain);
  if (!fits) return Cannot(pop3::kCannotExpress);
  SendUser();
}

void Pop3BackendLogin::SendUser() {
  Secret line("USER ");
  line.Append(order_.credentials.user);
  Send(State::kUser, std::move(line));
}

void Pop3BackendLogin::OnUserReply(std::string_view line) {
  if (pop3::IsErr(line)) return Refused(line);
  if (!pop3::IsOk(line)) return Lost(BackendFailure::kProtocol);
  Secret pass("PASS ");
  pass.Append(order_.credentials.password.Reveal());
  Send(State::kPass, std::move(pass));
}

// A message that does not fit into a command line goes behind the continuation (RFC 5034 §4).
void Pop3BackendLogin::SendAuth(Mechanism mechanism) {
  mechanism_ = mechanism;
  const Secret message = EncodeMessage(mechanism, order_.credentials);
  Secret line("AUTH ");
  line.Append(MechanismName(mechanism));
  if (line.size() + 1 + message.size() + 2 > kMaxPop3Line) {
    return Send(State::kAuthContinue, std::move(line));
  }
  line.Append(" ");
  line.Append(message.Reveal());
  Send(State::kAuth, std::move(line));
}

void Pop3BackendLogin::OnContinuation(std::string_view line) {
  if (pop3::IsErr(line)) return Refused(line);
  if (!pop3::IsContinuation(line)) return Lost(BackendFailure::kProtocol);
  Send(State::kAuth, EncodeMessage(mechanism_, order_.credentials));
}

void Pop3BackendLogin::OnVerdict(std::string_view line) {
  if (pop3::IsErr(line)) return Refused(line);
  if (pop3::IsOk(line)) return Give(Verdict::kOk, pop3::StatusText(line));
  // How OAuth says no: a challenge, any answer to it, and then the -ERR (RFC 7628 §3.2.2).
  const bool may_challenge = state_ == State::kAuth && IsOauth(order_.mechanism);
  if (!may_challenge || !pop3::IsContinuation(line)) return Lost(BackendFailure::kProtocol);
  state_ = State::kChallenge;
  challenge_ = pop3::StatusText(line);
}

void Pop3BackendLogin::Refused(std::string_view line) {
  if (order_.stands_in) return Give(Verdict::kUnavailable, {});
  Give(Verdict::kRefused, pop3::StatusText(line));
}

void Pop3BackendLogin::Answer(std::string_view line) {
  if (!listening()) return;
  Send(State::kChallenge, Secret(line.size() > kMaxChallengeAnswer ? "*" : line));
}

void Pop3BackendLogin::Send(State next, Secret line) {
  // Whatever became part of the line was checked where it came in; here it would be too late.
  POSTERN_CHECK(line.Reveal().find_first_of(std::string_view("\0\r\n", 3)) ==
                std::string_view::npos);
  line.Append("\r\n");
  state_ = next;
  shard_.Inserted(Protocol::kPop3, line.size());
  host_.ToBackend(line.Reveal());
}

void Pop3BackendLogin::Give(Verdict verdict, std::string_view text) {
  verdict_ = verdict;
  text_ = text;
}

void Pop3BackendLogin::Cannot(const pop3::Complaint& complaint) {
  complaint_ = complaint;
  Give(Verdict::kCannot, {});
}

void Pop3BackendLogin::Lost(BackendFailure failure) {
  if (!listening()) return;
  failure_ = failure;
  Give(credentials_sent() ? Verdict::kUnavailable : Verdict::kUnusable, {});
}

}  // namespace postern
