#include "engine/imap_backend_login.h"

#include <algorithm>
#include <optional>

#include "engine/forward.h"
#include "engine/imap_login_command.h"
#include "postern/base/text.h"
#include "postern/engine/limits.h"
#include "postern/imap/head.h"

namespace postern {
namespace {

using Kind = imap::ResponseHead::Kind;
using Word = imap::ResponseHead::Status;

// Our own tags. No client's command is at the backend before the last of them was answered.
constexpr std::string_view kLoginTag = "postern1";
constexpr std::string_view kOwnTag = "postern0";

// What follows a response code's bracket, for people.
std::string_view TextBehindCode(const imap::ResponseHead& head) {
  if (head.code.empty()) return head.text;
  const std::size_t close = head.text.find(']');
  std::string_view text =
      head.text.substr(close == std::string_view::npos ? head.text.size() : close + 1);
  if (text.starts_with(' ')) text.remove_prefix(1);
  return text;
}

bool IsBase64(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    const char upper = AsciiUpper(c);
    return (upper >= 'A' && upper <= 'Z') || (c >= '0' && c <= '9') || c == '+' || c == '/' ||
           c == '=';
  });
}

}  // namespace

std::size_t ImapBackendLogin::OnBytes(std::string_view bytes) {
  std::size_t consumed = 0;
  while (verdict_ == Verdict::kPending) {
    // Bytes in front of TLS would be believed behind it (SECURITY T-TLS-2).
    if (state_ == State::kSecuring) {
      Lost(BackendFailure::kProtocol);
      break;
    }
    const bool begins = framer_.at_boundary();
    const imap::Frame frame = framer_.Next(bytes.substr(consumed), kMaxCapabilityLine);
    if (frame.kind == imap::Frame::Kind::kNeedMore) break;
    if (!OnFrame(frame, bytes.substr(consumed, frame.size), begins)) {
      Lost(BackendFailure::kProtocol);
    }
    consumed += frame.size;
    if (state_ != State::kSecuring || consumed < bytes.size()) continue;
    core_.host.StartTls(Side::kBackend);
    break;
  }
  return consumed;
}

// begins: the frame is the first of its response. False: this makes no sense here.
bool ImapBackendLogin::OnFrame(const imap::Frame& frame, std::string_view bytes, bool begins) {
  switch (frame.kind) {
    case imap::Frame::Kind::kLine:
      if (begins) OnLine(bytes.substr(0, bytes.size() - 2));
      return begins || state_ == State::kId;
    case imap::Frame::Kind::kLiteral:
    case imap::Frame::Kind::kLineRest:
      // Values of an ID may be literals; nobody here wants to know them.
      return state_ == State::kId;
    case imap::Frame::Kind::kNeedMore:
    case imap::Frame::Kind::kLineHead:
    case imap::Frame::Kind::kMalformed:
      return false;
  }
  return false;
}

void ImapBackendLogin::OnLine(std::string_view line) {
  const imap::ResponseHead head = imap::ParseResponseHead(line);
  if (state_ == State::kGreeting) return OnGreeting(head);
  switch (head.kind) {
    case Kind::kUntagged:
      return OnUntagged(head, line);
    case Kind::kContinuation:
      return OnContinuation(head.text);
    case Kind::kTagged:
      return OnTagged(head);
    case Kind::kMalformed:
      return Lost(BackendFailure::kProtocol);
  }
}

void ImapBackendLogin::OnGreeting(const imap::ResponseHead& head) {
  // PREAUTH would put every client into the account of whoever the backend takes us for.
  if (head.kind != Kind::kUntagged || head.status != Word::kOk)
    return Lost(BackendFailure::kGreeting);
  Learn(head.code);
  if (pool_.tls == PoolTls::kStarttls) {
    return capabilities_.empty() ? Ask(State::kTlsCapability, "CAPABILITY") : AskForTls();
  }
  const bool needed =
      pool_.forward_id || mechanism_ != Mechanism::kLogin || !credentials_.authzid.empty();
  if (needed && capabilities_.empty()) return Ask(State::kCapability, "CAPABILITY");
  Identify();
}

// Without TLS there is no login: nothing here falls back to plain text.
void ImapBackendLogin::AskForTls() {
  if (!imap::CapabilitySet::Parse(capabilities_).Has("STARTTLS")) return Lost(BackendFailure::kTls);
  Ask(State::kStarttls, "STARTTLS");
}

