// The client's side of the relay: commands are read, judged and forwarded.
#include "engine/imap_relay.h"
#include "postern/base/text.h"
#include "postern/engine/limits.h"
#include "postern/engine/trouble.h"

namespace postern {

using imap::CommandKind;
using imap::Frame;

ImapRelay::ImapRelay(ImapCore& core) : core_(core), reader_(kMaxDepth) {}

bool ImapRelay::MayRead() const {
  switch (reading_) {
    case Reading::kLine:
      // Without room for what we may answer ourselves, the client has to read first.
      return !draining_ && core_.in_flight.size() < kMaxInFlight && core_.host.ClientHasRoom() &&
             core_.host.BackendHasRoom();
    case Reading::kStream:
      return core_.host.BackendHasRoom();
    case Reading::kAwaitPlus:
    case Reading::kHeld:
      return false;
    case Reading::kIdle:
      // A DONE before the backend took up the IDLE would be a command to it.
      return !idle_plus_due_;
    case Reading::kGather:
    case Reading::kTail:
    case Reading::kSwallow:
    case Reading::kSwallowTail:
    case Reading::kStopped:
      return true;
  }
  return true;
}

std::size_t ImapRelay::OnClientBytes(std::string_view bytes) {
  std::size_t consumed = 0;
  while (!core_.ended() && consumed < bytes.size() && MayRead()) {
    const std::string_view rest = bytes.substr(consumed);
    if (reading_ == Reading::kStopped) {
      core_.Elide(rest.size());
      consumed = bytes.size();
      break;
    }
    const Frame frame = framer_.Next(rest, kMaxHead);
    if (frame.kind == Frame::Kind::kNeedMore) break;
    OnClientFrame(frame, rest);
    // A line that a rule delays is read again.
    if (reading_ == Reading::kHeld && !reader_.gathered()) break;
    consumed += frame.size;
  }
  FlushRun();
  blocked_ = consumed < bytes.size() && !core_.ended() && !MayRead();
  if (draining_ || client_gone_) MaybeOver();
  return consumed;
}

void ImapRelay::OnClientFrame(const Frame& frame, std::string_view bytes) {
  switch (frame.kind) {
    case Frame::Kind::kLine:
      return OnClientLine(bytes.substr(0, frame.size));
    case Frame::Kind::kLiteral:
      return OnLiteralPiece(bytes.substr(0, frame.size));
    case Frame::Kind::kMalformed:
      return Malformed(bytes);
    case Frame::Kind::kNeedMore:
    case Frame::Kind::kLineHead:
    case Frame::Kind::kLineRest:
      return;
  }
}

// line: with its CRLF.
void ImapRelay::OnClientLine(std::string_view line) {
  const std::string_view content = line.substr(0, line.size() - 2);
  switch (reading_) {
    case Reading::kTail:
      return OnTail(line);
    case Reading::kSwallowTail:
      return OnSwallowTail(line);
    case Reading::kIdle:
      return OnIdleLine(line);
    case Reading::kLine:
      if (swallow_done_) {
        swallow_done_ = false;
        if (EqualsNoCase(content, "DONE")) return core_.Elide(line.size());
      }
      return OnStep(reader_.First(content, core_.relayable, core_.append_forms,
                                  core_.host.plan().pass_commands(core_.pool)),
                    line);
    case Reading::kGather:
    case Reading::kAwaitPlus:
    case Reading::kStream:
    case Reading::kSwallow:
    case Reading::kHeld:
    case Reading::kStopped:
      return core_.Finish(CloseReason::kInternal, EngineHost::Ending::kAbort);
  }
}

// What the reader makes of a line while nothing of the command is at the backend.
void ImapRelay::OnStep(Step step, std::string_view line) {
  if (step == Step::kDone && !reader_.gathered()) return OnWholeLine(line);
  core_.Elide(line.size());
  switch (step) {
    case Step::kDone:
      return OnWholeHead();
    case Step::kGather:
      return BeginGather();
    case Step::kStream:
      return BeginStream();
    case Step::kTooBig:
      return TooBig();
    case Step::kClumsy:
      return Clumsy(reader_.complaint());
    case Step::kDoubt:
      return Doubt(reader_.tag());
  }
}

void ImapRelay::OnWholeLine(std::string_view line) {
  const std::string_view head = line.substr(0, line.size() - 2 - reader_.trimmed());
  const std::string_view arguments = head.substr(reader_.start().arguments);
  const SessionRules* rules = core_.host.rules();
  if ((rules != nullptr || ruling_ != nullptr) && OnRules(rules, arguments, false)) {
    return reading_ == Reading::kHeld ? void() : core_.Elide(line.size());
  }
  if (OnOwnCommand(head, arguments)) return core_.Elide(line.size());
  const CommandKind kind = reader_.kind();
  CommandRecord& record = Begin(reader_.tag(), kind);
  if (reader_.trimmed() == 0) {
    Pass(line);
  } else {
    core_.Elide(line.size());
    core_.Rewritten(Rewrite::kSpaces);
    SendInstead(head);
  }
  if (kind == CommandKind::kIdle) {
    open_ = &record;
    idle_plus_due_ = true;
    mark_ = core_.host.now();
    reading_ = Reading::kIdle;
    return;
  }
  core_.Complete(record);
  if (kind == CommandKind::kLogout) reading_ = Reading::kStopped;
}

void ImapRelay::OnWholeHead() {
  const SessionRules* rules = core_.host.rules();
  if ((rules != nullptr || ruling_ != nullptr) && OnRules(rules, reader_.arguments(), false)) {
    return;
  }
  const std::string_view text = reader_.text();
  if (OnOwnCommand(text.substr(0, text.size() - 2), reader_.arguments())) {
    reader_.Reset();
    reading_ = Reading::kLine;
    return;
  }
  open_ = &Begin(reader_.tag(), reader_.kind(), !reader_.verb_replaced());
  at_backend_ = true;
  SendHead();
}

void ImapRelay::BeginGather() {
  if (reader_.mark().synchronising) {
    Reply("+ OK\r\n");
  } else {
    core_.Rewritten(Rewrite::kLiteral);
  }
  mark_ = core_.host.now();
  framer_.OpenLiteral(reader_.mark().size);
  reading_ = reader_.mark().size == 0 ? Reading::kTail : Reading::kGather;
}

void ImapRelay::BeginStream() {
  const SessionRules* rules = core_.host.rules();
  const bool ruled = !at_backend_ && (rules != nullptr || ruling_ != nullptr);
  if (ruled && OnRules(rules, reader_.arguments(), true)) return;
  const std::uint64_t limit = core_.host.plan().limits.append;
  const bool too_big =
      reader_.kind() != CommandKind::kSetmetadata && limit > 0 && reader_.mark().size > limit;
  // Behind a literal that the backend already has, or of a command it has already answered, there
  // is no way back to a command boundary.
  if (at_backend_ && (too_big || open_ == nullptr)) return Doubt(reader_.tag());
  if (too_big) return TooBig();
  if (!reader_.mark().synchronising) core_.Rewritten(Rewrite::kLiteral);
  if (!at_backend_) open_ = &Begin(reader_.tag(), reader_.kind());
  at_backend_ = true;
  SendHead();
}

// Sends the gathered head as far as the next literal, which waits for the backend's `+`.
void ImapRelay::SendHead() {
  FlushRun();
  const std::string& text = reader_.text();
  const std::vector<std::size_t>& stops = reader_.stops();
  const bool waits = next_stop_ < stops.size();
  const std::size_t end = waits ? stops[next_stop_++] : text.size();
  core_.Insert(std::string_view(text).substr(sent_, end - sent_));
  sent_ = end;
  if (!waits) return EndOfCommand();
  mark_ = core_.host.now();
  reading_ = Reading::kAwaitPlus;
}

// The backend is ready for the literal.
void ImapRelay::OnPlus() {
  core_.shard.BackendContinue(Protocol::kImap, core_.pool, core_.host.now() - mark_);
  if (sent_ < reader_.text().size()) return SendHead();
  reader_.TextSent();
  sent_ = next_stop_ = 0;
  mark_ = core_.host.now();
  framer_.OpenLiteral(reader_.mark().size);
  reading_ = reader_.mark().size == 0 ? Reading::kTail : Reading::kStream;
}

// The backend answered before it said `+`: what the client sends all the same is not forwarded.
void ImapRelay::LiteralRefused() {
  const bool streamed = !reader_.stops().empty() && reader_.stops().back() == reader_.text().size();
  const bool coming = streamed && !reader_.mark().synchronising;
  EndOfCommand();
  if (!coming) return;
  framer_.OpenLiteral(reader_.mark().size);
  reading_ = reader_.mark().size == 0 ? Reading::kSwallowTail : Reading::kSwallow;
}

void ImapRelay::EndOfCommand() {
  if (open_ != nullptr) core_.Complete(*open_);
  open_ = nullptr;
  at_backend_ = false;
  sent_ = next_stop_ = 0;
  reader_.Reset();
  ruling_.reset();
  reading_ = Reading::kLine;
}

void ImapRelay::OnLiteralPiece(std::string_view piece) {
  const bool over = framer_.literal_left() == 0;
  if (reading_ == Reading::kStream) {
    Pass(piece);
  } else {
    core_.Elide(piece.size());
  }
  if (reading_ == Reading::kSwallow) {
    if (over) reading_ = Reading::kSwallowTail;
    return;
  }
  // A backend may cut a name at a NUL; we would have judged another one (SECURITY 1.3).
  if (reading_ == Reading::kGather && !reader_.Literal(piece)) return Doubt(reader_.tag());
  if (!over) return;
  core_.shard.Upload(Protocol::kImap, core_.pool, core_.host.now() - mark_);
  reading_ = Reading::kTail;
}

void ImapRelay::OnTail(std::string_view line) {
  const Step step = reader_.Next(line.substr(0, line.size() - 2));
  if (!at_backend_) return OnStep(step, line);
  const bool goes_on = step == Step::kStream || step == Step::kDone;
  if (goes_on && RefusesMore(step == Step::kStream)) return core_.Elide(line.size());
  if (step == Step::kStream) {
    core_.Elide(line.size());
    return BeginStream();
  }
  if (step != Step::kDone) {
    core_.Elide(line.size());
    return Doubt(reader_.tag());
  }
  if (reader_.text() == line) {
    Pass(line);
  } else {
    FlushRun();
    core_.Elide(line.size());
    core_.Rewritten(Rewrite::kSpaces);
    core_.Insert(reader_.text());
  }
  EndOfCommand();
}

void ImapRelay::OnIdleLine(std::string_view line) {
  if (!EqualsNoCase(line.substr(0, line.size() - 2), "DONE")) {
    core_.Elide(line.size());
    const std::string tag = open_->tag;
    return Doubt(tag);
  }
  core_.shard.Idle(core_.pool, core_.host.now() - mark_);
  core_.Complete(*open_);
  open_ = nullptr;
  reading_ = Reading::kLine;
  Pass(line);
}

void ImapRelay::Pass(std::string_view bytes) {
  if (!run_.empty() && run_.data() + run_.size() == bytes.data()) {
    run_ = {run_.data(), run_.size() + bytes.size()};
    return;
  }
  FlushRun();
  run_ = bytes;
}

void ImapRelay::FlushRun() {
  if (!run_.empty() && !core_.ended()) core_.host.ToBackend(run_);
  run_ = {};
}

}  // namespace postern
