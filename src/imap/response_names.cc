#include "postern/imap/response_names.h"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "imap/response_walk.h"
#include "postern/base/text.h"
#include "postern/imap/mailbox.h"

namespace postern::imap {
namespace {

using Kind = ResponseWalk::Kind;
using Word = ResponseWalk::Word;
using Verdict = FilteredNames::Verdict;

// Where untagged data names mailboxes.
enum class Shape : std::uint8_t {
  kNone,
  kList,       // (flags) separator NAME [extended data]
  kFirst,      // NAME and what is said of it
  kAll,        // NAME and quota roots, which are named after mailboxes on some servers
  kNamespace,  // three lists of (PREFIX separator ...)
  kEsearch,    // (TAG t MAILBOX NAME UIDVALIDITY n) and the result
  kUrls,       // URLs, each with its data
  kUnknown,    // any string may be a name
};
struct Row {
  std::string_view word;
  Shape shape;
};
constexpr std::array kRows{
    Row{"LIST", Shape::kList},
    Row{"LSUB", Shape::kList},
    Row{"XLIST", Shape::kList},
    Row{"STATUS", Shape::kFirst},
    Row{"METADATA", Shape::kFirst},
    Row{"ACL", Shape::kFirst},
    Row{"MYRIGHTS", Shape::kFirst},
    Row{"LISTRIGHTS", Shape::kFirst},
    Row{"QUOTA", Shape::kFirst},
    Row{"QUOTAROOT", Shape::kAll},
    Row{"NAMESPACE", Shape::kNamespace},
    Row{"ESEARCH", Shape::kEsearch},
    Row{"URLFETCH", Shape::kUrls},
    Row{"GENURLAUTH", Shape::kUrls},
    Row{"FLAGS", Shape::kNone},
    Row{"SEARCH", Shape::kNone},
    Row{"SORT", Shape::kNone},
    Row{"THREAD", Shape::kNone},
    Row{"CAPABILITY", Shape::kNone},
    Row{"ENABLED", Shape::kNone},
    Row{"ID", Shape::kNone},
    Row{"VANISHED", Shape::kNone},
    Row{"LANGUAGE", Shape::kNone},
    Row{"COMPARATOR", Shape::kNone},
};

Shape ShapeOf(std::string_view word) {
  for (const Row& row : kRows) {
    if (EqualsNoCase(row.word, word)) return row.shape;
  }
  // Message data: `5 FETCH (...)`, `3 EXISTS`.
  return word.find_first_not_of("0123456789") == word.npos ? Shape::kNone : Shape::kUnknown;
}

// One response under inspection.
class Filter {
 public:
  Filter(std::string_view response, bool whole, const HidesName& hides)
      : response_(response), whole_(whole), hides_(hides), walk_(response, whole) {
    walk_.Next();  // the `*`
    word_ = walk_.Next().value;
  }
  FilteredNames Run();

 private:
  Verdict List();
  Verdict First();
  Verdict All();
  Verdict Malformed();
  Verdict Namespace();
  Verdict Esearch();
  Verdict Urls();
  void ExtendedData();
  bool NamespaceGroup(std::size_t begin);
  // What the rest of the response says when nothing of it was hidden so far.
  Verdict EndOfNames() const { return whole_ ? Verdict::kKeep : Verdict::kTooEarly; }
  // Also a name with spaces for which an old server has no quotes: all up to the last list.
  bool HidesAt(const Word& name) const;
  void Cut(std::size_t begin, std::size_t end) { cuts_.push_back({begin, end, {}}); }
  std::string WithoutCuts() const;