void ImapBackendLogin::OnSecured() {
  if (verdict_ != Verdict::kPending || state_ != State::kSecuring) return;
  framer_ = {};
  capabilities_.clear();
  Ask(State::kCapability, "CAPABILITY");
}

// Our word on who the client is goes first (DESIGN 2.7).
void ImapBackendLogin::Identify() {
  if (pool_.forward_id && imap::CapabilitySet::Parse(capabilities_).Has("ID")) {
    return Ask(State::kId, ImapId(core_.host.client_facts()));
  }
  SendLogin();
}

void ImapBackendLogin::Ask(State state, std::string_view command) {
  state_ = state;
  core_.Insert(std::string(kOwnTag) + " " + std::string(command) + "\r\n");
}

void ImapBackendLogin::Learn(std::string_view code) {
  constexpr std::string_view kName = "CAPABILITY ";
  if (!StartsWithNoCase(code, kName)) return;
  capabilities_ = code.substr(kName.size());
  capabilities_fresh_ = credentials_sent_;
}

bool ImapBackendLogin::secured() const {
  const bool before = state_ == State::kTlsCapability || state_ == State::kStarttls;
  return pool_.tls != PoolTls::kStarttls || !before;
}

void ImapBackendLogin::OnUntagged(const imap::ResponseHead& head, std::string_view line) {
  if (head.status == Word::kBye) return Lost(BackendFailure::kClosed);
  if (EqualsNoCase(head.word, "CAPABILITY")) {
    capabilities_ = head.text;
    capabilities_fresh_ = credentials_sent_;
    return;
  }
  Learn(head.code);
  if (secured() && imap::CodeIs(head.code, "ALERT") && line.size() <= kMaxRelayedText &&
      alerts_.size() <= kMaxRelayedText) {
    alerts_.append(line).append("\r\n");
  }
}

void ImapBackendLogin::OnContinuation(std::string_view text) {
  if (state_ == State::kAnswer && next_part_ < parts_.size()) return SendNext();
  const bool reason = state_ == State::kAnswer && IsOauth(mechanism_) && !challenged_;
  if (!reason || !IsBase64(text)) return Lost(BackendFailure::kProtocol);
  challenged_ = true;
  challenge_ = text;
}

void ImapBackendLogin::OnTagged(const imap::ResponseHead& head) {
  if (head.tag != (state_ == State::kAnswer ? kLoginTag : kOwnTag)) {
    return Lost(BackendFailure::kProtocol);
  }
  switch (state_) {
    case State::kTlsCapability:
      return AskForTls();
    case State::kStarttls:
      if (head.status != Word::kOk) return Lost(BackendFailure::kTls);
      state_ = State::kSecuring;
      return;
    case State::kCapability:
      return Identify();
    case State::kId:
      // Whatever it says to that.
      return SendLogin();
    case State::kAnswer:
      return OnAnswer(head);
    case State::kLastCapability:
      // A backend that lists nothing is trusted with the base protocol only.
      return Give(Verdict::kOk, {});
    case State::kGreeting:
    case State::kSecuring:
      return Lost(BackendFailure::kProtocol);
  }
}

void ImapBackendLogin::OnAnswer(const imap::ResponseHead& head) {
  text_ = TextBehindCode(head).substr(0, kMaxRelayedText);
  switch (ResultOf(head.status)) {
    case CommandResult::kOk:
      Learn(head.code);
      if (capabilities_fresh_) return Give(Verdict::kOk, {});
      capabilities_.clear();
      return Ask(State::kLastCapability, "CAPABILITY");
    case CommandResult::kNo:
      // The client did not say this password: that it is wrong is no word on the client's.
      if (stands_in_) return Give(Verdict::kUnavailable, {});
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

void ImapBackendLogin::SendLogin() {
  core_.host.BackendGreeted();
  state_ = State::kAnswer;
  ImapLoginCommand command =
      MakeImapLogin(kLoginTag, credentials_, mechanism_, imap::CapabilitySet::Parse(capabilities_));
  switch (command.way) {
    case ImapLoginCommand::Way::kFound:
      parts_ = std::move(command.parts);
      return SendNext();
    case ImapLoginCommand::Way::kNoMechanism:
      return Give(Verdict::kNoMechanism, {});
    case ImapLoginCommand::Way::kNone:
      return Give(Verdict::kUnavailable, {});
  }
}

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
