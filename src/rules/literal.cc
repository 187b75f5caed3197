#include "rules/literal.h"

#include "postern/base/text.h"

namespace postern {
namespace {

constexpr std::string_view kSpecial = "\\.+*?()|[]{}^$";

bool IsAscii(char c) { return static_cast<unsigned char>(c) < 0x80; }

// What the pattern stands for when none of it is special.
std::optional<std::string> Unescape(std::string_view pattern) {
  std::string out;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '\\') {
      // Other escapes are classes, octets and assertions.
      ++i;
      const std::string_view escaped = "\\.+*?()|[]{}^$@-/:,=!#%&~'\" <>;_";
      if (i == pattern.size() || escaped.find(pattern[i]) == escaped.npos) return {};
      if (pattern[i] == '_') return {};
    } else if (kSpecial.find(pattern[i]) != kSpecial.npos) {
      return {};
    }
    out.push_back(pattern[i]);
  }
  return out;
}

std::optional<Literal::Rest> TakeRest(std::string_view& pattern, bool at_end) {
  for (const std::string_view some : {".*", ".+"}) {
    const bool found = at_end ? pattern.starts_with(some) : pattern.ends_with(some);
    if (!found) continue;
    // The dot before the star may be an escaped one.
    if (!at_end && pattern.size() > 2 && pattern[pattern.size() - 3] == '\\') return {};
    at_end ? pattern.remove_prefix(2) : pattern.remove_suffix(2);
    return some[1] == '*' ? Literal::Rest::kAny : Literal::Rest::kSome;
  }
  return {};
}

}  // namespace

std::optional<Literal> FindLiteral(std::string_view pattern, TextKind kind) {
  Literal literal;
  std::optional<Literal::Rest> rest = TakeRest(pattern, true);
  literal.at_end = rest.has_value();
  if (!rest) rest = TakeRest(pattern, false);
  literal.rest = rest.value_or(Literal::Rest::kNone);
  std::optional<std::string> text = Unescape(pattern);
  if (!text || (text->empty() && !rest)) return {};
  for (char& c : *text) {
    // Outside ASCII the expression's folding of case and its checks are not ours to repeat.
    if (!IsAscii(c) && kind != TextKind::kUtf8) return {};
    if (kind == TextKind::kFolded) c = AsciiLower(c);
  }
  if (kind == TextKind::kUtf8 && !IsUtf8(*text)) return {};
  literal.text = std::move(*text);
  return literal;
}

}  // namespace postern
