#include "postern/imap/capability.h"

#include <algorithm>
#include <array>

#include "postern/base/text.h"

namespace postern::imap {
namespace {

bool Matches(std::string_view pattern, std::string_view name) {
  if (pattern.ends_with('*')) {
    return StartsWithNoCase(name, pattern.substr(0, pattern.size() - 1));
  }
  return EqualsNoCase(pattern, name);
}

// What Postern follows through the whole session (DESIGN 2.8): its commands are rows of the command
// table, its literals stand where that table says, its responses are framed like all others. Ours
// are not in this list.
constexpr std::array kMayPass = {
    std::string_view("IMAP4rev1"),
    std::string_view("IMAP4rev2"),
    std::string_view("IMAP4"),
    std::string_view("ACL"),
    std::string_view("RIGHTS=*"),
    std::string_view("ANNOTATE*"),
    std::string_view("APPENDLIMIT"),
    std::string_view("APPENDLIMIT=*"),
    std::string_view("BINARY"),
    std::string_view("CATENATE"),
    std::string_view("CHILDREN"),
    std::string_view("CONDSTORE"),
    std::string_view("CONTEXT=*"),
    std::string_view("CREATE-SPECIAL-USE"),
    std::string_view("ENABLE"),
    std::string_view("ESEARCH"),
    std::string_view("ESORT"),
    std::string_view("FILTERS"),
    std::string_view("I18NLEVEL=*"),
    std::string_view("IDLE"),
    std::string_view("LANGUAGE"),
    std::string_view("LIST-EXTENDED"),
    std::string_view("LIST-METADATA"),
    std::string_view("LIST-MYRIGHTS"),
    std::string_view("LIST-STATUS"),
    std::string_view("METADATA"),
    std::string_view("METADATA-SERVER"),
    std::string_view("MOVE"),
    std::string_view("MULTIAPPEND"),
    std::string_view("MULTISEARCH"),
    std::string_view("NAMESPACE"),
    std::string_view("NOTIFY"),
    std::string_view("OBJECTID"),
    std::string_view("PREVIEW"),
    std::string_view("PREVIEW=*"),
    std::string_view("QRESYNC"),
    std::string_view("QUOTA"),
    std::string_view("QUOTA=*"),
    std::string_view("QUOTASET"),
    std::string_view("REPLACE"),
    std::string_view("SASL-IR"),
    std::string_view("SAVEDATE"),
    std::string_view("SEARCH=FUZZY"),
    std::string_view("SEARCHRES"),
    std::string_view("SNIPPET"),
    std::string_view("SNIPPET=*"),
    std::string_view("SORT"),
    std::string_view("SORT=*"),
    std::string_view("SPECIAL-USE"),
    std::string_view("STATUS=*"),
    std::string_view("THREAD=*"),
    std::string_view("UIDPLUS"),
    std::string_view("UNSELECT"),
    std::string_view("URLAUTH"),
    std::string_view("URLAUTH=*"),
    std::string_view("URL-PARTIAL"),
    std::string_view("UTF8=ACCEPT"),
    std::string_view("UTF8=ONLY"),
    std::string_view("WITHIN"),
    std::string_view("XLIST"),
};

// Not even for a backend that is trusted with them: what they switch on, or where they lead, is
// nothing that Postern could follow, and the last two are ours to list.
constexpr std::array kNever = {
    std::string_view("AUTH=*"),
    std::string_view("COMPRESS=*"),
    std::string_view("JMAPACCESS"),
    std::string_view("LOGINDISABLED"),
    std::string_view("LOGIN-REFERRALS"),
    std::string_view("MAILBOX-REFERRALS"),
    std::string_view("STARTTLS"),
    std::string_view("UNAUTHENTICATE"),
    std::string_view("LITERAL-"),
    std::string_view("LITERAL+"),
    std::string_view("ID"),
};

// Calls visit(name) for each word.
template <typename Visit>
void EachName(std::string_view names, Visit visit) {
  while (!names.empty()) {
    const std::size_t space = names.find(' ');
    if (space != 0) visit(names.substr(0, space));
    if (space == std::string_view::npos) return;
    names.remove_prefix(space + 1);
  }
}

}  // namespace

CapabilitySet CapabilitySet::Parse(std::string_view names) {
  CapabilitySet set;
  EachName(names, [&set](std::string_view name) { set.names_.emplace_back(name); });
  return set;
}

bool CapabilitySet::Has(std::string_view pattern) const {
  return std::any_of(names_.begin(), names_.end(),
                     [pattern](const std::string& name) { return Matches(pattern, name); });
}

bool CapabilitySet::HasAnyOf(std::string_view patterns) const {
  while (!patterns.empty()) {
    const std::size_t bar = patterns.find('|');
    if (Has(patterns.substr(0, bar))) return true;
    if (bar == std::string_view::npos) return false;
    patterns.remove_prefix(bar + 1);
  }
  return false;
}

bool MayPass(std::string_view name, std::span<const std::string> trusted) {
  const auto matches = [name](std::string_view pattern) { return Matches(pattern, name); };
  if (std::any_of(kMayPass.begin(), kMayPass.end(), matches)) return true;
  return std::any_of(trusted.begin(), trusted.end(), matches) &&
         std::none_of(kNever.begin(), kNever.end(), matches);
}

std::string FilterCapabilities(std::string_view names, std::span<const std::string> trusted) {
  std::string out;
  EachName(names, [&](std::string_view name) {
    if (MayPass(name, trusted)) out.append(name).push_back(' ');
  });
  // A list without the base protocol is none (RFC 3501 §7.2.1).
  const bool base = CapabilitySet::Parse(out).Has("IMAP4*");
  return (base ? "" : "IMAP4rev1 ") + out + "LITERAL+ ID";
}

}  // namespace postern::imap
