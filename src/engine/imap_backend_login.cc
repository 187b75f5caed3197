#include "engine/imap_backend_login.h"

#include <algorithm>
#include <optional>

#include "postern/base/text.h"
#include "postern/engine/limits.h"
#include "postern/imap/capability.h"
#include "postern/imap/head.h"

namespace postern {
namespace {

using Kind = imap::ResponseHead::Kind;
using Condition = imap::ResponseHead::Status;

// Our own tags. No client's command is at the backend before the last of them was answered.
constexpr std::string_view kLoginTag = "postern1";
constexpr std::string_view kCapabilityTag = "postern0";

// What follows a response code's bracket, for people.
std::string_view TextBehindCode(const imap::ResponseHead& head) {
  if (head.code.empty()) return head.text;
  const std::size_t close = head.text.find(']');
  std::string_view text =
      head.text.substr(close == std::string_view::npos ? head.text.size() : close + 1);
  if (text.starts_with(' ')) text.remove_prefix(1);
  return text;
}

}  // namespace

std::size_t ImapBackendLogin::OnBytes(std::string_view bytes) {
  std::size_t consumed = 0;
  while (verdict_ == Verdict::kPending) {
    const imap::Frame frame = framer_.Next(bytes.substr(consumed), kMaxCapabilityLine);
    switch (frame.kind) {
      case imap::Frame::Kind::kNeedMore:
        return consumed;
      case imap::Frame::Kind::kLine:
        OnLine(bytes.substr(consumed, frame.size - 2));
        break;
      case imap::Frame::Kind::kLineHead:
      case imap::Frame::Kind::kLineRest:
      case imap::Frame::Kind::kLiteral:
      case imap::Frame::Kind::kMalformed:
        Lost(BackendFailure::kProtocol);
        break;
    }
    consumed += frame.size;
  }
  return consumed;
}

void ImapBackendLogin::OnLine(std::string_view line) {
  const imap::ResponseHead head = imap::ParseResponseHead(line);
  if (state_ == State::kGreeting) return OnGreeting(head);
  switch (head.kind) {
    case Kind::kUntagged:
      return OnUntagged(head, line);
    case Kind::kContinuation:
      return OnContinuation();
    case Kind::kTagged:
      return OnTagged(head);
    case Kind::kMalformed:
      return Lost(BackendFailure::kProtocol);
  }
}

void ImapBackendLogin::OnGreeting(const imap::ResponseHead& head) {
  // PREAUTH would put every client into the account of whoever the backend takes us for.
  if (head.kind != Kind::kUntagged || head.status != Condition::kOk)
    return Lost(BackendFailure::kGreeting);
  Learn(head.code);
  if (mechanism_ == Mechanism::kPlain && capabilities_.empty()) {
    state_ = State::kPreCapability;
    core_.Insert(std::string(kCapabilityTag) + " CAPABILITY\r\n");
    return;
  }
  SendLogin();
}

void ImapBackendLogin::Learn(std::string_view code) {
  constexpr std::string_view kName = "CAPABILITY ";
  if (!StartsWithNoCase(code, kName)) return;
  capabilities_ = code.substr(kName.size());
  capabilities_fresh_ = credentials_sent_;
}

void ImapBackendLogin::OnUntagged(const imap::ResponseHead& head, std::string_view line) {
  if (head.status == Condition::kBye) return Lost(BackendFailure::kClosed);
  if (EqualsNoCase(head.word, "CAPABILITY")) {
    capabilities_ = head.text;
    capabilities_fresh_ = credentials_sent_;
    return;
  }
  Learn(head.code);
  if (imap::CodeIs(head.code, "ALERT") && line.size() <= kMaxRelayedText &&
      alerts_.size() <= kMaxRelayedText) {
    alerts_.append(line).append("\r\n");
  }
}

void ImapBackendLogin::OnContinuation() {
  if (state_ != State::kAnswer || next_part_ >= parts_.size())
    return Lost(BackendFailure::kProtocol);
  SendNext();
}

void ImapBackendLogin::OnTagged(const imap::ResponseHead& head) {
  if (state_ == State::kPreCapability && head.tag == kCapabilityTag) return SendLogin();
  if (state_ == State::kCapability && head.tag == kCapabilityTag) {
    // A backend that lists nothing is trusted with the base protocol only.
    return Give(Verdict::kOk, {});
  }
  if (state_ != State::kAnswer || head.tag != kLoginTag) return Lost(BackendFailure::kProtocol);
  text_ = TextBehindCode(head).substr(0, kMaxRelayedText);
  switch (ResultOf(head.status)) {
    case CommandResult::kOk:
      Learn(head.code);
      if (capabilities_fresh_) return Give(Verdict::kOk, {});
      state_ = State::kCapability;
      capabilities_.clear();
      return core_.Insert(std::string(kCapabilityTag) + " CAPABILITY\r\n");
    case CommandResult::kNo:
      // A referral would show the client a way round us (DESIGN 2.6).
      if (!head.code.empty() && !imap::CodeIs(head.code, "REFERRAL") &&
          !imap::CodeIs(head.code, "CAPABILITY")) {
        text_ = "[" + std::string(head.code) + "] " + text_;
      }
      text_.resize(std::min(text_.size(), kMaxRelayedText));
      return Give(Verdict::kRefused, {});
    case CommandResult::kBad:
    case CommandResult::kErr:
    case CommandResult::kDenied:
    case CommandResult::kLocal:
    case CommandResult::kAborted:
      // The backend did not judge the password: it did not understand us.
      return Give(Verdict::kUnavailable, {});
  }
}

// Builds the command so that no byte of a name or a password can be anything else (SECURITY
// T-INJ-1).
void ImapBackendLogin::SendLogin() {
  core_.host.BackendGreeted();
  state_ = State::kAnswer;
  const imap::CapabilitySet known = imap::CapabilitySet::Parse(capabilities_);
  if (mechanism_ == Mechanism::kPlain && known.Has("AUTH=PLAIN")) {
    const Secret message = EncodePlain(credentials_);
    Queue(std::string(kLoginTag) + " AUTHENTICATE PLAIN");
    if (known.Has("SASL-IR")) {
      parts_.back().Append(" ");
    } else {
      parts_.back().Append("\r\n");
      Queue("");
    }
    parts_.back().Append(message.Reveal());
    parts_.back().Append("\r\n");
    return SendNext();
  }
  // LOGIN cannot say that one user speaks for another.
  if (!credentials_.authzid.empty() && credentials_.authzid != credentials_.user) {
    return Give(Verdict::kUnavailable, {});
  }
  Queue(std::string(kLoginTag) + " LOGIN");
  for (const std::string_view field : {credentials_.login_name(), credentials_.password.Reveal()}) {
    parts_.back().Append(" ");
    if (std::optional<std::string> quoted = imap::Quote(field)) {
      parts_.back().Append(*quoted);
      Wipe(*quoted);
      continue;
    }
    parts_.back().Append("{" + std::to_string(field.size()) + "}\r\n");
    Queue("");
    parts_.back().Append(field);
  }
  parts_.back().Append("\r\n");
  SendNext();
}

void ImapBackendLogin::Queue(std::string_view text) { parts_.emplace_back(text); }

void ImapBackendLogin::SendNext() {
  credentials_sent_ = true;
  core_.Insert(parts_[next_part_].Reveal());
  parts_[next_part_++].Clear();
}

void ImapBackendLogin::Give(Verdict verdict, std::optional<BackendFailure> failure) {
  verdict_ = verdict;
  failure_ = failure;
}

}  // namespace postern
