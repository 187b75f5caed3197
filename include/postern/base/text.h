// Small pure functions over ASCII text. Any thread; no allocation unless a std::string is returned.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postern {

// ASCII letters in upper or lower case; every other byte unchanged. Never looks at the locale.
constexpr char AsciiUpper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; }
constexpr char AsciiLower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
std::string ToUpper(std::string_view text);
std::string ToLower(std::string_view text);

// Equality and prefix without regard to ASCII case.
bool EqualsNoCase(std::string_view a, std::string_view b);
bool StartsWithNoCase(std::string_view text, std::string_view prefix);

// A decimal number of digits only: no sign, no space, no leading zero but "0" itself.
// Nothing when it is not one or does not fit.
std::optional<std::uint64_t> ParseNumber(std::string_view digits);

// Standard base64 (RFC 4648 §4), strict: padding required, no line breaks, no spare bits set.
std::string Base64Encode(std::string_view bytes);
std::optional<std::string> Base64Decode(std::string_view text);

// A string as a JSON string literal with its quotes. Bytes that are not UTF-8 become \u00XX of
// their value, control characters are escaped; input over limit bytes is cut and ends in "...".
std::string JsonQuote(std::string_view text, std::size_t limit = 512);

// The candidate with the smallest edit distance to word, if it is near enough to be meant; else
// empty.
template <typename Range>
std::string_view NearestName(std::string_view word, const Range& candidates);

// Levenshtein distance, capped at 64 bytes of each side.
std::size_t EditDistance(std::string_view a, std::string_view b);

template <typename Range>
std::string_view NearestName(std::string_view word, const Range& candidates) {
  std::string_view best;
  std::size_t best_distance = word.size() / 3 + 2;
  for (const auto& candidate : candidates) {
    const std::size_t distance = EditDistance(word, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

}  // namespace postern
