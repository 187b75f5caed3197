#include "postern/imap/head.h"

#include <algorithm>

namespace postern::imap {
namespace {

constexpr std::size_t kNotFound = std::string_view::npos;

bool IsAtomByte(char c) {
  return c > ' ' && c < 0x7f && c != '(' && c != ')' && c != '{' && c != '"';
}

}  // namespace

std::size_t TrimmedLength(std::string_view line) {
  const std::size_t last = line.find_last_not_of(' ');
  return last == kNotFound ? 0 : last + 1;
}

Shape HeadScanner::Scan(std::string_view part, bool after_literal) {
  literal_.reset();
  LiteralMark mark;
  const LineEnd end = ReadLineEnd(part, &mark);
  if (end == LineEnd::kDoubt) return Shape::kDoubt;
  // Behind a literal stands a space, a closing parenthesis or nothing (RFC 9051 §4.3); parsers that
  // do not insist make two arguments of what others read as one.
  before_ = after_literal ? Before::kClosed : Before::kAtom;
  const bool closes = after_literal && depth_ > 0 && part.starts_with(')');
  if (!part.empty() && part.front() != ' ' && !closes) return Shape::kDoubt;
  std::size_t position = 0;
  while (position < part.size()) {
    const Shape shape = Step(part, &position);
    if (shape == Shape::kGood) continue;
    // A mark on a line that is no command: some parsers take the literal, some do not.
    return end == LineEnd::kLiteral ? Shape::kDoubt : shape;
  }
  if (end == LineEnd::kLiteral && !literal_) return Shape::kDoubt;
  if (end != LineEnd::kLiteral && depth_ != 0) return Shape::kClumsy;
  return before_ == Before::kSpace ? Shape::kClumsy : Shape::kGood;
}

Shape HeadScanner::Step(std::string_view part, std::size_t* position) {
  const char c = part[*position];
  switch (c) {
    case ' ':
      if (before_ == Before::kSpace && depth_ == 0) return Shape::kClumsy;
      before_ = before_ == Before::kOpen ? Before::kOpen : Before::kSpace;
      break;
    case '(':
      if (before_ == Before::kAtom || (before_ == Before::kClosed && depth_ == 0))
        return Shape::kClumsy;
      if (depth_ >= max_depth_) return Shape::kClumsy;
      BeginArgument();
      ++depth_;
      before_ = Before::kOpen;
      break;
    case ')':
      if (depth_ == 0) return Shape::kClumsy;
      --depth_;
      before_ = Before::kClosed;
      break;
    case '"':
      return Quoted(part, position);
    case '{':
      return Mark(part, position);
    default:
      if (!IsAtomByte(c)) return Shape::kClumsy;
      if (before_ == Before::kClosed && c != ']') return Shape::kClumsy;
      if (before_ != Before::kAtom && before_ != Before::kClosed) BeginArgument();
      before_ = Before::kAtom;
      while (*position + 1 < part.size() && IsAtomByte(part[*position + 1])) ++*position;
  }
  ++*position;
  return Shape::kGood;
}

Shape HeadScanner::Quoted(std::string_view part, std::size_t* position) {
  if (before_ == Before::kAtom || before_ == Before::kClosed) return Shape::kClumsy;
  BeginArgument();
  std::size_t i = *position + 1;
  while (i < part.size() && part[i] != '"') {
    if (part[i] == '\\') {
      // A backslash at the line's end makes some parsers read on into the next line.
      if (i + 1 == part.size()) return Shape::kDoubt;
      if (part[i + 1] != '"' && part[i + 1] != '\\') return Shape::kClumsy;
      ++i;
    }
    ++i;
  }
  if (i >= part.size()) return Shape::kClumsy;
  *position = i + 1;
  before_ = Before::kClosed;
  return Shape::kGood;
}

Shape HeadScanner::Mark(std::string_view part, std::size_t* position) {
  // Outside quotes a brace is a literal's or nothing: what else it may be is each parser's own
  // idea.
  LiteralMark mark;
  if (ReadLineEnd(part, &mark) != LineEnd::kLiteral) return Shape::kDoubt;
  const std::size_t begin = part.size() - mark.length;
  if (begin + (mark.binary ? 1 : 0) != *position) return Shape::kDoubt;
  // The mark is an argument of its own: behind a space or an opening parenthesis, a `~` of its own
  // between.
  const bool own = begin > 0 && (part[begin - 1] == ' ' || part[begin - 1] == '(');
  if (!own) return Shape::kDoubt;
  // The list it is in, or its own `~`, was counted as an argument already.
  literal_argument_ = arguments_ - (mark.binary || depth_ > 0 ? 1 : 0);
  if (!mark.binary) BeginArgument();
  literal_ = mark;
  before_ = Before::kClosed;
  *position = part.size();
  return Shape::kGood;
}

Arguments::Argument Arguments::Next() {
  Argument argument;
  argument.spaced = rest_.starts_with(' ');
  while (rest_.starts_with(' ')) rest_.remove_prefix(1);
  if (rest_.empty() || rest_.front() == '\r') return argument;
  const char first = rest_.front();
  if (first == '(' || first == ')') {
    argument.kind = first == '(' ? Kind::kOpen : Kind::kClose;
    rest_.remove_prefix(1);
    return argument;
  }
  argument.kind = Kind::kString;
  if (first == '"') {
    argument.quoted = true;
    std::size_t i = 1;
    for (; i < rest_.size() && rest_[i] != '"'; ++i) {
      if (rest_[i] == '\\' && i + 1 < rest_.size()) ++i;
      argument.value.push_back(rest_[i]);
    }
    rest_.remove_prefix(std::min(i + 1, rest_.size()));
    return argument;
  }
  const std::size_t line = rest_.find("\r\n");
  const std::size_t word = rest_.find_first_of(" ()\r");
  LiteralMark mark;
  if (line != kNotFound && word == line &&
      ReadLineEnd(rest_.substr(0, line), &mark) == LineEnd::kLiteral && mark.length == line) {
    const std::size_t size = std::min(static_cast<std::size_t>(mark.size), rest_.size() - line - 2);
    argument.value = rest_.substr(line + 2, size);
    rest_.remove_prefix(line + 2 + size);
    return argument;
  }
  argument.kind = Kind::kAtom;
  argument.value = rest_.substr(0, word);
  rest_.remove_prefix(std::min(word, rest_.size()));
  return argument;
}

std::optional<std::string> Quote(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '\r' || c == '\n' || c == '\0' || static_cast<unsigned char>(c) >= 0x80)
      return std::nullopt;
    if (c == '"' || c == '\\') quoted.push_back('\\');
    quoted.push_back(c);
  }
  quoted.push_back('"');
  return quoted;
}

}  // namespace postern::imap
