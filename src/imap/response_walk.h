// ResponseWalk: the words of a response, with their places: atoms, quoted strings, literals and
// parentheses. More lenient than Arguments, which reads what HeadScanner has found good: a backend
// writes what it likes. Agrees with ResponseFramer on literals. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace postern::imap {

class ResponseWalk {
 public:
  enum class Kind : std::uint8_t { kEnd, kAtom, kString, kOpen, kClose };
  struct Word {
    Kind kind = Kind::kEnd;
    std::string value;  // decoded; of kAtom and kString
    std::size_t begin = 0;
    std::size_t end = 0;  // behind it; kEnd: the length of the text

    bool text() const { return kind == Kind::kAtom || kind == Kind::kString; }
  };

  // text must outlive the walk; the CRLF at its end belongs to no word. Not whole: a word that
  // touches the end may go on behind it, and is kEnd.
  ResponseWalk(std::string_view text, bool whole) : text_(text), whole_(whole) {
    if (whole_ && text_.ends_with("\r\n")) text_.remove_suffix(2);
  }
  Word Next();
  // Behind an opening parenthesis: goes behind the closing one that belongs to it. False when the
  // text ends before it.
  bool SkipList();
  std::size_t at() const { return at_; }

 private:
  void Atom(Word& word);
  void Quoted(Word& word);
  // False when no literal's mark stands here.
  bool Literal(Word& word);
  // Where the line at at_ ends, and where its mark begins, if it has one.
  struct Line {
    std::size_t end = 0;
    std::size_t mark = 0;
    std::uint64_t size = 0;
  };
  const Line& LineHere();

  std::string_view text_;
  std::size_t at_ = 0;
  Line line_;
  bool whole_;
};

}  // namespace postern::imap
