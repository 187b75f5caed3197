#include "engine/imap_facts.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "postern/base/text.h"
#include "postern/imap/head.h"

namespace postern {

using imap::Arguments;
using imap::CommandKind;
using Kind = Arguments::Kind;

namespace {

bool Contains(std::string_view text, std::string_view upper) {
  return ToUpper(text).find(upper) != std::string::npos;
}

// An item that is or begins RFC822 and is not one of those that only look at headers.
bool IsWholeMessage(std::string_view item) {
  const std::string upper = ToUpper(item);
  for (std::size_t at = upper.find("RFC822"); at != upper.npos; at = upper.find("RFC822", at + 1)) {
    const std::string_view behind = std::string_view(upper).substr(at + 6);
    if (!behind.starts_with(".SIZE") && !behind.starts_with(".HEADER")) return true;
  }
  return false;
}

}  // namespace

void ImapFacts::Gather(const SessionRules& rules, CommandKind kind, std::string_view head,
                       std::optional<std::uint64_t> streamed) {
  kind_ = kind;
  size_ = streamed;
  if (rules.AsksMailbox()) imap::FindMailboxes(kind, head, mailboxes_);
  if (rules.AsksArgument()) argument_ = DecodedArguments(head, streamed.has_value());
}

bool ImapFacts::GatherBehindLiteral(std::string_view part, std::optional<std::uint64_t> streamed,
                                    bool in_list) {
  const std::uint64_t before = in_list && !part.starts_with(')') ? size_.value_or(0) : 0;
  if (streamed)
    *streamed += std::min(before, std::numeric_limits<std::uint64_t>::max() - *streamed);
  size_ = streamed;
  const std::size_t named = mailboxes_.size();
  imap::FindMailboxesBehindLiteral(part, mailboxes_);
  return mailboxes_.size() > named;
}

CommandFacts ImapFacts::facts() {
  names_.clear();
  for (const imap::NamedMailbox& mailbox : mailboxes_) names_.push_back(mailbox.name);
  CommandFacts facts;
  facts.command = static_cast<std::uint8_t>(kind_);
  facts.mailboxes = names_;
  facts.argument = argument_;
  facts.size = size_;
  return facts;
}

std::string DecodedArguments(std::string_view head, bool streamed) {
  std::string all;
  Arguments walk(head);
  bool glued = true;  // nothing yet, or an opening parenthesis
  Arguments::Argument argument = walk.Next();
  while (argument.kind != Kind::kEnd) {
    const bool close = argument.kind == Kind::kClose;
    Arguments::Argument next = walk.Next();
    if (streamed && next.kind == Kind::kEnd) return all;
    if (!glued && !close && argument.spaced) all.push_back(' ');
    if (argument.kind == Kind::kOpen) all.push_back('(');
    if (close) all.push_back(')');
    all.append(argument.value);
    glued = argument.kind == Kind::kOpen;
    argument = std::move(next);
  }
  return all;
}

bool SetsSeen(std::string_view head) {
  Arguments walk(head);
  walk.Next();  // the messages
  for (Arguments::Argument item = walk.Next(); item.kind != Kind::kEnd; item = walk.Next()) {
    if (Contains(item.value, "BODY[") || Contains(item.value, "BINARY[")) return true;
    if (IsWholeMessage(item.value)) return true;
  }
  return false;
}

bool IsHidden(const SessionRules& rules, CommandKind kind, bool uid) {
  if (rules.hidden_capabilities().empty()) return false;
  if (kind == CommandKind::kId) return rules.HidesCapability("ID");
  if (kind == CommandKind::kExpunge) return uid && rules.HidesCapability("UIDPLUS");
  // A pattern stands for the command where no plain name does: THREAD=*.
  std::string_view names = imap::Traits(kind).capabilities;
  const bool plain = names.find('*') == names.npos || names.find('|') != names.npos;
  while (!names.empty()) {
    const std::size_t bar = std::min(names.find('|'), names.size());
    const std::string_view name = names.substr(0, bar);
    names.remove_prefix(std::min(bar + 1, names.size()));
    if (plain && !name.ends_with('*') && rules.HidesCapability(name)) return true;
    if (plain) continue;
    for (const std::string& hidden : rules.hidden_capabilities()) {
      if (StartsWithNoCase(hidden, name.substr(0, name.size() - 1))) return true;
    }
  }
  return false;
}

bool MayBeUrl(std::string_view head, const imap::LiteralMark& mark) {
  if (mark.binary) return false;
  head = head.substr(0, std::min(head.rfind('{'), head.size()));
  head = head.substr(0, imap::TrimmedLength(head));
  const std::string_view word = head.substr(head.size() - std::min<std::size_t>(head.size(), 4));
  return !EqualsNoCase(word, "TEXT");
}

}  // namespace postern
