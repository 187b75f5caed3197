// What the rules make of a client's commands before any of a command is at the backend (DESIGN 1.3,
// 2.3).
#include <utility>

#include "engine/imap_relay.h"
#include "postern/engine/limits.h"
#include "postern/engine/trouble.h"

namespace postern {

using imap::CommandKind;
using Verdict = Decision::Verdict;

namespace {

constexpr std::string_view kSelectAgain =
    "this account may only be read since this mailbox was selected: select it again";

}  // namespace

// True when the command was dealt with, or waits. arguments: what follows the verb, to the end or
// to a streamed literal. What a rule said before a pause still holds when the rules are gone.
bool ImapRelay::OnRules(const SessionRules* rules, std::string_view arguments, bool streamed) {
  const bool waited = ruling_ != nullptr;
  if (!waited && rules->Concerns(static_cast<std::uint8_t>(reader_.kind()))) {
    Judge(*rules, arguments, streamed);
  }
  if (ruling_ != nullptr) {
    if (!waited && ruling_->delay > Duration::zero()) {
      Hold();
      return true;
    }
    const bool refused = Enforce(*ruling_);
    if (refused || !streamed) ruling_.reset();
    if (refused) return true;
  }
  return rules != nullptr && OnSessionRules(*rules, arguments, streamed);
}

void ImapRelay::Judge(const SessionRules& rules, std::string_view arguments, bool streamed) {
  ImapFacts facts;
  const std::uint64_t size = streamed ? reader_.mark().size : 0;
  facts.Gather(rules, reader_.kind(), arguments, streamed ? std::optional(size) : std::nullopt);
  const Decision decision = core_.host.Judge(facts.facts());
  if (!decision.refused() && decision.delay == Duration::zero() && !streamed) return;
  ruling_ = std::make_unique<ImapRuling>();
  ruling_->verdict = decision.verdict;
  ruling_->delay = decision.delay;
  ruling_->streamed = streamed;
  ruling_->facts = std::move(facts);
  if (!decision.refused()) return;
  const std::string_view text = core_.host.RuleText(decision.verdict_rule);
  const bool tls = decision.verdict == Verdict::kTlsTooLow;
  ruling_->text = decision.verdict == Verdict::kDisconnect
                      ? std::string(text)
                      : ImapText(tls ? Trouble::kTlsRequired : Trouble::kNoPermission, text);
}

// A whole line is given again and read anew; a gathered head is kept.
void ImapRelay::Hold() {
  FlushRun();
  if (!reader_.gathered()) reader_.Reset();
  reading_ = Reading::kHeld;
  core_.host.Pause(ruling_->delay);
}

void ImapRelay::OnPauseOver() {
  if (reading_ != Reading::kHeld) return;
  reading_ = Reading::kLine;
  if (reader_.gathered()) ruling_->streamed ? BeginStream() : OnWholeHead();
  if (draining_ || client_gone_) MaybeOver();
}

// True when the command is refused.
bool ImapRelay::Enforce(const ImapRuling& ruling) {
  switch (ruling.verdict) {
    case Verdict::kNone:
    case Verdict::kAllow:
      return false;
    case Verdict::kDeny:
    case Verdict::kTlsTooLow:
      Deny(ruling.text, ruling.streamed);
      return true;
    case Verdict::kDisconnect:
      FlushRun();
      core_.Count(reader_.kind(), CommandResult::kDenied);
      Bye(CloseReason::kRule, ruling.text);
      return true;
  }
  return false;
}

// What holds for the whole session: hidden things, and read-only.
bool ImapRelay::OnSessionRules(const SessionRules& rules, std::string_view arguments,
                               bool streamed) {
  if (IsHidden(rules, reader_.kind(), reader_.start().uid)) {
    Refuse("BAD", ImapText(Trouble::kClientBug, "this command is not known here"), streamed);
    return true;
  }
  // What read-only refuses, it refuses alike whether the mailbox is hidden or not.
  const bool refused = rules.read_only() && imap::Traits(reader_.kind()).changes;
  if (rules.hides_mailboxes() && !refused) {
    if (const std::optional<HiddenAnswer> answer = JudgeHidden(rules, reader_.kind(), arguments)) {
      Deny(ImapText(answer->trouble, answer->text), streamed);
      return true;
    }
  }
  if (rules.read_only() && OnReadOnly(rules.read_only_rule(), arguments, streamed)) return true;
  return streamed && RefusesUrl(rules);
}

bool ImapRelay::RefusesUrl(const SessionRules& rules) {
  if (!MayBeHiddenUrl(rules)) return false;
  Deny(ImapText(Trouble::kNoPermission, "a URL may not be a literal here"), true);
  return true;
}

// A literal inside a list of APPEND's and REPLACE's is a text, or a URL that nobody looks at.
bool ImapRelay::MayBeHiddenUrl(const SessionRules& rules) const {
  const bool message =
      reader_.kind() == CommandKind::kAppend || reader_.kind() == CommandKind::kReplace;
  const bool asked =
      rules.hides_mailboxes() ||
      (rules.AsksMailbox() && rules.Concerns(static_cast<std::uint8_t>(reader_.kind())));
  return message && asked && reader_.mark_in_list() && MayBeUrl(reader_.text(), reader_.mark());
}

bool ImapRelay::OnReadOnly(RuleId rule, std::string_view arguments, bool streamed) {
  const CommandKind kind = reader_.kind();
  if (imap::Traits(kind).changes) {
    Deny(ImapText(Trouble::kNoPermission, core_.host.RuleText(rule)), streamed);
    return true;
  }
  if (kind == CommandKind::kSelect) return SendAsExamine(arguments);
  if (!selection_.writable()) return false;
  if (kind == CommandKind::kClose) {
    if (!core_.relayable[static_cast<std::size_t>(CommandKind::kUnselect)]) {
      Deny(ImapText(Trouble::kNoPermission, kSelectAgain), streamed);
    } else {
      core_.Rewritten(Rewrite::kUnselect);
      core_.Complete(Begin(reader_.tag(), kind));
      SendInstead(std::string(reader_.tag()) + " UNSELECT");
    }
    return true;
  }
  if (kind != CommandKind::kFetch || !SetsSeen(arguments)) return false;
  Deny(ImapText(Trouble::kNoPermission, kSelectAgain), streamed);
  return true;
}

// A gathered head goes its way with another verb.
bool ImapRelay::SendAsExamine(std::string_view arguments) {
  core_.Rewritten(Rewrite::kExamine);
  if (reader_.gathered()) {
    reader_.ReplaceVerb(imap::CommandName(CommandKind::kExamine));
    return false;
  }
  core_.Complete(Begin(reader_.tag(), reader_.kind(), false));
  SendInstead(std::string(reader_.tag()) + " EXAMINE" + std::string(arguments));
  return true;
}

void ImapRelay::Deny(std::string_view text, bool streamed) {
  const bool selects =
      reader_.kind() == CommandKind::kSelect || reader_.kind() == CommandKind::kExamine;
  if (!selects) return Refuse("NO", text, streamed);
  // A SELECT that fails deselects, at the backend too (DESIGN 2.3).
  core_.Rewritten(Rewrite::kDeselect);
  CommandRecord& record = Begin(reader_.tag(), reader_.kind(), false);
  record.reply.assign(text);
  core_.Complete(record);
  SendInstead(record.tag + " EXAMINE \"\"");
  reader_.Reset();
  reading_ = Reading::kLine;
}

// Nothing of the command is at the backend, and nothing will be.
void ImapRelay::Refuse(std::string_view status, std::string_view text, bool streamed) {
  const bool coming = streamed && !reader_.mark().synchronising;
  core_.Count(reader_.kind(), CommandResult::kDenied);
  Reply(Tagged(reader_.tag(), status, text));
  reader_.Reset();
  reading_ = Reading::kLine;
  if (!coming) return;
  framer_.OpenLiteral(reader_.mark().size);
  reading_ = reader_.mark().size == 0 ? Reading::kSwallowTail : Reading::kSwallow;
}

// More of a command that the backend has a literal of: there is no way back to a boundary. True
// when the session has ended.
bool ImapRelay::RefusesMore(bool streamed) {
  const SessionRules* rules = core_.host.rules();
  if (rules == nullptr) return false;
  const bool hidden = rules->hides_mailboxes() && reader_.kind() != CommandKind::kSetmetadata &&
                      JudgeHiddenBehindLiteral(*rules, reader_.text());
  const bool refused =
      hidden || (streamed && MayBeHiddenUrl(*rules)) || DeniesMore(*rules, streamed);
  if (!refused) return false;
  FlushRun();
  const std::string tag(reader_.tag());
  if (open_ != nullptr) {
    Reply(Tagged(tag, "NO", ImapText(Trouble::kNoPermission, "a rule refuses this command")));
  }
  Bye(CloseReason::kRule, "a rule refuses what this command goes on with");
  return true;
}

bool ImapRelay::DeniesMore(const SessionRules& rules, bool streamed) {
  if (ruling_ == nullptr || !rules.Concerns(static_cast<std::uint8_t>(reader_.kind())))
    return false;
  const std::uint64_t size = streamed ? reader_.mark().size : 0;
  const bool more = ruling_->facts.GatherBehindLiteral(
      reader_.text(), streamed ? std::optional(size) : std::nullopt, reader_.mark_in_list());
  return (more || streamed) && core_.host.Judge(ruling_->facts.facts()).refused();
}

}  // namespace postern
