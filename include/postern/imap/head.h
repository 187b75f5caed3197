// The head of a command: its lines and the literals that are gathered between them (RFC 9051 §9,
// astring). HeadScanner judges the lines as they come; Arguments reads decoded values out of a
// gathered head. Pure; any thread, one at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "postern/imap/framer.h"

namespace postern::imap {

// What a part of a head is worth. Worse is larger.
enum class Shape : std::uint8_t {
  kGood,    // every backend's parser reads it as we do
  kClumsy,  // a line for everybody, but not a command: BAD, and the session goes on
  kDoubt,   // parsers may disagree where the command ends: the session ends
};

class HeadScanner {
 public:
  explicit HeadScanner(int max_depth) : max_depth_(max_depth) {}

  // Judges what follows the verb (first part), or what follows a literal (later parts); no CRLF,
  // trailing spaces already trimmed by TrimmedLength. A mark at the end is left in literal().
  Shape Scan(std::string_view part, bool after_literal);

  // The literal announced at the end of the last part, if any.
  const std::optional<LiteralMark>& literal() const { return literal_; }
  // Where it stands: index of its top-level argument, and whether it is inside a list.
  int literal_argument() const { return literal_argument_; }
  bool literal_in_list() const { return depth_ > 0; }
  // Top-level arguments so far; a list is one.
  int arguments() const { return arguments_; }
  // Only when the last part ended without a mark: every list is closed.
  bool balanced() const { return depth_ == 0; }

 private:
  enum class Before : std::uint8_t { kSpace, kOpen, kAtom, kClosed };
  Shape Step(std::string_view part, std::size_t* position);
  Shape Quoted(std::string_view part, std::size_t* position);
  Shape Mark(std::string_view part, std::size_t* position);
  void BeginArgument() { arguments_ += depth_ == 0 ? 1 : 0; }

  int max_depth_;
  int depth_ = 0;
  int arguments_ = 0;
  int literal_argument_ = 0;
  Before before_ = Before::kAtom;
  std::optional<LiteralMark> literal_;
};

// The length of a line without its trailing spaces.
std::size_t TrimmedLength(std::string_view line);

// Walks over the arguments of a gathered head: text as received, with marks, their CRLF and the
// literals' bytes.
class Arguments {
 public:
  enum class Kind : std::uint8_t { kEnd, kAtom, kString, kOpen, kClose };
  struct Argument {
    Kind kind = Kind::kEnd;
    std::string value;  // decoded: without quotes, escapes and marks
    bool quoted = false;
    bool spaced = false;  // a space stands in front of it
  };
  // head starts behind the verb. Must outlive the walk; only heads that HeadScanner found good.
  explicit Arguments(std::string_view head) : rest_(head) {}
  Argument Next();

 private:
  std::string_view rest_;
};

// text as a quoted string, or nothing when it holds bytes that a quoted string may not or should
// not carry (CR, LF, NUL, 8-bit).
std::optional<std::string> Quote(std::string_view text);

}  // namespace postern::imap
