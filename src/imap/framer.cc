#include "postern/imap/framer.h"

#include <algorithm>
#include <cstring>

namespace postern::imap {
namespace {

constexpr std::size_t kNotFound = std::string_view::npos;
// More digits than any 32-bit number has; enough to see a mark, whatever it announces.
constexpr std::size_t kMaxDigits = 10;
constexpr std::uint64_t kLargestLiteral = 0xFFFFFFFFu;
// No mark with its CRLF is longer, so that a streamed line's last bytes are always seen together.
constexpr std::size_t kLongestMark = 64;

std::size_t Find(std::string_view text, char c, std::size_t from = 0) {
  if (from >= text.size()) return kNotFound;
  const void* hit = std::memchr(text.data() + from, c, text.size() - from);
  return hit == nullptr ? kNotFound
                        : static_cast<std::size_t>(static_cast<const char*>(hit) - text.data());
}

bool Contains(std::string_view text, char c) { return Find(text, c) != kNotFound; }

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Whether the braces hold only what some parser takes for a literal's size.
bool LooksLikeSize(std::string_view inside) {
  return std::all_of(inside.begin(), inside.end(),
                     [](char c) { return IsDigit(c) || c == '+' || c == '-' || c == ' '; });
}

bool ReadSize(std::string_view digits, std::uint64_t* size) {
  if (digits.empty() || digits.size() > kMaxDigits) return false;
  if (digits.size() > 1 && digits.front() == '0') return false;
  std::uint64_t value = 0;
  for (const char c : digits) {
    if (!IsDigit(c)) return false;
    value = value * 10 + static_cast<std::uint64_t>(c - '0');
  }
  *size = value;
  return value <= kLargestLiteral;
}

// Whether a mark announces more than 32 bits, or in a way that clients read differently.
// line: the last bytes of a line, as many as the longest mark has.
bool IsStrangeSize(std::string_view line) {
  if (!line.ends_with('}')) return false;
  const std::size_t open = line.rfind('{');
  const std::size_t begin = open == kNotFound ? 0 : open + 1;
  const std::string_view inside = line.substr(begin, line.size() - begin - 1);
  if (!LooksLikeSize(inside)) return false;
  // A number that goes on and on has its brace out of sight.
  if (open == kNotFound) return line.size() == kLongestMark - 2;
  return !inside.empty() && IsDigit(inside.front());
}

}  // namespace

LineEnd ReadLineEnd(std::string_view line, LiteralMark* mark) {
  const std::size_t last = line.find_last_not_of(' ');
  if (last == kNotFound || line[last] != '}') return LineEnd::kPlain;
  const std::size_t open = line.rfind('{', last);
  if (open == kNotFound) return LineEnd::kPlain;
  std::string_view inside = line.substr(open + 1, last - open - 1);
  if (!LooksLikeSize(inside)) return LineEnd::kPlain;
  if (last + 1 != line.size()) return LineEnd::kDoubt;

  LiteralMark read;
  read.synchronising = inside.empty() || inside.back() != '+';
  if (!read.synchronising) inside.remove_suffix(1);
  if (!ReadSize(inside, &read.size)) return LineEnd::kDoubt;
  read.binary = open > 0 && line[open - 1] == '~';
  read.length = line.size() - open + (read.binary ? 1 : 0);
  *mark = read;
  return LineEnd::kLiteral;
}

Frame CommandFramer::Next(std::string_view input, std::size_t max_line) {
  if (input.empty()) return {};
  if (literal_left_ > 0) {
    const std::size_t size =
        static_cast<std::size_t>(std::min<std::uint64_t>(literal_left_, input.size()));
    literal_left_ -= size;
    return {Frame::Kind::kLiteral, size, false};
  }
  const std::size_t feed = Find(input, '\n', scanned_);
  const std::string_view fresh =
      input.substr(scanned_, feed == kNotFound ? kNotFound : feed - scanned_);
  if (Contains(fresh, '\0')) return {Frame::Kind::kMalformed, 0, false};
  if (feed == kNotFound) {
    // A CR may only be the last byte so far: anything but a LF behind it makes it a bare one.
    const std::size_t carriage = Find(input, '\r', scanned_);
    if (carriage != kNotFound && carriage + 1 < input.size()) {
      return {Frame::Kind::kMalformed, 0, false};
    }
    if (input.size() >= max_line) return {Frame::Kind::kMalformed, 0, false};
    scanned_ = input.size() - (input.back() == '\r' ? 1 : 0);
    return {};
  }
  const std::size_t carriage = Find(input, '\r', scanned_);
  const bool ends_well = feed > 0 && carriage == feed - 1;
  if (!ends_well || feed + 1 > max_line) return {Frame::Kind::kMalformed, 0, false};
  scanned_ = 0;
  return {Frame::Kind::kLine, feed + 1, true};
}

// A line that is in the input with its CRLF.
Frame ResponseFramer::WholeLine(std::string_view line) {
  std::string_view body = line.substr(0, line.size() - 2);
  body.remove_prefix(std::max(body.size(), kLongestMark - 2) - (kLongestMark - 2));
  scanned_ = 0;
  LiteralMark mark;
  const LineEnd end = text_ ? LineEnd::kPlain : ReadLineEnd(body, &mark);
  // An odd brace is data to the client as well; a number that one client takes for a literal's size
  // and the next does not is the end.
  const bool strange = !text_ && end != LineEnd::kLiteral && IsStrangeSize(body);
  if (strange || (end == LineEnd::kLiteral && !mark.synchronising)) return Broken();
  state_ = State::kBoundary;
  if (end == LineEnd::kLiteral) {
    literal_left_ = mark.size;
    state_ = mark.size == 0 ? State::kAfterLiteral : State::kInLiteral;
  }
  return {Frame::Kind::kLine, line.size(), true};
}

Frame ResponseFramer::Broken() {
  state_ = State::kBroken;
  return {Frame::Kind::kMalformed, 0, false};
}

// A line whose end has not come, or is far: hand out what is beyond doubt not a part of a mark.
Frame ResponseFramer::PartOfLine(std::string_view input, std::size_t head_limit) {
  scanned_ = input.size();
  if (input.size() < head_limit + kLongestMark) return {};
  const std::size_t size = input.size() - kLongestMark;
  const Frame::Kind kind =
      state_ == State::kInLine ? Frame::Kind::kLineRest : Frame::Kind::kLineHead;
  state_ = State::kInLine;
  scanned_ = kLongestMark;
  return {kind, size, false};
}

namespace {

// Status responses and continuations end in text, in which a brace is a brace (RFC 9051 §9,
// resp-text).
bool IsTextResponse(std::string_view line) {
  if (line.starts_with('+')) return true;
  const std::size_t space = Find(line, ' ');
  if (space == kNotFound) return false;
  if (!line.starts_with("* ")) return true;
  std::string_view word = line.substr(2);
  // A CR of the line's own end; a bare one is a part of the word.
  if (word.ends_with('\r')) word.remove_suffix(1);
  word = word.substr(0, word.find(' '));
  const auto is = [word](std::string_view name) {
    return word.size() == name.size() &&
           std::equal(word.begin(), word.end(), name.begin(),
                      [](char a, char b) { return (a & ~0x20) == b; });
  };
  return is("OK") || is("NO") || is("BAD") || is("BYE") || is("PREAUTH");
}

}  // namespace

Frame ResponseFramer::Next(std::string_view input, std::size_t head_limit) {
  if (state_ == State::kBroken) return {Frame::Kind::kMalformed, 0, false};
  if (input.empty()) return {};
  if (state_ == State::kInLiteral) {
    const std::size_t size =
        static_cast<std::size_t>(std::min<std::uint64_t>(literal_left_, input.size()));
    literal_left_ -= size;
    if (literal_left_ == 0) state_ = State::kAfterLiteral;
    return {Frame::Kind::kLiteral, size, false};
  }
  // A line is long or short by its own length, not by how it arrived.
  if (state_ == State::kBoundary) input = input.substr(0, head_limit + kLongestMark);
  const std::size_t feed = Find(input, '\n', scanned_);
  const std::string_view fresh =
      input.substr(scanned_, feed == kNotFound ? kNotFound : feed - scanned_);
  const bool bare = feed != kNotFound && (feed == 0 || input[feed - 1] != '\r');
  if (bare || Contains(fresh, '\0')) return Broken();
  if (state_ == State::kBoundary) text_ = IsTextResponse(input.substr(0, feed));
  if (feed == kNotFound) return PartOfLine(input, head_limit);
  const bool rest = state_ == State::kInLine;
  Frame frame = WholeLine(input.substr(0, feed + 1));
  if (rest && frame.kind == Frame::Kind::kLine) frame.kind = Frame::Kind::kLineRest;
  return frame;
}

}  // namespace postern::imap
