// What backends say in words, looked through for names of hidden mailboxes.
#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "engine/imap_hide.h"
#include "postern/base/text.h"
#include "postern/imap/mailbox.h"

namespace postern {

using imap::ResponseHead;

namespace {

// Places in a text where a name may begin or end. Texts with more say too much to be looked at.
constexpr std::size_t kMostPlaces = 64;

bool IsLetter(char c) {
  const char upper = AsciiUpper(c);
  return (upper >= 'A' && upper <= 'Z') || (c >= '0' && c <= '9') || (c & 0x80) != 0;
}

struct Places {
  std::array<std::size_t, kMostPlaces> at;
  std::size_t count = 0;
  // False when there is no room.
  bool Add(std::size_t place) {
    if (count == at.size()) return false;
    at[count++] = place;
    return true;
  }
};

// A name is one word, or several with what stands between, quoted or not.
bool FindPlaces(std::string_view text, Places& begins, Places& ends) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == ' ') continue;
    const bool letter = IsLetter(text[i]);
    const bool begins_here = !letter || i == 0 || !IsLetter(text[i - 1]);
    const bool ends_here = !letter || i + 1 == text.size() || !IsLetter(text[i + 1]);
    if (begins_here && !begins.Add(i)) return false;
    if (ends_here && !ends.Add(i + 1)) return false;
  }
  return true;
}

// "://", or an octet as %XX.
bool LooksLikeUrl(std::string_view word) {
  constexpr std::string_view kHex = "0123456789abcdefABCDEF";
  for (std::size_t at = word.find('%'); at != word.npos; at = word.find('%', at + 1)) {
    if (at + 2 >= word.size()) break;
    if (kHex.find(word[at + 1]) != kHex.npos && kHex.find(word[at + 2]) != kHex.npos) return true;
  }
  return word.find("://") != word.npos;
}

bool MentionsUrl(const SessionRules& rules, std::string_view text) {
  constexpr std::string_view kAround = "\"'<>()[]{},.";
  while (!text.empty()) {
    std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(word.size() + 1, text.size()));
    if (!LooksLikeUrl(word)) continue;
    word.remove_prefix(std::min(word.find_first_not_of(kAround), word.size()));
    word = word.substr(0, word.find_last_not_of(kAround) + 1);
    const std::optional<std::string> name = imap::DecodeUrlMailbox(word);
    if (name && rules.HidesMailbox(*name)) return true;
  }
  return false;
}

// Codes whose arguments are flags, numbers or names of other things (RFC 9051 §7.1 and others).
bool NamesNoMailbox(std::string_view code) {
  constexpr std::array<std::string_view, 17> kCodes = {
      "APPENDUID",      "BADCHARSET",  "BADCOMPARATOR", "BADEVENT",     "CAPABILITY", "COPYUID",
      "HIGHESTMODSEQ",  "MAILBOXID",   "METADATA",      "MODIFIED",     "NOUPDATE",   "UIDNEXT",
      "PERMANENTFLAGS", "UIDVALIDITY", "UNSEEN",        "MESSAGELIMIT", "SAVELIMIT"};
  for (const std::string_view name : kCodes) {
    if (imap::CodeIs(code, name)) return true;
  }
  return code.find(' ') == code.npos;
}

std::string_view NeutralWords(ResponseHead::Status status) {
  switch (status) {
    case ResponseHead::Status::kOk:
    case ResponseHead::Status::kPreauth:
    case ResponseHead::Status::kNone:
      break;
    case ResponseHead::Status::kNo:
    case ResponseHead::Status::kBad:
      return "refused";
    case ResponseHead::Status::kBye:
      return "closing";
  }
  return "done";
}

}  // namespace

bool MentionsHidden(const SessionRules& rules, std::string_view text) {
  Places begins;
  Places ends;
  if (!FindPlaces(text, begins, ends)) return true;
  for (std::size_t b = 0; b < begins.count; ++b) {
    if (!rules.MayBeginHidden(text[begins.at[b]])) continue;
    for (std::size_t e = 0; e < ends.count; ++e) {
      if (ends.at[e] <= begins.at[b]) continue;
      if (rules.HidesMailbox(text.substr(begins.at[b], ends.at[e] - begins.at[b]))) return true;
    }
  }
  return MentionsUrl(rules, text);
}

std::optional<std::string> NeutralStatus(const SessionRules& rules, const ResponseHead& head,
                                         std::string_view line, bool whole) {
  const bool coded = head.text.starts_with('[');
  const std::size_t behind = head.code.size() + 2;
  const bool closed = coded && behind <= head.text.size();
  std::string_view code = closed ? head.code : std::string_view{};
  const std::string_view words = closed ? head.text.substr(behind) : head.text;
  const bool telling = !NamesNoMailbox(code) && MentionsHidden(rules, code.substr(code.find(' ')));
  if (whole && !telling && !MentionsHidden(rules, words)) return std::nullopt;
  if (telling) code = code.substr(0, code.find(' '));
  std::string neutral(line.substr(0, line.size() - head.text.size()));
  if (!neutral.ends_with(' ')) neutral.push_back(' ');
  if (!code.empty()) neutral.append("[").append(code).append("] ");
  return neutral.append(NeutralWords(head.status));
}

std::string NeutralStatuses(const SessionRules& rules, std::string_view lines) {
  std::string out;
  while (!lines.empty()) {
    const std::size_t end = std::min(lines.find("\r\n"), lines.size());
    const std::string_view line = lines.substr(0, end);
    lines.remove_prefix(std::min(end + 2, lines.size()));
    const auto neutral = NeutralStatus(rules, imap::ParseResponseHead(line), line, true);
    out.append(neutral ? std::string_view(*neutral) : line).append("\r\n");
  }
  return out;
}

}  // namespace postern
