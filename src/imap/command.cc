#include "postern/imap/command.h"

#include <algorithm>
#include <array>

#include "postern/base/text.h"

namespace postern::imap {
namespace {

using K = CommandKind;
using L = Literals;

// kind, name, capabilities, in rev2, least, most, literals, literal arguments, streamed from, uid,
// relayed, changes
constexpr std::array<CommandTraits, kCommandCount> kTable = {{
    {K::kOther, "other", "", false, 0, kMany, L::kNone, 0, 0, false, false, true},
    {K::kCapability, "CAPABILITY", "", false, 0, 0, L::kNone, 0, 0, false, true, false},
    {K::kNoop, "NOOP", "", false, 0, 0, L::kNone, 0, 0, false, true, false},
    {K::kLogout, "LOGOUT", "", false, 0, 0, L::kNone, 0, 0, false, true, false},
    {K::kStarttls, "STARTTLS", "", false, 0, 0, L::kNone, 0, 0, false, false, false},
    {K::kAuthenticate, "AUTHENTICATE", "", false, 1, 2, L::kNone, 0, 0, false, false, false},
    {K::kLogin, "LOGIN", "", false, 2, 2, L::kMailbox, 0b11, 0, false, false, false},
    {K::kId, "ID", "", false, 1, 1, L::kAnywhere, 0, 0, false, true, false},
    {K::kSelect, "SELECT", "", false, 1, 2, L::kMailbox, 0b1, 0, false, true, false},
    {K::kExamine, "EXAMINE", "", false, 1, 2, L::kMailbox, 0b1, 0, false, true, false},
    {K::kCreate, "CREATE", "", false, 1, 2, L::kMailbox, 0b1, 0, false, true, true},
    {K::kDelete, "DELETE", "", false, 1, 1, L::kMailbox, 0b1, 0, false, true, true},
    {K::kRename, "RENAME", "", false, 2, 2, L::kMailbox, 0b11, 0, false, true, true},
    {K::kSubscribe, "SUBSCRIBE", "", false, 1, 1, L::kMailbox, 0b1, 0, false, true, true},
    {K::kUnsubscribe, "UNSUBSCRIBE", "", false, 1, 1, L::kMailbox, 0b1, 0, false, true, true},
    {K::kList, "LIST", "", false, 2, kMany, L::kAnywhere, 0, 0, false, true, false},
    {K::kLsub, "LSUB", "", false, 2, 2, L::kMailbox, 0b11, 0, false, true, false},
    {K::kXlist, "XLIST", "XLIST", false, 2, 2, L::kMailbox, 0b11, 0, false, true, false},
    {K::kStatus, "STATUS", "", false, 2, 2, L::kMailbox, 0b1, 0, false, true, false},
    {K::kAppend, "APPEND", "", false, 2, kMany, L::kStreamed, 0b1, 1, false, true, true},
    {K::kCheck, "CHECK", "", false, 0, 0, L::kNone, 0, 0, false, true, false},
    {K::kClose, "CLOSE", "", false, 0, 0, L::kNone, 0, 0, false, true, false},
    {K::kUnselect, "UNSELECT", "UNSELECT", true, 0, 0, L::kNone, 0, 0, false, true, false},
    {K::kExpunge, "EXPUNGE", "", false, 0, 0, L::kNone, 0, 0, true, true, true},
    {K::kSearch, "SEARCH", "", false, 1, kMany, L::kAnywhere, 0, 0, true, true, false},
    {K::kFetch, "FETCH", "", false, 2, kMany, L::kAnywhere, 0, 0, true, true, false},
    {K::kStore, "STORE", "", false, 3, kMany, L::kAnywhere, 0, 0, true, true, true},
    {K::kCopy, "COPY", "", false, 2, 2, L::kMailbox, 0b10, 0, true, true, true},
    {K::kMove, "MOVE", "MOVE", true, 2, 2, L::kMailbox, 0b10, 0, true, true, true},
    {K::kSort, "SORT", "SORT|SORT=*", false, 3, kMany, L::kAnywhere, 0, 0, true, true, false},
    {K::kThread, "THREAD", "THREAD=*", false, 3, kMany, L::kAnywhere, 0, 0, true, true, false},
    {K::kIdle, "IDLE", "IDLE", true, 0, 0, L::kNone, 0, 0, false, true, false},
    {K::kNamespace, "NAMESPACE", "NAMESPACE", true, 0, 0, L::kNone, 0, 0, false, true, false},
    {K::kEnable, "ENABLE", "ENABLE", true, 1, kMany, L::kNone, 0, 0, false, true, false},
    {K::kGetquota, "GETQUOTA", "QUOTA|QUOTA=*", false, 1, 1, L::kMailbox, 0b1, 0, false, true,
     false},
    {K::kGetquotaroot, "GETQUOTAROOT", "QUOTA|QUOTA=*", false, 1, 1, L::kMailbox, 0b1, 0, false,
     true, false},
    {K::kSetquota, "SETQUOTA", "QUOTA|QUOTASET", false, 2, 2, L::kMailbox, 0b1, 0, false, true,
     true},
    {K::kSetacl, "SETACL", "ACL", false, 3, 3, L::kMailbox, 0b111, 0, false, true, true},
    {K::kDeleteacl, "DELETEACL", "ACL", false, 2, 2, L::kMailbox, 0b11, 0, false, true, true},
    {K::kGetacl, "GETACL", "ACL", false, 1, 1, L::kMailbox, 0b1, 0, false, true, false},
    {K::kListrights, "LISTRIGHTS", "ACL", false, 2, 2, L::kMailbox, 0b11, 0, false, true, false},
    {K::kMyrights, "MYRIGHTS", "ACL", false, 1, 1, L::kMailbox, 0b1, 0, false, true, false},
    {K::kGetmetadata, "GETMETADATA", "METADATA|METADATA-SERVER", false, 2, 3, L::kAnywhere, 0, 0,
     false, true, false},
    {K::kSetmetadata, "SETMETADATA", "METADATA|METADATA-SERVER", false, 2, 2, L::kStreamed, 0b1, 1,
     false, true, true},
    {K::kNotify, "NOTIFY", "NOTIFY", false, 1, kMany, L::kAnywhere, 0, 0, false, true, false},
    {K::kCancelupdate, "CANCELUPDATE", "CONTEXT=*", false, 1, kMany, L::kAnywhere, 0, 0, false,
     true, false},
    {K::kGenurlauth, "GENURLAUTH", "URLAUTH", false, 2, kMany, L::kAnywhere, 0, 0, false, true,
     true},
    {K::kResetkey, "RESETKEY", "URLAUTH", false, 0, kMany, L::kAnywhere, 0, 0, false, true, true},
    {K::kUrlfetch, "URLFETCH", "URLAUTH", false, 1, kMany, L::kAnywhere, 0, 0, false, true, false},
    {K::kReplace, "REPLACE", "REPLACE", false, 3, kMany, L::kStreamed, 0b10, 2, true, true, true},
    {K::kLanguage, "LANGUAGE", "LANGUAGE", false, 0, kMany, L::kAnywhere, 0, 0, false, true, false},
    {K::kComparator, "COMPARATOR", "I18NLEVEL=2", false, 0, kMany, L::kAnywhere, 0, 0, false, true,
     false},
    {K::kEsearch, "ESEARCH", "MULTISEARCH", false, 1, kMany, L::kAnywhere, 0, 0, false, true,
     false},
    {K::kCompress, "COMPRESS", "", false, 1, 1, L::kNone, 0, 0, false, false, false},
    {K::kUnauthenticate, "UNAUTHENTICATE", "", false, 0, 0, L::kNone, 0, 0, false, false, false},
}};

// The table is indexed by kind.
constexpr bool InOrder() {
  for (std::size_t i = 0; i < kTable.size(); ++i) {
    if (static_cast<std::size_t>(kTable[i].kind) != i) return false;
  }
  return true;
}
static_assert(InOrder());

constexpr std::size_t kNotFound = std::string_view::npos;

// RFC 9051 §9: any ASTRING-CHAR but "+".
bool IsTagChar(char c) {
  if (c <= ' ' || c >= 0x7f) return false;  // controls, space, DEL and (as char is signed) 8-bit
  return std::string_view("(){%*\"\\+").find(c) == kNotFound;
}

bool IsVerbChar(char c) {
  const char upper = AsciiUpper(c);
  return (upper >= 'A' && upper <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_';
}

// The word at the front of text, as far as it is made of verb characters and followed by a space or
// nothing.
std::string_view VerbAt(std::string_view text) {
  const std::size_t end = std::min(text.find(' '), text.size());
  const std::string_view word = text.substr(0, end);
  return std::all_of(word.begin(), word.end(), IsVerbChar) ? word : std::string_view{};
}

}  // namespace

const CommandTraits& Traits(CommandKind kind) { return kTable[static_cast<std::size_t>(kind)]; }

std::string_view CommandName(CommandKind kind) { return Traits(kind).name; }

CommandKind FindCommand(std::string_view verb) {
  for (std::size_t i = 1; i < kTable.size(); ++i) {
    if (kTable[i].name.size() == verb.size() && EqualsNoCase(kTable[i].name, verb)) {
      return kTable[i].kind;
    }
  }
  return CommandKind::kOther;
}

CommandSet RelayableCommands(const CapabilitySet& advertised) {
  const bool rev2 = advertised.Has("IMAP4rev2");
  CommandSet set;
  for (std::size_t i = 0; i < kTable.size(); ++i) {
    const CommandTraits& row = kTable[i];
    const bool known =
        row.capabilities.empty() || (row.in_rev2 && rev2) || advertised.HasAnyOf(row.capabilities);
    set[i] = row.relayed && known;
  }
  return set;
}

AppendForms AppendFormsOf(const CapabilitySet& advertised) {
  AppendForms forms;
  forms.utf8 = advertised.HasAnyOf("UTF8=ACCEPT|UTF8=ONLY");
  forms.binary = forms.utf8 || advertised.HasAnyOf("BINARY|IMAP4rev2");
  forms.catenate = advertised.Has("CATENATE");
  forms.several = advertised.Has("MULTIAPPEND");
  return forms;
}

CommandStart ParseCommandStart(std::string_view line, std::size_t max_tag) {
  CommandStart start;
  const std::size_t space = line.find(' ');
  const std::string_view tag = line.substr(0, space);
  if (tag.empty() || tag.size() > max_tag || !std::all_of(tag.begin(), tag.end(), IsTagChar)) {
    return start;
  }
  start.tag = tag;
  start.verdict = CommandStart::Verdict::kNoCommand;
  if (space == kNotFound) return start;
  std::string_view verb = VerbAt(line.substr(space + 1));
  if (verb.empty()) return start;
  start.verdict = CommandStart::Verdict::kGood;
  start.arguments = space + 1 + verb.size();
  start.kind = FindCommand(verb);
  if (start.kind == CommandKind::kOther && EqualsNoCase(verb, "UID") &&
      start.arguments < line.size()) {
    const std::string_view second = VerbAt(line.substr(start.arguments + 1));
    if (second.empty()) return start;
    const CommandKind kind = FindCommand(second);
    start.arguments += 1 + second.size();
    start.uid = true;
    start.kind = Traits(kind).uid ? kind : CommandKind::kOther;
  }
  return start;
}

}  // namespace postern::imap
