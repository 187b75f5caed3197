// Pop3Engine: the events, and what all parts of the conversation share.

#include "postern/engine/pop3_engine.h"

#include <algorithm>

#include "engine/pop3_login.h"
#include "engine/pop3_text.h"

namespace postern {

using Ending = EngineHost::Ending;

Pop3Engine::Pop3Engine(const EngineContext& context)
    : host_(context.host),
      shard_(context.shard),
      in_flight_(context.pool),
      login_(std::make_unique<Login>()) {}
Pop3Engine::~Pop3Engine() = default;

// With the mark that Dovecot's proxy looks for before it sends XCLIENT.
void Pop3Engine::Start() {
  const std::string mark = host_.client_facts().trusted ? "[XCLIENT] " : "";
  host_.ToClient(pop3::StatusLine("+OK", mark + host_.plan().name + " ready"));
}

void Pop3Engine::Deny(const Refusal& refusal, CloseReason reason) {
  host_.ToClient(pop3::DenialLine(refusal.trouble, refusal.text));
  Finish(reason, Ending::kOrderly);
}

std::size_t Pop3Engine::OnClientBytes(std::string_view bytes) {
  blocked_ = false;
  std::size_t consumed = 0;
  switch (state_) {
    case State::kLogin:
    case State::kSasl:
    case State::kStls:
    case State::kChallenge:
      consumed = ReadLogin(bytes);
      break;
    case State::kRelay:
      consumed = ReadCommands(bytes);
      break;
    case State::kConnecting:
    case State::kBackend:
    case State::kEnding:
      blocked_ = !bytes.empty();
      break;
    case State::kDone:
      break;
  }
  EndIfClientGone();
  return consumed;
}

std::size_t Pop3Engine::OnBackendBytes(std::string_view bytes) {
  std::size_t consumed = bytes.size();
  switch (state_) {
    case State::kBackend:
    case State::kChallenge:
      consumed = ReadDialogue(bytes);
      break;
    case State::kRelay:
    case State::kEnding:
      consumed = ReadReplies(bytes);
      break;
    case State::kLogin:
    case State::kSasl:
    case State::kStls:
    case State::kConnecting:
    case State::kDone:
      break;
  }
  EndIfClientGone();
  return consumed;
}

void Pop3Engine::OnBackendEnd() {
  if (in_dialogue()) {
    login_->backend->OnEnd();
    Conclude();
  } else if (state_ == State::kRelay || state_ == State::kEnding) {
    BackendLost();
  }
  EndIfClientGone();
}

void Pop3Engine::OnClientEnd() {
  client_ended_ = true;
  EndIfClientGone();
}

void Pop3Engine::OnTimeout(Timeout which) {
  switch (which) {
    case Timeout::kConnect:
      OnConnectTimeout();
      break;
    case Timeout::kLogin:
      if (!logged_in()) EndBeforeLogin(CloseReason::kLoginTimeout, pop3::kLoginTooLong);
      break;
    case Timeout::kIdle:
      // Without a reply (RFC 1939 §3), and without a QUIT, which would delete.
      Finish(CloseReason::kIdleTimeout, reply_cut() ? Ending::kAbort : Ending::kOrderly);
      break;
  }
  EndIfClientGone();
}

void Pop3Engine::OnConnectTimeout() {
  if (state_ == State::kConnecting) return TryAnotherBackend(BackendFailure::kTimeout);
  if (!in_dialogue()) return;
  login_->backend->OnTimeout();
  Conclude();
}

void Pop3Engine::OnDrain(CloseReason why) {
  if (why != CloseReason::kDrained) return Kick(why);
  // A session that is logged in goes on to its own QUIT, so that its deletions are not lost.
  if (!logged_in()) EndBeforeLogin(why, pop3::kShuttingDown);
}

void Pop3Engine::OnDrainDeadline() {
  if (logged_in()) return Break(CloseReason::kDrainDeadline, pop3::kShuttingDown);
  EndBeforeLogin(CloseReason::kDrainDeadline, pop3::kShuttingDown);
}

void Pop3Engine::OnAbandoned() {
  Settle();
  state_ = State::kDone;
}

std::string_view Pop3Engine::waiting_for() const {
  const CommandRecord* oldest = in_flight_.front();
  if (oldest == nullptr) return {};
  return pop3::CommandName(static_cast<pop3::CommandKind>(oldest->command));
}

std::string Pop3Engine::commands() const {
  return counts_.Json([](std::uint8_t command) {
    return pop3::CommandName(static_cast<pop3::CommandKind>(command));
  });
}

CommandRecord& Pop3Engine::BeginCommand(pop3::CommandKind kind) {
  shard_.CommandBegun(Protocol::kPop3);
  counts_.Add(static_cast<std::uint8_t>(kind));
  CommandRecord& record = in_flight_.Add({}, static_cast<std::uint8_t>(kind));
  record.complete = true;
  record.start = host_.now();
  record.stall_at_start = host_.client_stall();
  return record;
}

void Pop3Engine::MarkFirstByte() {
  CommandRecord& record = *in_flight_.front();
  if (record.first_byte_seen) return;
  record.first_byte_seen = true;
  const Duration stall = host_.client_stall() - record.stall_at_start;
  record.first_byte = std::max(host_.now() - record.start - stall, Duration{});
}

void Pop3Engine::EndCommand(CommandResult result) {
  CommandRecord& record = *in_flight_.front();
  const Instant now = host_.now();
  const Duration stalled = host_.client_stall();
  const Duration stall = stalled - record.stall_at_start;
  const Duration total = std::max(now - record.start - stall, Duration{});
  const Duration first_byte = record.first_byte_seen ? record.first_byte : total;
  const bool answered = result == CommandResult::kOk || result == CommandResult::kErr;
  shard_.CommandEnded({Protocol::kPop3, record.command, pool_, backend_}, result, total,
                      first_byte);
  if (stall > Duration{}) shard_.ClientStall(Protocol::kPop3, pool_, stall);
  if (answered && total >= host_.plan().slow) {
    const auto kind = static_cast<pop3::CommandKind>(record.command);
    host_.SlowCommand(pop3::CommandName(kind), first_byte, total);
  }
  in_flight_.Remove(record);
  // The next one has waited for this one until now.
  CommandRecord* const next = in_flight_.front();
  if (next == nullptr || next->start >= now) return;
  next->start = now;
  next->stall_at_start = stalled;
}

void Pop3Engine::RefuseFraming(pop3::Frame::Kind kind) {
  const bool too_long = kind == pop3::Frame::Kind::kTooLong;
  const pop3::Complaint& complaint = too_long ? pop3::kLongLine : pop3::kMalformedLine;
  if (!logged_in()) return EndBeforeLogin(CloseReason::kClientProtocol, complaint);
  state_ = State::kEnding;
  ending_ = CloseReason::kClientProtocol;
  ending_complaint_ = &complaint;
  EndIfAnswered();
}

void Pop3Engine::Break(CloseReason reason, const pop3::Complaint& complaint) {
  if (reply_cut()) return Finish(reason, Ending::kAbort);
  host_.ToClient(complaint.Line());
  Finish(reason, Ending::kOrderly);
}

void Pop3Engine::EndIfAnswered() {
  if (state_ != State::kEnding || !in_flight_.empty()) return;
  if (ending_complaint_ != nullptr) host_.ToClient(ending_complaint_->Line());
  Finish(ending_, Ending::kOrderly);
}

void Pop3Engine::EndIfClientGone() {
  if (!client_ended_ || blocked_ || state_ == State::kDone) return;
  if (!in_flight_.empty() && !reads_login()) return;
  Finish(CloseReason::kClientClosed, Ending::kOrderly);
}

void Pop3Engine::Settle() {
  if (login_pending()) shard_.Login(Protocol::kPop3, login_->mechanism, LoginResult::kAborted);
  while (!in_flight_.empty()) EndCommand(CommandResult::kAborted);
  login_.reset();
  held_.reset();
}

void Pop3Engine::Finish(CloseReason reason, Ending ending) {
  Settle();
  state_ = State::kDone;
  host_.Finish(reason, ending);
}

}  // namespace postern
