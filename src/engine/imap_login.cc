// The client's side of the login: its lines are read, and what cannot be a command is answered.
#include "engine/imap_login.h"

#include "engine/http_verb.h"
#include "postern/base/text.h"

namespace postern {

using imap::CommandKind;
using imap::Frame;

ImapOffer ImapLogin::Offer() const {
  const ClientFacts client = core_.host.client_facts();
  return {core_.host.plan().listener(client.listener), client};
}

bool ImapLogin::Hides(std::string_view capability) const {
  const SessionRules* rules = core_.host.rules();
  return rules != nullptr && rules->HidesCapability(capability);
}

std::string ImapLogin::Capabilities() const {
  const std::string names = Offer().Capabilities(core_.host.common_offer());
  const SessionRules* rules = core_.host.rules();
  return rules == nullptr ? names : WithoutHidden(names, *rules);
}

imap::CommandSet ImapLogin::Commands() const {
  imap::CommandSet commands = Offer().Commands();
  for (const CommandKind kind : {CommandKind::kId, CommandKind::kStarttls}) {
    if (Hides(imap::CommandName(kind))) commands.reset(static_cast<std::size_t>(kind));
  }
  return commands;
}

void ImapLogin::Greet() {
  core_.host.ToClient("* OK [CAPABILITY " + Capabilities() + "] " + core_.host.plan().name +
                      " ready\r\n");
}

bool ImapLogin::MayRead() const {
  return !core_.ended() && state_ != State::kBusy && state_ != State::kDone &&
         state_ != State::kSecuring;
}

// A line that is still coming: only AUTHENTICATE and what answers it may be longer than a LOGIN.
std::size_t ImapLogin::LineLimit(std::string_view bytes) const {
  if (state_ == State::kSasl || state_ == State::kChallenge) return kMaxSaslLine;
  if (bytes.size() < kMaxLineBeforeLogin) return kMaxLineBeforeLogin;
  const std::string_view beginning = bytes.substr(0, kMaxTag + sizeof(" AUTHENTICATE "));
  const imap::CommandStart start = imap::ParseCommandStart(beginning, kMaxTag);
  return start.kind == CommandKind::kAuthenticate ? kMaxSaslLine : kMaxLineBeforeLogin;
}

std::size_t ImapLogin::OnClientBytes(std::string_view bytes) {
  std::size_t consumed = 0;
  // Whatever comes between STARTTLS and TLS.
  if (state_ == State::kSecuring && !bytes.empty()) BeginTls(true);
  waits_for_room_ = false;
  while (MayRead()) {
    // A client that asks and asks, and does not read what it gets.
    waits_for_room_ = consumed < bytes.size() && !core_.host.ClientHasRoom();
    if (waits_for_room_) break;
    const std::string_view rest = bytes.substr(consumed);
    if (state_ == State::kCommand && !reader_.gathered() && BeginsLikeHttp(rest)) {
      core_.Finish(CloseReason::kHttp, EngineHost::Ending::kOrderly);
      break;
    }
    const Frame frame = framer_.Next(rest, LineLimit(rest));
    if (frame.kind == Frame::Kind::kNeedMore) break;
    consumed += frame.size;
    OnFrame(frame, rest);
    if (state_ == State::kSecuring && !core_.ended()) BeginTls(consumed < bytes.size());
  }
  core_.Elide(consumed);
  return consumed;
}

void ImapLogin::OnFrame(const Frame& frame, std::string_view bytes) {
  if (frame.kind == Frame::Kind::kLine) return OnLine(bytes.substr(0, frame.size - 2));
  if (frame.kind == Frame::Kind::kLiteral) return OnLiteral(bytes.substr(0, frame.size));
  // The tag, when the line came far enough to have one.
  if (state_ == State::kCommand) {
    reader_.First(bytes.substr(0, bytes.find_first_of(std::string_view("\r\n\0", 3))), {}, {});
  }
  Doubt();
}

void ImapLogin::OnLine(std::string_view line) {
  if (state_ == State::kSasl) return OnSasl(sasl_->Next(line));
  if (state_ == State::kChallenge) return OnChallengeAnswer(line);
  if (state_ == State::kSwallowTail) return OnSwallowTail(line);
  if (state_ == State::kLiteral) {
    state_ = State::kCommand;
    return OnStep(reader_.Next(line), line);
  }
  OnStep(reader_.First(line, Commands(), {}), line);
}

void ImapLogin::OnStep(Step step, std::string_view line) {
  if (RefuseLogin(step)) return;
  switch (step) {
    case Step::kDone:
      tag_.assign(reader_.tag());
      OnCommand(reader_.gathered() ? reader_.arguments() : line.substr(reader_.start().arguments));
      break;
    case Step::kGather:
      framer_.OpenLiteral(reader_.mark().size);
      if (reader_.mark().synchronising) core_.host.ToClient("+ OK\r\n");
      state_ = State::kLiteral;
      return;
    case Step::kTooBig:
      if (!reader_.mark().synchronising) return Doubt();
      tag_.assign(reader_.tag());
      Mistake(reader_.kind(), ImapText(Trouble::kTooBig, "this literal is too long"));
      break;
    case Step::kClumsy:
      tag_.assign(reader_.tag());
      Mistake(reader_.kind(), ImapText(Trouble::kClientBug, reader_.complaint()));
      break;
    case Step::kStream:
    case Step::kDoubt:
      return Doubt();
  }
  reader_.Reset();
}

void ImapLogin::OnLiteral(std::string_view piece) {
  if (state_ != State::kSwallow) {
    if (!reader_.Literal(piece)) Doubt();
  } else if (framer_.literal_left() == 0) {
    state_ = State::kSwallowTail;
  }
}

// The command was answered; a client that waits for a `+` knows that none comes.
void ImapLogin::OnSwallowTail(std::string_view line) {
  imap::LiteralMark mark;
  const imap::LineEnd end = imap::ReadLineEnd(line, &mark);
  if (end == imap::LineEnd::kDoubt) return Doubt();
  state_ = State::kCommand;
  if (end != imap::LineEnd::kLiteral || mark.synchronising) return;
  framer_.OpenLiteral(mark.size);
  state_ = mark.size == 0 ? State::kSwallowTail : State::kSwallow;
}

// STARTTLS was read. What came behind it was said by whoever could (SECURITY T-TLS-1).
void ImapLogin::BeginTls(bool bytes_behind) {
  if (bytes_behind) {
    core_.shard.StarttlsInjection(core_.host.client_facts().listener);
    return core_.Finish(CloseReason::kStarttlsInjection, EngineHost::Ending::kOrderly);
  }
  core_.host.ToClient(Tagged(tag_, "OK", "begin TLS"));
  core_.host.StartTls(Side::kClient);
}

void ImapLogin::OnClientSecured() {
  if (state_ != State::kSecuring) return;
  state_ = State::kCommand;
  framer_ = {};
  reader_.Reset();
  tag_.clear();
  errors_ = 0;
}

void ImapLogin::Answer(CommandKind kind, std::string_view status, std::string_view text) {
  errors_ = 0;
  core_.CountLocal(kind);
  core_.host.ToClient(Tagged(tag_, status, text));
}

void ImapLogin::Mistake(CommandKind kind, std::string_view text) {
  core_.CountLocal(kind);
  core_.host.ToClient(Tagged(tag_.empty() ? "*" : tag_, "BAD", text));
  if (++errors_ >= kMaxErrorsBeforeLogin) Bye(CloseReason::kClientProtocol, "too many errors");
}

void ImapLogin::Doubt() {
  const bool answered = state_ == State::kSwallow || state_ == State::kSwallowTail;
  const bool begun = state_ == State::kChallenge;
  const bool own_tag = begun || state_ == State::kSasl;
  const CommandKind kind = own_tag ? CommandKind::kAuthenticate : reader_.kind();
  const std::string_view tag = own_tag ? std::string_view(tag_) : reader_.tag();
  if (!answered && !begun) core_.CountLocal(kind);
  // A password may have crossed in the clear all the same.
  if (!answered && Offer().Refusal(kind) == Trouble::kTlsRequired) {
    core_.shard.PlaintextAttempt(core_.host.client_facts().listener);
  }
  if (!tag.empty() && !answered) {
    core_.host.ToClient(
        Tagged(tag, "BAD", ImapText(Trouble::kClientBug, "this cannot be read safely")));
  }
  Bye(CloseReason::kClientProtocol, "cannot tell where this command ends");
}

void ImapLogin::Abandoned() {
  if (state_ == State::kBusy || state_ == State::kChallenge) {
    core_.shard.Login(Protocol::kImap, mechanism_, LoginResult::kAborted);
  }
}

void ImapLogin::Bye(CloseReason reason, std::string_view text) {
  Abandoned();
  // Between the two layers nobody hears words.
  if (state_ != State::kSecuring) core_.host.ToClient("* BYE " + std::string(text) + "\r\n");
  core_.Finish(reason, EngineHost::Ending::kOrderly);
}

}  // namespace postern
