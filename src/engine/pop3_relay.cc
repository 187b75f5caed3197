// Pop3Engine: the relay after login. Commands go on verbatim once they are framed and known;
// replies come back in the order of the commands, our own among them.

#include <utility>

#include "engine/pop3_text.h"
#include "postern/base/text.h"
#include "postern/engine/limits.h"
#include "postern/engine/pop3_engine.h"
#include "postern/pop3/capability.h"

namespace postern {

using Kind = pop3::Frame::Kind;
using Ending = EngineHost::Ending;

// Bytes of one side and how far they are dealt with. What passes unchanged is kept together as long
// as it is contiguous, so that sixteen commands are one write.
struct Pop3Engine::Run {
  explicit Run(std::string_view all) : bytes(all) {}

  std::string_view bytes;
  std::size_t at = 0;      // dealt with up to here
  std::size_t passed = 0;  // and written, or left out, up to here

  std::string_view rest() const { return bytes.substr(at); }
  // What may be written now, once.
  std::string_view Take() {
    const std::size_t from = std::exchange(passed, at);
    return bytes.substr(from, at - from);
  }
  // Leaves the next size bytes out. Everything before them must have been taken.
  void Skip(std::size_t size) { passed = at += size; }
};

std::size_t Pop3Engine::ReadCommands(std::string_view bytes) {
  // A backend that does not offer PIPELINING (RFC 2449 §6.6) may drop what comes before its answer.
  const std::size_t most = pipelining_ ? kMaxInFlight : 1;
  Run run(bytes);
  bool open =
      !holds() && host_.ClientHasRoom() && host_.BackendHasRoom() && in_flight_.size() < most;
  while (open) {
    const pop3::Frame frame = client_framer_.Next(run.rest(), kMaxPop3Line);
    if (frame.kind == Kind::kNeedMore) break;
    if (frame.kind != Kind::kLine) {
      ForwardToBackend(run);
      RefuseFraming(frame.kind);
      break;
    }
    OnCommandLine(run, pop3::LineText(run.rest(), frame));
    open = state_ == State::kRelay && !holds() && in_flight_.size() < most && host_.ClientHasRoom();
  }
  ForwardToBackend(run);
  blocked_ = run.at < bytes.size() && (!open || state_ == State::kEnding);
  return run.at;
}

void Pop3Engine::OnCommandLine(Run& run, std::string_view line) {
  const std::string_view text = pop3::TrimSpaces(line);
  const pop3::Command command = pop3::ParseCommand(text);
  const std::size_t size = line.size() + 2;
  if (const pop3::Complaint* complaint = Fault(command); complaint != nullptr) {
    // What was held for a while may be hidden since: its ruling is no other command's.
    held_.reset();
    return AnswerInstead(run, size, command.kind, complaint->Line(), CommandResult::kLocal);
  }
  Ruling ruling = AskRules(command);
  switch (ruling.verdict) {
    case Ruling::Verdict::kPass:
      return Forward(run, command, text.size(), line.size() - text.size());
    case Ruling::Verdict::kHold:
      return;
    case Ruling::Verdict::kDeny:
    case Ruling::Verdict::kDisconnect:
      break;
  }
  AnswerInstead(run, size, command.kind, std::move(ruling.line), CommandResult::kDenied);
  if (ruling.verdict == Ruling::Verdict::kDeny) return;
  state_ = State::kEnding;
  ending_ = CloseReason::kRule;
  EndIfAnswered();
}

// size: of the line without the spaces at its end.
void Pop3Engine::Forward(Run& run, const pop3::Command& command, std::size_t size,
                         std::size_t spaces) {
  run.at += size;
  if (spaces > 0) {
    ForwardToBackend(run);
    run.Skip(spaces);
    shard_.Elided(Protocol::kPop3, spaces);
    shard_.Rewritten(Protocol::kPop3, Rewrite::kSpaces);
  }
  run.at += 2;
  BeginCommand(command.kind).multiline = pop3::HasBody(command.kind, command.has_rest);
  if (command.kind == pop3::CommandKind::kQuit) {
    state_ = State::kEnding;
    ending_ = CloseReason::kLogout;
  }
}

const pop3::Complaint* Pop3Engine::Fault(const pop3::Command& command) const {
  const pop3::CommandTraits& traits = pop3::Traits(command.kind);
  if (!traits.relayed || IsHidden(command.kind)) return &pop3::kNoSuchCommand;
  const pop3::Arguments arguments = pop3::CountArguments(command);
  const bool fits = arguments.well_formed && arguments.count >= traits.min_arguments &&
                    arguments.count <= traits.max_arguments;
  return fits ? nullptr : &pop3::kBadArguments;
}

void Pop3Engine::ForwardToBackend(Run& run) {
  const std::string_view bytes = run.Take();
  if (!bytes.empty()) host_.ToBackend(bytes);
}

void Pop3Engine::AnswerInstead(Run& run, std::size_t size, pop3::CommandKind kind, std::string line,
                               CommandResult result) {
  ForwardToBackend(run);
  run.Skip(size);
  shard_.Elided(Protocol::kPop3, size);
  AnswerInLine(kind, std::move(line), result);
}

void Pop3Engine::AnswerInLine(pop3::CommandKind kind, std::string line, CommandResult result) {
  const bool first = in_flight_.empty();
  CommandRecord& record = BeginCommand(kind);
  if (first) {
    host_.ToClient(line);
    return EndCommand(result);
  }
  record.local = true;
  record.denied = result == CommandResult::kDenied;
  record.reply = std::move(line);
}

std::size_t Pop3Engine::ReadReplies(std::string_view bytes) {
  if (!host_.ClientHasRoom()) return 0;
  Run run(bytes);
  while (state_ != State::kDone && run.at < bytes.size()) {
    if (in_flight_.empty()) {
      if (StartsWithNoCase("-ERR", run.rest())) break;  // not told apart yet
      OnUnaskedReply(run);
      break;
    }
    MarkFirstByte();
    const pop3::Frame frame = reply_framer_.Next(run.rest(), kMaxCapabilityLine);
    if (frame.kind == Kind::kNeedMore) break;
    OnReplyFrame(run, frame);
  }
  if (state_ == State::kDone) return bytes.size();
  ForwardToClient(run);
  return run.at;
}

// A reply nobody waits for: whose would the next one be? But servers say -ERR before they close for
// their own reasons: idle for too long, shutting down.
void Pop3Engine::OnUnaskedReply(Run& run) {
  ForwardToClient(run);
  if (pop3::IsErr(run.rest())) return Break(CloseReason::kBackendClosed, pop3::kBackendGone);
  Break(CloseReason::kBackendProtocol, pop3::kBackendConfused);
}

void Pop3Engine::OnReplyFrame(Run& run, const pop3::Frame& frame) {
  switch (frame.kind) {
    case Kind::kNeedMore:
      return;
    case Kind::kLine:
      return OnStatusLine(run, frame.size);
    case Kind::kBody:
    case Kind::kBodyEnd:
      if (gathering_) return Gather(run, frame);
      run.at += frame.size;
      if (frame.kind == Kind::kBodyEnd) EndReply(run, CommandResult::kOk);
      return;
    case Kind::kTooLong:
    case Kind::kMalformed:
      ForwardToClient(run);
      return Break(CloseReason::kBackendProtocol, pop3::kBackendConfused);
  }
}

void Pop3Engine::OnStatusLine(Run& run, std::size_t size) {
  const CommandRecord& record = *in_flight_.front();
  const std::string_view line = run.rest().substr(0, size);
  const bool ok = pop3::IsOk(line);
  if (!ok && !pop3::IsErr(line)) {
    ForwardToClient(run);
    return Break(CloseReason::kBackendProtocol, pop3::kBackendConfused);
  }
  const bool body = ok && record.multiline;
  if (body) reply_framer_.BeginBody();
  if (body && record.command == static_cast<std::uint8_t>(pop3::CommandKind::kCapa)) {
    ForwardToClient(run);
    gathering_ = true;
    gathered_ = line;
    return run.Skip(size);
  }
  run.at += size;
  if (!body) EndReply(run, ok ? CommandResult::kOk : CommandResult::kErr);
}

void Pop3Engine::Gather(Run& run, const pop3::Frame& frame) {
  if (gathered_.size() + frame.size > kMaxCapabilityLine) {
    return Break(CloseReason::kBackendProtocol, pop3::kBackendConfused);
  }
  gathered_.append(run.rest().substr(0, frame.size));
  run.Skip(frame.size);
  if (frame.kind != Kind::kBodyEnd) return;
  SendCapabilities();
  EndReply(run, CommandResult::kOk);
}

void Pop3Engine::SendCapabilities() {
  const std::size_t status = gathered_.find("\r\n") + 2;
  const std::string_view listed = std::string_view(gathered_).substr(status);
  const std::string filtered = pop3::FilterCapabilities(
      listed, {listener().mechanisms, host_.plan().pass_capabilities(pool_), hidden()});
  if (gathered_.compare(status, gathered_.npos, filtered) != 0) {
    shard_.Rewritten(Protocol::kPop3, Rewrite::kCapability);
    gathered_.replace(status, gathered_.npos, filtered);
  }
  host_.ToClient(gathered_);
  gathered_ = {};
  gathering_ = false;
}

void Pop3Engine::ForwardToClient(Run& run) {
  const std::string_view bytes = run.Take();
  if (!bytes.empty()) host_.ToClient(bytes);
}

void Pop3Engine::EndReply(Run& run, CommandResult result) {
  EndCommand(result);
  if (kicked_ != nullptr) {
    ForwardToClient(run);
    return Break(ending_, *kicked_);
  }
  while (!in_flight_.empty() && in_flight_.front()->local) {
    ForwardToClient(run);
    const CommandRecord& record = *in_flight_.front();
    host_.ToClient(record.reply);
    EndCommand(record.denied ? CommandResult::kDenied : CommandResult::kLocal);
  }
  if (state_ != State::kEnding || !in_flight_.empty()) return;
  ForwardToClient(run);
  EndIfAnswered();
}

void Pop3Engine::BackendLost() {
  // Once QUIT is all that waits, a backend that just closes has said enough.
  const bool leaving = state_ == State::kEnding && ending_ == CloseReason::kLogout &&
                       in_flight_.size() == 1 && !reply_cut();
  if (leaving) return Finish(CloseReason::kLogout, Ending::kOrderly);
  Break(CloseReason::kBackendClosed, pop3::kBackendGone);
}

}  // namespace postern
