// The backend's side of the relay: responses are framed, matched and forwarded.
#include "engine/imap_relay.h"
#include "postern/base/text.h"
#include "postern/engine/limits.h"
#include "postern/engine/trouble.h"
#include "postern/imap/capability.h"

namespace postern {

using imap::Frame;
using imap::ResponseHead;
using Ending = EngineHost::Ending;

namespace {

// Message data ("* 12 FETCH ...") is streamed after its first KiB; lines that may list capabilities
// are read whole.
bool IsMessageData(std::string_view line) {
  return line.size() > 2 && line.starts_with("* ") && line[2] >= '0' && line[2] <= '9';
}

std::size_t HeadLimit(std::string_view bytes) {
  return IsMessageData(bytes) ? kResponseHead : kMaxCapabilityLine;
}

}  // namespace

std::size_t ImapRelay::OnBackendBytes(std::string_view bytes) {
  if (!core_.host.ClientHasRoom()) return 0;
  std::size_t consumed = 0;
  while (!core_.ended() && consumed < bytes.size()) {
    core_.FirstByte();
    const std::string_view rest = bytes.substr(consumed);
    const bool starts = responses_.at_boundary();
    const Frame frame = responses_.Next(rest, starts ? HeadLimit(rest) : kResponseHead);
    if (frame.kind == Frame::Kind::kNeedMore) break;
    if (frame.kind == Frame::Kind::kMalformed) {
      BackendNonsense(starts);
      break;
    }
    const std::string_view piece = rest.substr(0, frame.size);
    consumed += frame.size;
    const bool whole = frame.kind == Frame::Kind::kLine;
    if (starts ? OnResponse(piece, whole) : OnRest(piece)) PassBack(piece);
    if (responses_.at_boundary()) AtBoundary();
  }
  FlushBack();
  return consumed;
}

// line: with CRLF when whole. True: it goes on as it came.
bool ImapRelay::OnResponse(std::string_view line, bool whole) {
  if (whole) line.remove_suffix(2);
  if (line.starts_with('*')) return OnUntagged(line, whole);
  if (line.starts_with('+')) return OnContinuation(line, whole);
  return OnTagged(line, whole);
}

bool ImapRelay::OnUntagged(std::string_view line, bool whole) {
  if (IsMessageData(line)) return true;
  const ResponseHead head = imap::ParseResponseHead(line);
  if (head.kind != ResponseHead::Kind::kUntagged) {
    BackendNonsense(true);
    return false;
  }
  if (head.status == ResponseHead::Status::kBye) bye_seen_ = true;
  if (head.status != ResponseHead::Status::kNone) return PassStatus(head, line, whole);
  if (!EqualsNoCase(head.word, "CAPABILITY")) {
    const SessionRules* rules = core_.host.rules();
    if (rules == nullptr || !rules->hides_mailboxes()) return true;
    return PassWhatIsNotHidden({line.data(), line.size() + (whole ? 2 : 0)});
  }
  // A list that is too long to be read, or ends in a literal, cannot be filtered.
  if (whole && responses_.at_boundary()) {
    SendCapabilities("* CAPABILITY ", head.text, "");
  } else {
    BackendNonsense(true);
  }
  return false;
}

// A response goes on that has begun. True: as it came.
bool ImapRelay::OnRest(std::string_view piece) {
  return hide_ == nullptr || !hide_->busy() || PassWhatIsNotHidden(piece);
}

// piece: with its CRLF. True: it goes on as it came.
bool ImapRelay::PassWhatIsNotHidden(std::string_view piece) {
  if (hide_ == nullptr) hide_ = std::make_unique<ImapHide>();
  switch (hide_->OnFrame(core_.host.rules(), piece, responses_.at_boundary())) {
    case ImapHide::Step::kPass:
      return true;
    case ImapHide::Step::kTaken:
      return false;
    case ImapHide::Step::kSend:
      FlushBack();
      core_.host.ToClient(hide_->text());
      return false;
    case ImapHide::Step::kNonsense:
      // The client has seen nothing of this response.
      BackendNonsense(true);
      return false;
  }
  return true;
}

bool ImapRelay::PassStatus(const ResponseHead& head, std::string_view line, bool whole) {
  const SessionRules* rules = core_.host.rules();
  if (rules == nullptr || !rules->hides_mailboxes()) return PassCode(head, line, whole);
  const std::optional<std::string> neutral = NeutralStatus(*rules, head, line, whole);
  if (!neutral) return PassCode(head, line, whole);
  if (!whole) {
    if (hide_ == nullptr) hide_ = std::make_unique<ImapHide>();
    hide_->LeaveOutRest();
  }
  if (PassCode(imap::ParseResponseHead(*neutral), *neutral, true)) {
    FlushBack();
    core_.host.ToClient(*neutral + "\r\n");
  }
  return false;
}

// Capabilities are filtered and referrals stripped wherever they occur (DESIGN 2.6, 2.8).
bool ImapRelay::PassCode(const ResponseHead& head, std::string_view line, bool whole) {
  const bool capability = imap::CodeIs(head.code, "CAPABILITY");
  const bool referral = imap::CodeIs(head.code, "REFERRAL");
  if (!capability && !referral) return true;
  if (!whole || head.code.data() + head.code.size() == line.data() + line.size()) {
    BackendNonsense(true);
    return false;
  }
  const std::size_t open = static_cast<std::size_t>(head.code.data() - line.data()) - 1;
  const std::string_view behind = line.substr(open + head.code.size() + 2);
  if (capability) {
    const std::string_view names =
        head.code.substr(std::min(head.code.size(), sizeof("CAPABILITY")));
    SendCapabilities(std::string(line.substr(0, open)) + "[CAPABILITY ", names,
                     "]" + std::string(behind));
    return false;
  }
  FlushBack();
  core_.host.ToClient(std::string(line.substr(0, open)) +
                      std::string(behind.substr(behind.starts_with(' ') ? 1 : 0)) + "\r\n");
  return false;
}

void ImapRelay::SendCapabilities(std::string_view before, std::string_view names,
                                 std::string_view behind) {
  FlushBack();
  core_.Rewritten(Rewrite::kCapability);
  core_.host.ToClient(std::string(before) + core_.Capabilities(names) + std::string(behind) +
                      "\r\n");
}

bool ImapRelay::OnTagged(std::string_view line, bool whole) {
  const ResponseHead head = imap::ParseResponseHead(line);
  CommandRecord* record =
      head.kind == ResponseHead::Kind::kTagged ? core_.in_flight.Find(head.tag) : nullptr;
  if (record == nullptr) {
    BackendNonsense(true);
    return false;
  }
  const CommandResult result = ResultOf(head.status);
  if (!record->reply.empty()) {
    FlushBack();
    core_.host.ToClient(Tagged(head.tag, "NO", record->reply));
    selection_.Ended(*record, result, core_.in_flight);
    EndCommand(*record, CommandResult::kDenied);
    return false;
  }
  const bool pass = PassStatus(head, line, whole);
  if (core_.ended()) return false;
  if (pass) PassBack({line.data(), line.size() + (whole ? 2 : 0)});
  selection_.Ended(*record, result, core_.in_flight);
  EndCommand(*record, result);
  return false;
}

void ImapRelay::EndCommand(CommandRecord& record, CommandResult result) {
  const bool logout = record.command == static_cast<std::uint8_t>(imap::CommandKind::kLogout);
  const bool open = &record == open_;
  // A backend answers in order: the `+` of the IDLE before this command will not come any more.
  if (record.behind_idle) idle_plus_due_ = false;
  core_.End(record, result);
  if (logout && !ends_at_boundary_) {
    ends_at_boundary_ = true;
    ending_ = CloseReason::kLogout;
  }
  if (!open) return;
  open_ = nullptr;
  if (reading_ == Reading::kAwaitPlus) {
    LiteralRefused();
  } else if (reading_ == Reading::kIdle) {
    core_.shard.Idle(core_.pool, core_.host.now() - mark_);
    swallow_done_ = true;
    // One that was refused has no `+` to come.
    if (result != CommandResult::kOk) idle_plus_due_ = false;
    reading_ = Reading::kLine;
  }
}

bool ImapRelay::OnContinuation(std::string_view line, bool whole) {
  // The text of a `+` may carry a code like any other; nobody needs it.
  const SessionRules* rules = core_.host.rules();
  const bool coded = line.starts_with("+ [") || (rules != nullptr && rules->hides_mailboxes());
  if (!whole) {
    BackendNonsense(true);
    return false;
  }
  const bool pass = TakeContinuation();
  if (!pass || !coded) return pass;
  FlushBack();
  core_.host.ToClient("+ OK\r\n");
  return false;
}

// True when the client waits for it.
bool ImapRelay::TakeContinuation() {
  // First, for a backend answers in order: taken for a literal's, it would let the literal out to a
  // backend that may still refuse it and run its bytes as commands.
  if (idle_plus_due_) {
    idle_plus_due_ = false;
    // Late, when the IDLE is over: the client no longer waits for it.
    return reading_ == Reading::kIdle;
  }
  if (reading_ == Reading::kAwaitPlus) {
    const bool streamed = sent_ == reader_.text().size();
    const bool client_waits = streamed && reader_.mark().synchronising;
    OnPlus();
    return client_waits;
  }
  BackendNonsense(true);
  return false;
}

// Between two responses: the place for our own words.
void ImapRelay::AtBoundary() {
  if (core_.ended()) return;
  if (!replies_.empty()) {
    FlushBack();
    core_.host.ToClient(replies_);
    replies_.clear();
    replies_.shrink_to_fit();
  }
  if (ends_at_boundary_) {
    FlushBack();
    return core_.Finish(ending_, Ending::kOrderly);
  }
  if (draining_ || client_gone_) MaybeOver();
}

void ImapRelay::BackendNonsense(bool at_boundary) {
  FlushBack();
  if (at_boundary) {
    core_.host.ToClient(
        replies_ + "* BYE " +
        ImapText(Trouble::kUnavailable, "the mail server sent something that makes no sense") +
        "\r\n");
  }
  core_.Finish(CloseReason::kBackendProtocol, at_boundary ? Ending::kOrderly : Ending::kAbort);
}

void ImapRelay::OnBackendEnd() {
  if (!responses_.at_boundary()) return core_.Finish(CloseReason::kBackendClosed, Ending::kAbort);
  const CommandRecord* last = core_.in_flight.back();
  const bool logout = last != nullptr && bye_seen_ &&
                      last->command == static_cast<std::uint8_t>(imap::CommandKind::kLogout);
  if (!bye_seen_) {
    core_.host.ToClient("* BYE " +
                        ImapText(Trouble::kUnavailable, "the mail server closed the connection") +
                        "\r\n");
  }
  core_.Finish(logout ? CloseReason::kLogout : CloseReason::kBackendClosed, Ending::kOrderly);
}

void ImapRelay::OnClientEnd() {
  client_gone_ = true;
  MaybeOver();
}

void ImapRelay::OnIdleTimeout() {
  if (responses_.at_boundary()) return Bye(CloseReason::kIdleTimeout, "idle for too long");
  core_.Finish(CloseReason::kIdleTimeout, Ending::kAbort);
}

void ImapRelay::OnDrain(CloseReason why) {
  if (!draining_) drain_reason_ = why;
  draining_ = true;
  MaybeOver();
}

void ImapRelay::OnDrainDeadline() {
  if (responses_.at_boundary()) {
    return Bye(CloseReason::kDrainDeadline,
               ImapText(Trouble::kUnavailable, "server shutting down"));
  }
  core_.Finish(CloseReason::kDrainDeadline, Ending::kAbort);
}

bool ImapRelay::quiet() const {
  // An IDLE waits for nothing, and a literal that is still coming waits for the client.
  const bool clients =
      reading_ == Reading::kIdle || reading_ == Reading::kStream || reading_ == Reading::kTail;
  const std::size_t waiting = clients && open_ != nullptr ? 1 : 0;
  return core_.in_flight.size() == waiting;
}

// No command waits for its answer, and none is half at the backend; an IDLE waits for nothing.
bool ImapRelay::AllAnswered() const {
  return quiet() && (!at_backend_ || (client_gone_ && open_ == nullptr));
}

void ImapRelay::MaybeOver() {
  if (core_.ended() || !responses_.at_boundary()) return;
  // What a client said before it left is heard, unless no command begins any more.
  const bool begun = reading_ != Reading::kLine && reading_ != Reading::kHeld;
  const bool waits = blocked_ || reading_ == Reading::kHeld;
  if (client_gone_ && waits && (begun || !draining_)) return;
  // A client that is gone sends no more of a command it has begun; what is gathered is all of it.
  const bool whole = reading_ == Reading::kAwaitPlus && sent_ < reader_.text().size();
  const bool cut = client_gone_ && open_ != nullptr && core_.in_flight.size() == 1 && !whole;
  if (!AllAnswered() && !cut) return;
  FlushBack();
  if (client_gone_) return core_.Finish(CloseReason::kClientClosed, Ending::kOrderly);
  Bye(drain_reason_, ImapText(Trouble::kUnavailable, DrainText(drain_reason_)));
}

void ImapRelay::PassBack(std::string_view bytes) {
  if (!back_run_.empty() && back_run_.data() + back_run_.size() == bytes.data()) {
    back_run_ = {back_run_.data(), back_run_.size() + bytes.size()};
    return;
  }
  FlushBack();
  back_run_ = bytes;
}

void ImapRelay::FlushBack() {
  if (!back_run_.empty() && !core_.ended()) core_.host.ToClient(back_run_);
  back_run_ = {};
}

}  // namespace postern
