#include "postern/imap/named_mailboxes.h"

#include <array>
#include <optional>
#include <utility>

#include "postern/base/text.h"
#include "postern/imap/head.h"
#include "postern/imap/mailbox.h"

namespace postern::imap {
namespace {

using K = CommandKind;
using Role = MailboxRole;
using Kind = Arguments::Kind;

// Commands whose names are top-level arguments. A list counts as an argument.
struct Place {
  CommandKind command;
  std::uint8_t argument;
  Role role;
};
constexpr std::array kPlaces{
    Place{K::kSelect, 0, Role::kUse},      Place{K::kExamine, 0, Role::kUse},
    Place{K::kCreate, 0, Role::kNew},      Place{K::kDelete, 0, Role::kUse},
    Place{K::kRename, 0, Role::kUse},      Place{K::kRename, 1, Role::kNew},
    Place{K::kSubscribe, 0, Role::kUse},   Place{K::kUnsubscribe, 0, Role::kUse},
    Place{K::kStatus, 0, Role::kUse},      Place{K::kAppend, 0, Role::kTarget},
    Place{K::kCopy, 1, Role::kTarget},     Place{K::kMove, 1, Role::kTarget},
    Place{K::kReplace, 1, Role::kTarget},  Place{K::kGetquotaroot, 0, Role::kUse},
    Place{K::kSetacl, 0, Role::kUse},      Place{K::kDeleteacl, 0, Role::kUse},
    Place{K::kGetacl, 0, Role::kUse},      Place{K::kListrights, 0, Role::kUse},
    Place{K::kMyrights, 0, Role::kUse},    Place{K::kSetmetadata, 0, Role::kUse},
    Place{K::kGetmetadata, 0, Role::kUse}, Place{K::kGetmetadata, 1, Role::kUse},
    Place{K::kResetkey, 0, Role::kUse},
};

bool IsText(const Arguments::Argument& argument) {
  return argument.kind == Kind::kAtom || argument.kind == Kind::kString;
}

// Behind an opening parenthesis: to the closing one that belongs to it.
void SkipList(Arguments& walk) {
  for (int depth = 1; depth > 0;) {
    const Kind kind = walk.Next().kind;
    if (kind == Kind::kEnd) return;
    if (kind == Kind::kOpen) ++depth;
    if (kind == Kind::kClose) --depth;
  }
}

void AddUrl(std::string_view url, std::vector<NamedMailbox>& out) {
  std::optional<std::string> name = DecodeUrlMailbox(url);
  if (name) out.push_back({std::move(*name), Role::kUse});
}

// The URLs among the parts of CATENATE: `URL "/box/;UID=2"` (RFC 4469 §5).
void FindParts(Arguments& walk, std::vector<NamedMailbox>& out) {
  for (Arguments::Argument part = walk.Next(); part.kind != Kind::kEnd; part = walk.Next()) {
    if (part.kind != Kind::kAtom || !EqualsNoCase(part.value, "URL")) continue;
    part = walk.Next();
    if (IsText(part)) AddUrl(part.value, out);
  }
}

void FindInPlaces(CommandKind command, std::string_view head, std::vector<NamedMailbox>& out) {
  Arguments walk(head);
  for (std::uint8_t index = 0; index < 2; ++index) {
    Arguments::Argument argument = walk.Next();
    if (argument.kind == Kind::kOpen) SkipList(walk);
    if (!IsText(argument)) continue;
    for (const Place& place : kPlaces) {
      if (place.command != command || place.argument != index) continue;
      out.push_back({std::move(argument.value), place.role});
      // The options of GETMETADATA are a list, and may stand in front (RFC 5464 §4.2).
      if (command == K::kGetmetadata) return;
      break;
    }
    // Behind the mailbox anything may come, a URL at once.
    if (command == K::kAppend) break;
  }
  if (command == K::kAppend || command == K::kReplace) FindParts(walk, out);
}

void AddPattern(const std::string& reference, std::string pattern, std::vector<NamedMailbox>& out) {
  if (!reference.empty()) out.push_back({reference + pattern, Role::kPattern});
  out.push_back({std::move(pattern), Role::kPattern});
}

// LIST [options] reference pattern-or-list [RETURN ...] (RFC 5258 §6).
void FindPatterns(std::string_view head, std::vector<NamedMailbox>& out) {
  Arguments walk(head);
  Arguments::Argument argument = walk.Next();
  if (argument.kind == Kind::kOpen) {
    SkipList(walk);
    argument = walk.Next();
  }
  const std::string reference = std::move(argument.value);
  argument = walk.Next();
  if (IsText(argument)) return AddPattern(reference, std::move(argument.value), out);
  for (argument = walk.Next(); IsText(argument); argument = walk.Next()) {
    AddPattern(reference, std::move(argument.value), out);
  }
}

bool IsFilter(const Arguments::Argument& argument) {
  return argument.kind == Kind::kAtom &&
         (EqualsNoCase(argument.value, "mailboxes") || EqualsNoCase(argument.value, "subtree") ||
          EqualsNoCase(argument.value, "subtree-one"));
}

// The filters of NOTIFY and ESEARCH: `subtree (a b)`, `mailboxes a` (RFC 5465 §6, RFC 7377 §2.2).
void FindFilters(std::string_view head, std::vector<NamedMailbox>& out) {
  Arguments walk(head);
  for (Arguments::Argument word = walk.Next(); word.kind != Kind::kEnd; word = walk.Next()) {
    if (!IsFilter(word)) continue;
    Arguments::Argument name = walk.Next();
    const bool list = name.kind == Kind::kOpen;
    if (list) name = walk.Next();
    for (; IsText(name); name = walk.Next()) {
      out.push_back({std::move(name.value), Role::kPattern});
      if (!list) break;
    }
  }
}

void FindAll(std::string_view head, bool urls, std::vector<NamedMailbox>& out) {
  Arguments walk(head);
  for (Arguments::Argument word = walk.Next(); word.kind != Kind::kEnd; word = walk.Next()) {
    if (!IsText(word)) continue;
    urls ? AddUrl(word.value, out) : out.push_back({std::move(word.value), Role::kUse});
  }
}

}  // namespace

void FindMailboxes(CommandKind kind, std::string_view head, std::vector<NamedMailbox>& out) {
  if (kind == K::kList || kind == K::kLsub || kind == K::kXlist) return FindPatterns(head, out);
  if (kind == K::kNotify || kind == K::kEsearch) return FindFilters(head, out);
  const bool urls = kind == K::kGenurlauth || kind == K::kUrlfetch;
  if (urls || kind == K::kOther) return FindAll(head, urls, out);
  FindInPlaces(kind, head, out);
}

void FindMailboxesBehindLiteral(std::string_view part, std::vector<NamedMailbox>& out) {
  Arguments walk(part);
  FindParts(walk, out);
}

}  // namespace postern::imap
