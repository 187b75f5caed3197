// JsonQuote of text.h.
#include <cstddef>

#include "postern/base/text.h"

namespace postern {
namespace {

unsigned Octet(std::string_view text, std::size_t index) {
  return index < text.size() ? static_cast<unsigned char>(text[index]) : 0u;
}
bool IsTail(unsigned octet) { return (octet & 0xC0) == 0x80; }

// The length of the well-formed UTF-8 character at the front (Unicode table 3-7); 0 when there is
// none.
std::size_t Utf8Length(std::string_view text) {
  const unsigned first = Octet(text, 0);
  const unsigned second = Octet(text, 1);
  if (first < 0x80) return 1;
  if (first < 0xC2 || first > 0xF4 || !IsTail(second)) return 0;
  if (first < 0xE0) return 2;
  if (!IsTail(Octet(text, 2))) return 0;
  if (first == 0xE0 && second < 0xA0) return 0;  // overlong
  if (first == 0xED && second > 0x9F) return 0;  // surrogate
  if (first < 0xF0) return 3;
  if (!IsTail(Octet(text, 3))) return 0;
  if (first == 0xF0 && second < 0x90) return 0;  // overlong
  if (first == 0xF4 && second > 0x8F) return 0;  // beyond U+10FFFF
  return 4;
}

void AppendEscape(std::string& out, unsigned value) {
  constexpr std::string_view kHex = "0123456789abcdef";
  out += "\\u00";
  out += kHex[value >> 4 & 15];
  out += kHex[value & 15];
}

void AppendCharacter(std::string& out, std::string_view character) {
  const unsigned first = Octet(character, 0);
  // C1 controls (U+0080 to U+009F) steer terminals as well as C0's do.
  if (character.size() == 2 && first == 0xC2 && Octet(character, 1) < 0xA0) {
    AppendEscape(out, Octet(character, 1));
  } else if (first < 0x20 || first == 0x7F) {
    AppendEscape(out, first);
  } else {
    if (first == '"' || first == '\\') out += '\\';
    out += character;
  }
}

}  // namespace

std::string JsonQuote(std::string_view text, std::size_t limit) {
  std::string out = "\"";
  out.reserve(text.size() + 2);
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t length = Utf8Length(text.substr(at));
    if (at + (length == 0 ? 1 : length) > limit) {
      out += "...";
      break;
    }
    if (length == 0) {
      AppendEscape(out, Octet(text, at));
      at += 1;
    } else {
      AppendCharacter(out, text.substr(at, length));
      at += length;
    }
  }
  out += '"';
  return out;
}

}  // namespace postern
