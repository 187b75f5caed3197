#include "imap/response_walk.h"

#include <algorithm>

#include "postern/imap/framer.h"

namespace postern::imap {
namespace {

constexpr std::size_t kNotFound = std::string_view::npos;

}  // namespace

const ResponseWalk::Line& ResponseWalk::LineHere() {
  if (at_ < line_.end) return line_;
  const std::size_t end = text_.find("\r\n", at_);
  line_ = {std::min(end, text_.size()), kNotFound, 0};
  LiteralMark mark;
  if (end == kNotFound || ReadLineEnd(text_.substr(at_, end - at_), &mark) != LineEnd::kLiteral) {
    return line_;
  }
  line_.mark = end - mark.length;
  line_.size = mark.size;
  return line_;
}

ResponseWalk::Word ResponseWalk::Next() {
  // A line's end that no mark explains: what stands behind it is read all the same.
  at_ = std::min(text_.find_first_not_of(" \r\n", at_), text_.size());
  Word word;
  word.begin = word.end = at_;
  if (at_ == text_.size()) return word;
  const char first = text_[at_];
  if (first == '(' || first == ')') {
    word.kind = first == '(' ? Kind::kOpen : Kind::kClose;
    word.end = ++at_;
    return word;
  }
  if (!Literal(word)) first == '"' ? Quoted(word) : Atom(word);
  if (!whole_ && word.end == text_.size()) word.kind = Kind::kEnd;
  at_ = word.end;
  return word;
}

bool ResponseWalk::Literal(Word& word) {
  const Line& line = LineHere();
  if (line.mark != at_) return false;
  const std::size_t begin = line.end + 2;
  const std::size_t size =
      static_cast<std::size_t>(std::min<std::uint64_t>(line.size, text_.size() - begin));
  word.kind = Kind::kString;
  word.value = text_.substr(begin, size);
  word.end = begin + size;
  return true;
}

void ResponseWalk::Atom(Word& word) {
  const Line& line = LineHere();
  const std::size_t end = std::min(text_.find_first_of(" ()", at_), line.end);
  // A mark without a space before it announces a literal all the same.
  word.end = line.mark > at_ ? std::min(end, line.mark) : end;
  word.kind = Kind::kAtom;
  word.value = text_.substr(at_, word.end - at_);
}

void ResponseWalk::Quoted(Word& word) {
  const Line& line = LineHere();
  const std::size_t limit = std::min(line.end, line.mark);
  std::size_t i = at_ + 1;
  for (; i < limit && text_[i] != '"'; ++i) {
    if (text_[i] == '\\' && i + 1 < limit) ++i;
    word.value.push_back(text_[i]);
  }
  word.end = i < limit ? i + 1 : limit;
  word.kind = Kind::kString;
}

bool ResponseWalk::SkipList() {
  for (int depth = 1; depth > 0;) {
    const Kind kind = Next().kind;
    if (kind == Kind::kEnd) return false;
    if (kind == Kind::kOpen) ++depth;
    if (kind == Kind::kClose) --depth;
  }
  return true;
}

}  // namespace postern::imap
