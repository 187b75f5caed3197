#include "rules/fact_texts.h"

#include <algorithm>

#include "postern/base/text.h"
#include "postern/rules/rule_set.h"

namespace postern {
namespace {

constexpr std::string_view kInbox = "INBOX";

bool IsContinuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

// The length of the character at the front of text (RFC 3629 §4); 0 when there is none.
std::size_t CharacterAt(std::string_view text) {
  const auto at = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = at(0);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xC2 && lead < 0xE0   ? 2
                             : lead >= 0xE0 && lead < 0xF0 ? 3
                             : lead >= 0xF0 && lead < 0xF5 ? 4
                                                           : 0;
  if (length == 0 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if (!IsContinuation(text[i])) return 0;
  }
  const bool overlong = (lead == 0xE0 && at(1) < 0xA0) || (lead == 0xF0 && at(1) < 0x90);
  const bool beyond = (lead == 0xED && at(1) >= 0xA0) || (lead == 0xF4 && at(1) >= 0x90);
  return overlong || beyond ? 0 : length;
}

// How much of the front of text is UTF-8.
std::size_t ValidLength(std::string_view text) {
  std::size_t valid = 0;
  while (valid < text.size()) {
    const std::size_t length = CharacterAt(text.substr(valid));
    if (length == 0) return valid;
    valid += length;
  }
  return valid;
}

}  // namespace

TextKind KindOf(Fact fact) {
  switch (fact) {
    case Fact::kUser:
    case Fact::kDomain:
    case Fact::kSni:
    case Fact::kClientId:
      return TextKind::kFolded;
    case Fact::kTlsCipher:
    case Fact::kClientCert:
      return TextKind::kOctets;
    case Fact::kMailbox:
    case Fact::kArgument:
      return TextKind::kUtf8;
    case Fact::kProtocol:
    case Fact::kListener:
    case Fact::kClient:
    case Fact::kTime:
    case Fact::kTlsVersion:
    case Fact::kMechanism:
    case Fact::kPool:
    case Fact::kCommand:
    case Fact::kSize:
      return TextKind::kNone;
  }
  return TextKind::kNone;
}

std::size_t MaxLength(Fact fact) {
  if (KindOf(fact) == TextKind::kUtf8) return kMaxCommandText;
  return fact == Fact::kUser || fact == Fact::kDomain ? kMaxUser : kMaxText;
}

std::string_view DomainOf(std::string_view user) {
  const std::size_t at = user.rfind('@');
  return at == user.npos ? std::string_view{} : user.substr(at + 1);
}

void Fold(std::string_view text, std::string& out) {
  out.assign(text);
  for (char& c : out) c = AsciiLower(c);
}

bool IsUtf8(std::string_view text) { return ValidLength(text) == text.size(); }

void MakeUtf8(std::string_view text, std::string& out) {
  out.clear();
  while (true) {
    const std::size_t valid = ValidLength(text);
    out.append(text.substr(0, valid));
    text.remove_prefix(valid);
    if (text.empty()) return;
    const auto octet = static_cast<unsigned char>(text.front());
    out.push_back(static_cast<char>(0xC0 | octet >> 6));
    out.push_back(static_cast<char>(0x80 | (octet & 0x3F)));
    text.remove_prefix(1);
  }
}

std::size_t ClientIdReadings(const SessionFacts& facts, std::array<std::string, 3>& out) {
  if (facts.client_name.empty()) return 0;
  Fold(facts.client_name, out[0]);
  if (facts.client_version.empty()) return 1;
  Fold(facts.client_version, out[2]);
  out[1].assign(out[0]).append(" ").append(out[2]);
  out[2].insert(0, 1, '/').insert(0, out[0]);
  return out.size();
}

void RaiseInbox(std::string& name) {
  constexpr std::string_view kSeparators = "/.\\";
  if (!StartsWithNoCase(name, kInbox)) return;
  if (name.size() > kInbox.size() && kSeparators.find(name[kInbox.size()]) == kSeparators.npos) {
    return;
  }
  name.replace(0, kInbox.size(), kInbox);
}

std::string MailboxPattern(std::string_view pattern) {
  std::string out(pattern);
  if (!StartsWithNoCase(pattern, kInbox)) return out;
  const std::string_view rest = pattern.substr(kInbox.size());
  if (rest.empty() || rest[0] == '/' || rest.starts_with("\\.") || rest.starts_with("\\\\")) {
    return out.replace(0, kInbox.size(), kInbox);
  }
  // What follows may be more of the same component: `inbox.*` is also inboxes.
  const bool open = std::string_view(".\\([|$").find(rest[0]) != rest.npos;
  if (open) out.replace(0, kInbox.size(), "(?:INBOX|" + out.substr(0, kInbox.size()) + ")");
  return out;
}

std::uint32_t ShareOf(std::string_view user) {
  // FNV-1a of 64 bits with its bits mixed at the end, as its low ones alone are poor.
  std::uint64_t hash = 0xCBF29CE484222325;
  for (const char c : user) {
    hash ^= static_cast<unsigned char>(AsciiLower(c));
    hash *= 0x100000001B3;
  }
  hash ^= hash >> 33;
  hash *= 0xFF51AFD7ED558CCD;
  hash ^= hash >> 33;
  return static_cast<std::uint32_t>(hash % 10'000);
}

}  // namespace postern
