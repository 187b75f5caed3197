// Where Postern speaks for itself inside a relayed session: commands that it answers or of which it
// changes the arguments, and its own words to the client.
#include <string>

#include "engine/imap_relay.h"
#include "postern/base/text.h"
#include "postern/engine/limits.h"
#include "postern/engine/trouble.h"
#include "postern/imap/capability.h"

namespace postern {

using imap::Arguments;
using imap::CommandKind;

namespace {

bool IsString(const Arguments::Argument& argument) {
  return argument.kind == Arguments::Kind::kAtom || argument.kind == Arguments::Kind::kString;
}

}  // namespace

// True when the command was dealt with; false: forward it as it is.
bool ImapRelay::OnOwnCommand(std::string_view head, std::string_view arguments) {
  if (reader_.kind() == CommandKind::kId) return OnId(head, arguments);
  if (reader_.kind() == CommandKind::kEnable) return OnEnable(arguments);
  return false;
}

// The client's identity is ours to state (DESIGN 2.7): x-* keys would be believed by a backend that
// trusts us.
bool ImapRelay::OnId(std::string_view head, std::string_view arguments) {
  const std::string tag(reader_.tag());
  if (const std::optional<Refusal> refusal = core_.LearnId(arguments)) {
    FlushRun();
    core_.Count(CommandKind::kId, CommandResult::kDenied);
    Bye(CloseReason::kRule, ImapText(refusal->trouble, refusal->text));
    return true;
  }
  if (!core_.backend_has_id) {
    AnswerHere("* ID (\"name\" \"Postern\")\r\n" + Tagged(tag, "OK", "done"));
    return true;
  }
  std::string kept;
  bool dropped = false;
  Arguments walk(arguments);
  Arguments::Argument key = walk.Next();
  if (key.kind != Arguments::Kind::kOpen) return false;
  for (key = walk.Next(); key.kind != Arguments::Kind::kClose; key = walk.Next()) {
    const Arguments::Argument value = walk.Next();
    // Lists and odd numbers: what a backend would make of them is not for us to guess.
    if (!IsString(key) || !IsString(value)) {
      AnswerHere(
          Tagged(tag, "BAD", ImapText(Trouble::kClientBug, "ID takes a list of names and values")));
      return true;
    }
    const bool nil = value.kind == Arguments::Kind::kAtom && EqualsNoCase(value.value, "NIL");
    const std::optional<std::string> name = imap::Quote(key.value);
    const std::optional<std::string> quoted = imap::Quote(value.value);
    if (StartsWithNoCase(key.value, "x-") || !name || !quoted) {
      dropped = true;
      continue;
    }
    kept.append(kept.empty() ? "" : " ").append(*name).append(" ").append(nil ? "NIL" : *quoted);
  }
  if (!dropped) return false;
  core_.Rewritten(Rewrite::kId);
  core_.Complete(Begin(tag, CommandKind::kId));
  SendInstead(std::string(head.substr(0, reader_.start().arguments)) +
              (kept.empty() ? " NIL" : " (" + kept + ")"));
  return true;
}

// What the client may not know of, it may not switch on.
bool ImapRelay::OnEnable(std::string_view arguments) {
  const SessionRules* rules = core_.host.rules();
  const auto trusted = core_.host.plan().pass_capabilities(core_.pool);
  std::string kept;
  bool dropped = false;
  Arguments walk(arguments);
  for (Arguments::Argument name = walk.Next(); name.kind != Arguments::Kind::kEnd;
       name = walk.Next()) {
    if (imap::MayPass(name.value, trusted) &&
        (rules == nullptr || !rules->HidesCapability(name.value))) {
      kept.append(" ").append(name.value);
    } else {
      dropped = true;
    }
  }
  if (!dropped) return false;
  const std::string tag(reader_.tag());
  core_.Rewritten(Rewrite::kEnable);
  if (kept.empty()) {
    AnswerHere("* ENABLED\r\n" + Tagged(tag, "OK", "done"));
    return true;
  }
  core_.Complete(Begin(tag, CommandKind::kEnable));
  SendInstead(tag + " ENABLE" + kept);
  return true;
}

CommandRecord& ImapRelay::Begin(std::string_view tag, CommandKind kind, bool as_it_came) {
  CommandRecord& record = core_.Begin(tag, kind);
  record.behind_idle = idle_plus_due_;
  selection_.Begun(record, as_it_came);
  return record;
}

void ImapRelay::AnswerHere(std::string_view text) {
  core_.CountLocal(reader_.kind());
  Reply(text);
}

// line: without CRLF. What it replaces was counted as elided.
void ImapRelay::SendInstead(std::string_view line) {
  FlushRun();
  core_.Insert(std::string(line) + "\r\n");
}

void ImapRelay::Reply(std::string_view text) {
  if (responses_.at_boundary() && replies_.empty()) return core_.host.ToClient(text);
  replies_.append(text);
  // A client that keeps asking without reading what it gets.
  if (replies_.size() > kMaxPendingReplies) {
    FlushRun();
    core_.Finish(CloseReason::kClientProtocol, EngineHost::Ending::kAbort);
  }
}

void ImapRelay::Bye(CloseReason reason, std::string_view text) {
  Reply("* BYE " + std::string(text) + "\r\n");
  reading_ = Reading::kStopped;
  if (replies_.empty()) return core_.Finish(reason, EngineHost::Ending::kOrderly);
  ends_at_boundary_ = true;
  ending_ = reason;
}

}  // namespace postern