  struct Change {
    std::size_t begin;
    std::size_t end;
    std::string_view instead;
  };
  std::string_view response_;
  bool whole_;
  const HidesName& hides_;
  ResponseWalk walk_;
  std::string word_;
  std::vector<Change> cuts_;  // ascending
};

FilteredNames Filter::Run() {
  FilteredNames result;
  switch (ShapeOf(word_)) {
    case Shape::kNone:
      break;
    case Shape::kList:
      result.verdict = List();
      break;
    case Shape::kFirst:
      result.verdict = First();
      break;
    case Shape::kAll:
      result.verdict = All();
      break;
    case Shape::kUnknown:
      result.verdict = hides_(word_) ? Verdict::kDrop : All();
      break;
    case Shape::kNamespace:
      result.verdict = Namespace();
      break;
    case Shape::kEsearch:
      result.verdict = Esearch();
      break;
    case Shape::kUrls:
      result.verdict = Urls();
      break;
  }
  if (result.verdict == Verdict::kKeep && !cuts_.empty()) {
    result.verdict = Verdict::kRewrite;
    result.text = WithoutCuts();
  }
  return result;
}

bool Filter::HidesAt(const Word& name) const {
  if (hides_(name.value)) return true;
  std::string_view rest = response_.substr(name.begin);
  if (rest.ends_with("\r\n")) rest.remove_suffix(2);
  rest = rest.substr(0, rest.rfind(" ("));
  return name.kind == Kind::kAtom && rest != name.value && hides_(rest);
}

Verdict Filter::List() {
  const Word flags = walk_.Next();
  if (flags.kind != Kind::kOpen) return Malformed();
  const bool closed = walk_.SkipList();
  const Word separator = walk_.Next();
  const Word name = walk_.Next();
  if (!closed || !separator.text() || !name.text()) return Malformed();
  if (HidesAt(name)) return Verdict::kDrop;
  const Word behind = walk_.Next();
  if (behind.kind == Kind::kOpen) ExtendedData();
  return behind.text() && hides_(behind.value) ? Verdict::kDrop : All();
}

// `("OLDNAME" ("before"))` (RFC 5465 §5.4, RFC 9051 §7.3.1): left out when the old name is hidden;
// so is whatever else carries one.
void Filter::ExtendedData() {
  std::size_t behind = walk_.at();
  for (Word tag = walk_.Next(); tag.text(); tag = walk_.Next()) {
    bool hidden = false;
    int depth = 0;
    do {
      const Word value = walk_.Next();
      if (value.kind == Kind::kEnd) break;
      if (value.kind == Kind::kOpen) ++depth;
      if (value.kind == Kind::kClose) --depth;
      hidden = hidden || (value.text() && hides_(value.value));
    } while (depth > 0);
    if (hidden) Cut(behind, walk_.at());
    behind = walk_.at();
  }
}

Verdict Filter::First() {
  const Word name = walk_.Next();
  if (name.kind == Kind::kEnd) return EndOfNames();
  if (!name.text()) return Malformed();
  // STATUS is as old as servers without quotes.
  const bool hidden = EqualsNoCase(word_, "STATUS") ? HidesAt(name) : hides_(name.value);
  return hidden ? Verdict::kDrop : Verdict::kKeep;
}

Verdict Filter::All() {
  for (Word word = walk_.Next(); word.kind != Kind::kEnd; word = walk_.Next()) {
    if (word.text() && hides_(word.value)) return Verdict::kDrop;
  }
  return EndOfNames();
}

// What the grammar does not have: any string may be a name.
Verdict Filter::Malformed() {
  cuts_.clear();
  walk_ = ResponseWalk(response_, whole_);
  walk_.Next();
  walk_.Next();
  return All();
}

// Three lists or NIL (RFC 2342 §6); one without any that may be seen becomes NIL.
Verdict Filter::Namespace() {
  for (Word group = walk_.Next(); group.kind != Kind::kEnd; group = walk_.Next()) {
    const bool nil = group.kind == Kind::kAtom && EqualsNoCase(group.value, "NIL");
    if (nil) continue;
    if (group.kind != Kind::kOpen || !NamespaceGroup(group.begin)) return Malformed();
  }
  return EndOfNames();
}

// Behind the parenthesis at `begin`. False when this is no list of lists.
bool Filter::NamespaceGroup(std::size_t begin) {
  const std::size_t before = cuts_.size();
  int shown = 0;
  std::size_t behind = walk_.at();
  Word entry = walk_.Next();
  for (; entry.kind == Kind::kOpen; entry = walk_.Next()) {
    const Word prefix = walk_.Next();
    if (!prefix.text() || !walk_.SkipList()) return false;
    if (hides_(prefix.value)) {
      Cut(behind, walk_.at());
    } else {
      ++shown;
    }
    behind = walk_.at();
  }
  if (shown == 0 && cuts_.size() != before) {
    cuts_.resize(before);
    cuts_.push_back({begin, walk_.at(), "NIL"});
  }
  return entry.kind == Kind::kClose;
}

// RFC 7377 §2.1. Results may be long: they need not be there.
Verdict Filter::Esearch() {
  Word key = walk_.Next();
  if (key.kind == Kind::kEnd) return EndOfNames();
  if (key.kind != Kind::kOpen) return Verdict::kKeep;
  for (key = walk_.Next(); key.kind != Kind::kClose; key = walk_.Next()) {
    const Word value = walk_.Next();
    if (value.kind == Kind::kEnd) return EndOfNames();
    if (!key.text() || !value.text()) return Malformed();
    if (!EqualsNoCase(key.value, "TAG") && hides_(value.value)) return Verdict::kDrop;
  }
  return Verdict::kKeep;
}

// `URLFETCH url data url data` (RFC 4467 §7), each datum a string or, by RFC 5524, a list. Messages
// are long: of the URLs behind one that is not whole, the client has asked for each, and was
// allowed to.
Verdict Filter::Urls() {
  bool any = false;
  const bool with_data = EqualsNoCase(word_, "URLFETCH");
  for (Word url = walk_.Next(); url.kind != Kind::kEnd; url = walk_.Next()) {
    if (!url.text()) continue;
    if (HidesUrl(url.value, hides_)) return Verdict::kDrop;
    any = true;
    const bool open = with_data && walk_.Next().kind == Kind::kOpen;
    if (open && !walk_.SkipList()) break;
  }
  return any ? Verdict::kKeep : EndOfNames();
}

std::string Filter::WithoutCuts() const {
  std::string text;
  std::size_t at = 0;
  for (const Change& cut : cuts_) {
    text.append(response_.substr(at, cut.begin - at)).append(cut.instead);
    at = cut.end;
    // The space that stood between two.
    const bool first = text.ends_with('(') && cut.instead.empty();
    if (first && response_.substr(at).starts_with(' ')) ++at;
  }
  return text.append(response_.substr(at));
}

}  // namespace

bool MayNameMailbox(std::string_view word) { return ShapeOf(word) != Shape::kNone; }

FilteredNames FilterNames(std::string_view response, bool whole, const HidesName& hides) {
  return Filter(response, whole, hides).Run();
}

bool HidesUrl(std::string_view url, const HidesName& hides) {
  if (url.empty() || url.starts_with(';')) return false;
  const std::optional<std::string> name = DecodeUrlMailbox(url);
  if (!name) return false;
  const bool relative = !url.starts_with('/') && url.find("://") == url.npos;
  const auto dots = [&name](std::string_view segment) {
    return name->starts_with(std::string(segment) + "/") ||
           name->ends_with("/" + std::string(segment)) || *name == segment ||
           name->find("/" + std::string(segment) + "/") != name->npos;
  };
  return relative || dots(".") || dots("..") || hides(*name);
}

}  // namespace postern::imap
