#include "postern/base/text.h"
#include "postern/engine/limits.h"
#include "postern/imap/capability.h"
#include "server/probe_dialogue.h"

namespace postern {
namespace {

using Kind = imap::ResponseHead::Kind;
using Condition = imap::ResponseHead::Status;

constexpr std::string_view kTag = "probe";
// Of the backend's words in a complaint.
constexpr std::size_t kMaxQuoted = 128;

void AppendQuoted(Secret& out, std::string_view text) {
  out.Append("\"");
  for (const char& c : text) {
    if (c == '"' || c == '\\') out.Append("\\");
    out.Append({&c, 1});
  }
  out.Append("\"");
}

}  // namespace

std::string_view ImapProbe::awaited() const {
  switch (state_) {
    case State::kGreeting:
      return "its greeting";
    case State::kTlsCapability:
    case State::kCapability:
      return "its capabilities";
    case State::kStarttls:
      return "its answer to STARTTLS";
    case State::kSecuring:
      return "its TLS";
    case State::kAuthenticate:
    case State::kLogin:
      return "its answer to the login";
  }
  return {};
}

ProbeVerdict ImapProbe::OnBytes(std::string_view bytes) {
  input_.append(bytes);
  std::size_t used = 0;
  ProbeVerdict verdict = ProbeVerdict::kGoing;
  while (verdict == ProbeVerdict::kGoing) {
    const std::string_view rest = std::string_view(input_).substr(used);
    const imap::Frame frame = framer_.Next(rest, kMaxCapabilityLine);
    if (frame.kind == imap::Frame::Kind::kNeedMore) break;
    if (frame.kind != imap::Frame::Kind::kLine) return Fail("it does not speak IMAP");
    used += frame.size;
    verdict = OnLine(rest.substr(0, frame.size - 2));
  }
  // Bytes in front of TLS would be believed behind it.
  if (verdict == ProbeVerdict::kStartTls && used < input_.size()) {
    return Fail("bytes came behind its answer to STARTTLS");
  }
  input_.erase(0, used);
  return verdict;
}

ProbeVerdict ImapProbe::OnLine(std::string_view line) {
  const imap::ResponseHead head = imap::ParseResponseHead(line);
  if (state_ == State::kGreeting) {
    // PREAUTH would put every client into the account of whoever the backend takes us for.
    if (head.kind != Kind::kUntagged || head.status != Condition::kOk) {
      return Fail("its greeting is no welcome", line);
    }
    const bool before_tls = tls_ == PoolTls::kStarttls;
    return Ask(before_tls ? State::kTlsCapability : State::kCapability, "CAPABILITY");
  }
  switch (head.kind) {
    case Kind::kUntagged:
      if (head.status == Condition::kBye) return Fail("it said BYE", line);
      if (EqualsNoCase(head.word, "CAPABILITY")) {
        findings_.imap = imap::CapabilitySet::Parse(head.text).names();
      }
      return ProbeVerdict::kGoing;
    case Kind::kContinuation: {
      if (state_ != State::kAuthenticate) return Fail("its answer makes no sense", line);
      state_ = State::kLogin;
      output_.Append(EncodeMessage(Mechanism::kPlain, *login_).Reveal());
      output_.Append("\r\n");
      return ProbeVerdict::kGoing;
    }
    case Kind::kTagged:
      return OnTagged(head, line);
    case Kind::kMalformed:
      break;
  }
  return Fail("it does not speak IMAP", line);
}

ProbeVerdict ImapProbe::OnTagged(const imap::ResponseHead& head, std::string_view line) {
  const bool ok = head.status == Condition::kOk;
  if (head.tag != kTag) return Fail("its answer makes no sense", line);
  switch (state_) {
    case State::kTlsCapability: {
      bool offered = false;
      for (const std::string& name : findings_.imap) offered |= EqualsNoCase(name, "STARTTLS");
      if (!ok || !offered) return Fail("it does not offer STARTTLS");
      return Ask(State::kStarttls, "STARTTLS");
    }
    case State::kStarttls:
      if (!ok) return Fail("it refused STARTTLS", line);
      state_ = State::kSecuring;
      return ProbeVerdict::kStartTls;
    case State::kCapability:
      if (!ok) return Fail("it refused to list its capabilities", line);
      return LogIn();
    case State::kAuthenticate:
    case State::kLogin:
      return ok ? Pass() : Fail("it refused the login", line);
    case State::kGreeting:
    case State::kSecuring:
      break;
  }
  return Fail("its answer makes no sense", line);
}

ProbeVerdict ImapProbe::OnSecured() {
  framer_ = {};
  findings_ = {};
  return Ask(State::kCapability, "CAPABILITY");
}

ProbeVerdict ImapProbe::LogIn() {
  if (login_ == nullptr) return Pass();
  bool plain = false;
  for (const std::string& name : findings_.imap) plain |= EqualsNoCase(name, "AUTH=PLAIN");
  if (plain) return Ask(State::kAuthenticate, "AUTHENTICATE PLAIN");
  state_ = State::kLogin;
  output_.Append(kTag);
  output_.Append(" LOGIN ");
  AppendQuoted(output_, login_->user);
  output_.Append(" ");
  AppendQuoted(output_, login_->password.Reveal());
  output_.Append("\r\n");
  return ProbeVerdict::kGoing;
}

ProbeVerdict ImapProbe::Ask(State state, std::string_view command) {
  state_ = state;
  output_.Append(kTag);
  output_.Append(" ");
  output_.Append(command);
  output_.Append("\r\n");
  return ProbeVerdict::kGoing;
}

ProbeVerdict ImapProbe::Pass() {
  output_.Append(kTag);
  output_.Append(" LOGOUT\r\n");
  return ProbeVerdict::kPassed;
}

ProbeVerdict ImapProbe::Fail(std::string_view what, std::string_view line) {
  complaint_ = what;
  if (!line.empty()) complaint_.append(": ").append(line.substr(0, kMaxQuoted));
  return ProbeVerdict::kFailed;
}

}  // namespace postern
