#include "support/strict_json.h"

#include <algorithm>
#include <cstdint>

namespace postern::testing {
namespace {

// The code point at the front, and its octets taken; nothing when it is not well formed.
std::optional<std::uint32_t> TakeCodePoint(std::string_view& text) {
  const auto first = static_cast<unsigned char>(text.front());
  const std::size_t size = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  constexpr std::uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  constexpr std::uint32_t kBits[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
  if ((first >= 0x80 && first < 0xC0) || first >= 0xF8 || text.size() < size) return std::nullopt;
  std::uint32_t point = first & kBits[size];
  for (std::size_t i = 1; i < size; ++i) {
    const auto octet = static_cast<unsigned char>(text[i]);
    if ((octet & 0xC0) != 0x80) return std::nullopt;
    point = point << 6 | (octet & 0x3Fu);
  }
  if (point < kLeast[size] || point > 0x10FFFF) return std::nullopt;
  if (point >= 0xD800 && point <= 0xDFFF) return std::nullopt;
  text.remove_prefix(size);
  return point;
}

class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  bool Take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool done() const { return rest_.empty(); }

  std::optional<std::string> String() {
    if (!Take('"')) return std::nullopt;
    std::string value;
    while (!rest_.empty()) {
      if (Take('"')) return value;
      if (Take('\\')) {
        if (!Escape(value)) return std::nullopt;
        continue;
      }
      const std::string_view before = rest_;
      const std::optional<std::uint32_t> point = TakeCodePoint(rest_);
      if (!point || *point < 0x20) return std::nullopt;
      value.append(before.substr(0, before.size() - rest_.size()));
    }
    return std::nullopt;
  }
  // A number, true or false, as written.
  std::optional<std::string> Word() {
    const std::size_t size = std::min(rest_.find_first_of(",}"), rest_.size());
    const std::string word(rest_.substr(0, size));
    rest_.remove_prefix(size);
    if (word == "true" || word == "false" || IsNumber(word)) return word;
    return std::nullopt;
  }

 private:
  // Only what stands for one octet or a code point below U+0100: we write no others.
  bool Escape(std::string& value) {
    if (Take('"')) return value += '"', true;
    if (Take('\\')) return value += '\\', true;
    if (!Take('u') || rest_.substr(0, 2) != "00" || rest_.size() < 4) return false;
    unsigned point = 0;
    for (const char c : rest_.substr(2, 2)) {
      const std::size_t digit = std::string_view("0123456789abcdef").find(c);
      if (digit == std::string_view::npos) return false;
      point = point * 16 + static_cast<unsigned>(digit);
    }
    rest_.remove_prefix(4);
    if (point >= 0x80) value += static_cast<char>(0xC0 | point >> 6);
    value += static_cast<char>(point < 0x80 ? point : 0x80 | (point & 0x3F));
    return true;
  }
  static std::size_t Digits(std::string_view text) {
    return std::min(text.find_first_not_of("0123456789"), text.size());
  }
  static bool IsNumber(std::string_view text) {
    if (text.starts_with('-')) text.remove_prefix(1);
    const std::size_t whole = Digits(text);
    if (whole == 0 || (whole > 1 && text.front() == '0')) return false;
    text.remove_prefix(whole);
    if (text.empty()) return true;
    return text.front() == '.' && text.size() > 1 && Digits(text.substr(1)) == text.size() - 1;
  }

  std::string_view rest_;
};

}  // namespace

std::optional<std::map<std::string, std::string>> ReadFlatJson(std::string_view text) {
  Reader reader(text);
  std::map<std::string, std::string> members;
  if (!reader.Take('{')) return std::nullopt;
  do {
    const std::optional<std::string> key = reader.String();
    if (!key || !reader.Take(':')) return std::nullopt;
    std::optional<std::string> value = reader.String();
    if (!value) value = reader.Word();
    if (!value || !members.emplace(*key, *value).second) return std::nullopt;
  } while (reader.Take(','));
  if (!reader.Take('}') || !reader.done()) return std::nullopt;
  return members;
}

std::optional<std::string> ReadJsonString(std::string_view text) {
  Reader reader(text);
  std::optional<std::string> value = reader.String();
  if (!value || !reader.done()) return std::nullopt;
  return value;
}

bool IsUtf8(std::string_view text) {
  while (!text.empty()) {
    if (!TakeCodePoint(text)) return false;
  }
  return true;
}

}  // namespace postern::testing
