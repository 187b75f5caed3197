#include "postern/base/text.h"
#include "postern/engine/limits.h"
#include "postern/pop3/capability.h"
#include "server/probe_dialogue.h"

namespace postern {
namespace {

using Kind = pop3::Frame::Kind;

// Of the backend's words in a complaint.
constexpr std::size_t kMaxQuoted = 128;

bool Begins(std::string_view line, std::string_view word) {
  return StartsWithNoCase(line, word) && (line.size() == word.size() || line[word.size()] == ' ');
}

bool IsOk(std::string_view line) { return Begins(line, "+OK"); }

}  // namespace

std::string_view Pop3Probe::awaited() const {
  switch (state_) {
    case State::kGreeting:
      return "its greeting";
    case State::kCapa:
      return "its capabilities";
    case State::kStls:
      return "its answer to STLS";
    case State::kSecuring:
      return "its TLS";
    case State::kUser:
    case State::kAuth:
    case State::kLogin:
      return "its answer to the login";
  }
  return {};
}

ProbeVerdict Pop3Probe::OnBytes(std::string_view bytes) {
  input_.append(bytes);
  std::size_t used = 0;
  ProbeVerdict verdict = ProbeVerdict::kGoing;
  while (verdict == ProbeVerdict::kGoing) {
    const std::string_view rest = std::string_view(input_).substr(used);
    const pop3::Frame frame = framer_.Next(rest, kMaxCapabilityLine);
    if (frame.kind == Kind::kNeedMore) break;
    used += frame.size;
    verdict = OnFrame(frame, rest.substr(0, frame.size));
  }
  // Bytes in front of TLS would be believed behind it.
  if (verdict == ProbeVerdict::kStartTls && used < input_.size()) {
    return Fail("bytes came behind its answer to STLS");
  }
  input_.erase(0, used);
  return verdict;
}

ProbeVerdict Pop3Probe::OnFrame(const pop3::Frame& frame, std::string_view bytes) {
  switch (frame.kind) {
    case Kind::kLine:
      return OnLine(bytes.substr(0, bytes.size() - 2));
    case Kind::kBody:
    case Kind::kBodyEnd:
      if (listed_.size() + bytes.size() > kMaxCapabilityLine) {
        return Fail("its list of capabilities has no end");
      }
      listed_.append(bytes);
      return frame.kind == Kind::kBodyEnd ? OnCapabilities() : ProbeVerdict::kGoing;
    case Kind::kNeedMore:
    case Kind::kTooLong:
    case Kind::kMalformed:
      break;
  }
  return Fail("it does not speak POP3");
}

ProbeVerdict Pop3Probe::OnLine(std::string_view line) {
  const bool ok = IsOk(line);
  const bool continues = Begins(line, "+") && state_ == State::kAuth;
  if (!ok && !continues && !Begins(line, "-ERR")) return Fail("it does not speak POP3", line);
  switch (state_) {
    case State::kGreeting:
      return ok ? Ask(State::kCapa, "CAPA") : Fail("its greeting is no welcome", line);
    case State::kCapa:
      // Old servers do not know CAPA; they can do the plain things.
      if (!ok) return OnCapabilities();
      framer_.BeginBody();
      return ProbeVerdict::kGoing;
    case State::kStls:
      if (!ok) return Fail("it refused STLS", line);
      state_ = State::kSecuring;
      return ProbeVerdict::kStartTls;
    case State::kUser:
      if (!ok) return Fail("it refused the login", line);
      output_.Append("PASS ");
      output_.Append(login_->password.Reveal());
      return Ask(State::kLogin, {});
    case State::kAuth:
      if (!continues) return Fail("it refused the login", line);
      output_.Append(EncodeMessage(Mechanism::kPlain, *login_).Reveal());
      return Ask(State::kLogin, {});
    case State::kLogin:
      return ok ? Pass() : Fail("it refused the login", line);
    case State::kSecuring:
      break;
  }
  return Fail("its answer makes no sense", line);
}

ProbeVerdict Pop3Probe::OnCapabilities() {
  const pop3::Capabilities offered = pop3::ParseCapabilities(listed_);
  if (tls_ == PoolTls::kStarttls && !secured_) {
    return offered.stls ? Ask(State::kStls, "STLS") : Fail("it does not offer STLS");
  }
  findings_.pop3_utf8 = offered.utf8;
  return LogIn();
}

ProbeVerdict Pop3Probe::OnSecured() {
  secured_ = true;
  framer_.Reset();
  listed_.clear();
  return Ask(State::kCapa, "CAPA");
}

ProbeVerdict Pop3Probe::LogIn() {
  if (login_ == nullptr) return Pass();
  if (pop3::ParseCapabilities(listed_).sasl.Has(Mechanism::kPlain)) {
    return Ask(State::kAuth, "AUTH PLAIN");
  }
  output_.Append("USER ");
  output_.Append(login_->user);
  return Ask(State::kUser, {});
}

ProbeVerdict Pop3Probe::Ask(State state, std::string_view command) {
  state_ = state;
  output_.Append(command);
  output_.Append("\r\n");
  return ProbeVerdict::kGoing;
}

ProbeVerdict Pop3Probe::Pass() {
  output_.Append("QUIT\r\n");
  return ProbeVerdict::kPassed;
}

ProbeVerdict Pop3Probe::Fail(std::string_view what, std::string_view line) {
  complaint_ = what;
  if (!line.empty()) complaint_.append(": ").append(line.substr(0, kMaxQuoted));
  return ProbeVerdict::kFailed;
}

}  // namespace postern
