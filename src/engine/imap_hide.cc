#include "engine/imap_hide.h"

#include <algorithm>
#include <vector>

#include "postern/base/text.h"
#include "postern/engine/limits.h"
#include "postern/imap/named_mailboxes.h"
#include "postern/imap/response_names.h"

namespace postern {

using imap::CommandKind;
using imap::FilteredNames;
using imap::MailboxRole;
using imap::NamedMailbox;

namespace {

constexpr std::string_view kGone = "Mailbox does not exist";

imap::HidesName HidesOf(const SessionRules* rules) {
  return [rules](std::string_view name) { return rules != nullptr && rules->HidesMailbox(name); };
}

HiddenAnswer AnswerFor(MailboxRole role) {
  switch (role) {
    case MailboxRole::kUse:
    case MailboxRole::kPattern:
      return {Trouble::kMissing, kGone};
    case MailboxRole::kTarget:
      return {Trouble::kTryCreate, kGone};
    case MailboxRole::kNew:
      return {Trouble::kCannot, "a mailbox of this name cannot be made here"};
  }
  return {Trouble::kMissing, kGone};
}

// Whether a server that keeps mailboxes as files may walk out of the name: a/../b.
bool Wanders(std::string_view name) {
  constexpr std::string_view kSlashes = "/\\";
  while (true) {
    const std::size_t end = std::min(name.find_first_of(kSlashes), name.size());
    const std::string_view part = name.substr(0, end);
    if (part == "." || part == "..") return true;
    if (end == name.size()) return false;
    name.remove_prefix(end + 1);
  }
}

// Items with which some servers tell in which mailbox a message really is.
bool AsksForNames(CommandKind kind, std::string_view head) {
  if (kind != CommandKind::kFetch && kind != CommandKind::kSearch && kind != CommandKind::kSort &&
      kind != CommandKind::kThread && kind != CommandKind::kStore && kind != CommandKind::kNotify) {
    return false;
  }
  for (std::size_t x = head.find_first_of("xX"); x != head.npos;
       x = head.find_first_of("xX", x + 1)) {
    const std::string_view rest = head.substr(x);
    for (const std::string_view item : {"X-MAILBOX", "X-REAL-MAILBOX", "X-GM-"}) {
      if (StartsWithNoCase(rest, item)) return true;
    }
  }
  return false;
}

bool ListsOnly(CommandKind kind) {
  return kind == CommandKind::kList || kind == CommandKind::kLsub || kind == CommandKind::kXlist;
}

std::optional<HiddenAnswer> JudgeNames(const SessionRules& rules, CommandKind kind,
                                       const std::vector<NamedMailbox>& names) {
  for (const NamedMailbox& mailbox : names) {
    // Of a command that is not in the table every string is taken for a name.
    const bool wanders = kind != CommandKind::kOther && Wanders(mailbox.name);
    if (wanders || rules.HidesMailbox(mailbox.name)) return AnswerFor(mailbox.role);
  }
  return std::nullopt;
}

}  // namespace

std::optional<HiddenAnswer> JudgeHidden(const SessionRules& rules, CommandKind kind,
                                        std::string_view head) {
  if (ListsOnly(kind)) return std::nullopt;
  if (AsksForNames(kind, head)) {
    return HiddenAnswer{Trouble::kNoPermission, "these items are not available here"};
  }
  std::vector<NamedMailbox> names;
  imap::FindMailboxes(kind, head, names);
  std::optional<HiddenAnswer> answer = JudgeNames(rules, kind, names);
  // Its children go with it, to names that no pattern may match; INBOX leaves its children behind
  // (RFC 9051 §6.3.6). DELETE does not touch children (§6.3.5).
  const bool moves = kind == CommandKind::kRename && !names.empty();
  const bool leaves = !moves || EqualsNoCase(names.front().name, "INBOX");
  if (answer || leaves || !rules.MayHideBelow(names.front().name)) return answer;
  return HiddenAnswer{Trouble::kCannot, "this mailbox cannot be renamed here"};
}

std::optional<HiddenAnswer> JudgeHiddenBehindLiteral(const SessionRules& rules,
                                                     std::string_view part) {
  std::vector<NamedMailbox> names;
  imap::FindMailboxesBehindLiteral(part, names);
  return JudgeNames(rules, CommandKind::kAppend, names);
}

ImapHide::Step ImapHide::OnFrame(const SessionRules* rules, std::string_view frame, bool ends) {
  if (state_ == State::kDropping) {
    if (ends) state_ = State::kIdle;
    return Step::kTaken;
  }
  if (state_ == State::kIdle) {
    if (rules == nullptr || !rules->hides_mailboxes()) return Step::kPass;
    const imap::ResponseHead head = imap::ParseResponseHead(frame.substr(0, frame.find("\r\n")));
    if (!imap::MayNameMailbox(head.word)) return Step::kPass;
    if (ends) return Judge(rules, frame, true);
    text_.clear();
    state_ = State::kHolding;
  }
  text_.append(frame);
  if (!ends && text_.size() <= kMaxHeldResponse) return Step::kTaken;
  const std::string held = std::move(text_);
  text_ = {};
  return Judge(rules, held, ends);
}

// response: all of it, or as much as may be held.
ImapHide::Step ImapHide::Judge(const SessionRules* rules, std::string_view response, bool ends) {
  const bool held = state_ == State::kHolding;
  state_ = State::kIdle;
  FilteredNames filtered = imap::FilterNames(response, ends, HidesOf(rules));
  switch (filtered.verdict) {
    case FilteredNames::Verdict::kKeep:
      if (!held) return Step::kPass;
      text_.assign(response);
      return Step::kSend;
    case FilteredNames::Verdict::kRewrite:
      text_ = std::move(filtered.text);
      return Step::kSend;
    case FilteredNames::Verdict::kDrop:
      if (!ends) state_ = State::kDropping;
      return Step::kTaken;
    case FilteredNames::Verdict::kTooEarly:
      return Step::kNonsense;
  }
  return Step::kNonsense;
}

}  // namespace postern
