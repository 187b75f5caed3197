#include "postern/imap/mailbox.h"

#include <algorithm>
#include <cstdint>

#include "postern/base/text.h"

namespace postern::imap {
namespace {

constexpr std::size_t kNotFound = std::string_view::npos;
constexpr std::string_view kSeparators = "/.\\";

// The six bits of a letter of modified base64; -1 for others.
int SixBits(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+') return 62;
  return c == ',' ? 63 : -1;
}

void AppendUtf8(std::uint32_t point, std::string& out) {
  const auto tail = [&out](std::uint32_t bits) {
    out.push_back(static_cast<char>(0x80 | (bits & 0x3F)));
  };
  if (point < 0x80) return out.push_back(static_cast<char>(point));
  if (point < 0x800) {
    out.push_back(static_cast<char>(0xC0 | point >> 6));
  } else if (point < 0x10000) {
    out.push_back(static_cast<char>(0xE0 | point >> 12));
    tail(point >> 6);
  } else {
    out.push_back(static_cast<char>(0xF0 | point >> 18));
    tail(point >> 12);
    tail(point >> 6);
  }
  tail(point);
}

// UTF-16 units as they come, to UTF-8. Halves of pairs that stand alone fail.
class Utf16Reader {
 public:
  explicit Utf16Reader(std::string& out) : out_(out) {}
  bool Add(std::uint32_t unit) {
    const bool low = unit >= 0xDC00 && unit < 0xE000;
    if (low != (high_ != 0)) return false;
    if (unit >= 0xD800 && unit < 0xDC00) {
      high_ = unit;
      return true;
    }
    AppendUtf8(low ? 0x10000 + ((high_ - 0xD800) << 10) + (unit - 0xDC00) : unit, out_);
    high_ = 0;
    return true;
  }
  bool whole() const { return high_ == 0; }

 private:
  std::string& out_;
  std::uint32_t high_ = 0;
};

// One shift of modified UTF-7 at the front of text (behind its `&`). Returns its length with the
// closing minus, or 0 when it is none; out is as before then.
std::size_t DecodeShift(std::string_view text, std::string& out) {
  if (text.starts_with('-')) {
    out.push_back('&');
    return 1;
  }
  const std::size_t before = out.size();
  Utf16Reader units(out);
  std::uint32_t bits = 0;
  int count = 0;
  bool good = true;
  std::size_t length = 0;
  for (; good && length < text.size() && SixBits(text[length]) >= 0; ++length) {
    bits = bits << 6 | static_cast<std::uint32_t>(SixBits(text[length]));
    count += 6;
    if (count < 16) continue;
    count -= 16;
    good = units.Add(bits >> count & 0xFFFF);
  }
  if (!good || length == 0 || !units.whole() || count >= 6) {
    out.resize(before);
    return 0;
  }
  return length + (length < text.size() && text[length] == '-' ? 1 : 0);
}

void DecodeUtf7(std::string_view name, std::string& out) {
  out.clear();
  while (!name.empty()) {
    const std::size_t shift = std::min(name.find('&'), name.size());
    out.append(name.substr(0, shift));
    name.remove_prefix(shift);
    if (name.empty()) return;
    const std::size_t length = DecodeShift(name.substr(1), out);
    if (length == 0) out.push_back('&');
    name.remove_prefix(length + 1);
  }
}

bool IsSeparator(char c) { return kSeparators.find(c) != kNotFound; }

void DropSpareSeparators(std::string_view name, std::string& out) {
  out.clear();
  for (const char c : name) {
    const bool spare = IsSeparator(c) && (out.empty() || out.back() == c);
    if (!spare) out.push_back(c);
  }
  while (!out.empty() && IsSeparator(out.back())) out.pop_back();
}

// The readings found so far, in the caller's strings.
class Readings {
 public:
  explicit Readings(std::vector<std::string>& out) : out_(out) {}
  std::size_t count() const { return count_; }
  const std::string& operator[](std::size_t i) const { return out_[i]; }
  // Room for another one: becomes a reading by Keep.
  std::string& Next() {
    if (out_.size() <= count_) out_.resize(count_ + 1);
    return out_[count_];
  }
  void Keep() {
    const auto end = out_.begin() + static_cast<std::ptrdiff_t>(count_);
    const bool spare = count_ > 0 && (end->empty() || std::find(out_.begin(), end, *end) != end);
    if (!spare) ++count_;
  }

 private:
  std::vector<std::string>& out_;
  std::size_t count_ = 0;
};

}  // namespace

std::size_t MailboxReadings(std::string_view name, std::vector<std::string>& out) {
  Readings readings(out);
  readings.Next().assign(name);
  readings.Keep();
  if (name.find('&') != kNotFound) {
    DecodeUtf7(name, readings.Next());
    readings.Keep();
  }
  // Each step reads what those before it found. Next() comes first: it may move the strings.
  for (std::size_t i = 0, end = readings.count(); i < end; ++i) {
    if (readings[i].find('\0') == kNotFound) continue;
    std::string& next = readings.Next();
    next.assign(readings[i], 0, readings[i].find('\0'));
    readings.Keep();
  }
  for (std::size_t i = 0, end = readings.count(); i < end; ++i) {
    std::string& next = readings.Next();
    DropSpareSeparators(readings[i], next);
    readings.Keep();
  }
  for (std::size_t i = 0, end = readings.count(); i < end; ++i) {
    if (!StartsWithNoCase(readings[i], "INBOX")) continue;
    if (readings[i].size() > 5 && !IsSeparator(readings[i][5])) continue;
    std::string& next = readings.Next();
    next.assign(readings[i]).replace(0, 5, "INBOX");
    readings.Keep();
  }
  return readings.count();
}

namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char upper = AsciiUpper(c);
  return upper >= 'A' && upper <= 'F' ? upper - 'A' + 10 : -1;
}

std::string PercentDecode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '%' && i + 2 < text.size() && HexDigit(text[i + 1]) >= 0 &&
                        HexDigit(text[i + 2]) >= 0;
    out.push_back(escape ? static_cast<char>(HexDigit(text[i + 1]) * 16 + HexDigit(text[i + 2]))
                         : text[i]);
    if (escape) i += 2;
  }
  return out;
}

// RFC 3986 §5.2.4, of a path without its first slash.
std::string ResolveDots(std::string_view path) {
  std::string out;
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    const std::string_view segment = path.substr(0, slash);
    path = slash == kNotFound ? std::string_view{} : path.substr(slash + 1);
    if (segment == ".") continue;
    if (segment == "..") {
      const std::size_t last = out.rfind('/');
      out.resize(last == kNotFound ? 0 : last);
      continue;
    }
    if (!out.empty()) out.push_back('/');
    out.append(segment);
  }
  return out;
}

}  // namespace

std::optional<std::string> DecodeUrlMailbox(std::string_view url) {
  std::string_view path = url;
  const std::size_t scheme = path.find("://");
  if (scheme != kNotFound && path.find_first_of("/;?") == scheme + 1) {
    path.remove_prefix(scheme + 1);
  }
  if (path.starts_with("//")) {
    const std::size_t slash = path.find('/', 2);
    path = slash == kNotFound ? std::string_view{} : path.substr(slash);
  }
  path = path.substr(0, path.find_first_of(";?#"));
  while (path.starts_with('/')) path.remove_prefix(1);
  while (path.ends_with('/')) path.remove_suffix(1);
  std::string name = PercentDecode(ResolveDots(path));
  if (name.empty()) return std::nullopt;
  return name;
}

}  // namespace postern::imap
