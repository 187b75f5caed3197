// Mailbox names in a backend's answers: where untagged data names a mailbox (RFC 9051 §7 and the
// extensions of the command table), and the same answer without those that must not be seen. Pure;
// any thread. Knows no rules: its caller says which names are hidden.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace postern::imap {

// Whether the mailbox of this name is hidden; the name decoded from its string, or out of a URL.
using HidesName = std::function<bool(std::string_view name)>;

// Whether untagged data with this first word ("LIST", "5") may name a mailbox. Only words known to
// name none are let through unseen: of others, whatever they are, every string is looked at.
bool MayNameMailbox(std::string_view word);

struct FilteredNames {
  enum class Verdict : std::uint8_t {
    kKeep,
    kDrop,      // it is about a hidden mailbox
    kRewrite,   // text stands in its place: a NAMESPACE or an OLDNAME is left out
    kTooEarly,  // of an incomplete response: a name may be still to come
  };
  Verdict verdict = Verdict::kKeep;
  std::string text;  // of kRewrite: the whole response with its CRLF
};
// response: untagged data from its `*` to its CRLF, with the literals in it; or, with whole false,
// only the beginning of one. Names as atoms, quoted strings and literals; what the grammar does not
// have is read as far as it can be, and hides rather too much.
FilteredNames FilterNames(std::string_view response, bool whole, const HidesName& hides);

// Whether an IMAP URL leads to a hidden mailbox; also true where nobody can say which it leads to:
// relative to a mailbox, or with dots that are encoded.
bool HidesUrl(std::string_view url, const HidesName& hides);

}  // namespace postern::imap
