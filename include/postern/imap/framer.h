// Framers: split the bytes of the two directions of an IMAP connection into frames (RFC 9051 §2.2,
// §4.3). Pure; one per session and direction; one thread at a time. They know nothing of commands:
// a line is a line. The law of framing: what every backend's parser would not read alike is
// kMalformed, and that is final.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace postern::imap {

// A literal's announcement at the end of a line: {n}, {n+}, ~{n}, ~{n+}.
struct LiteralMark {
  std::uint64_t size = 0;
  bool synchronising = true;
  bool binary = false;     // ~{n}: literal8
  std::size_t length = 0;  // bytes of the mark itself
};

// How a line ends, as far as literals are concerned. line without CRLF.
enum class LineEnd : std::uint8_t {
  kPlain,    // nothing that looks like a mark
  kLiteral,  // a mark, well formed: no leading zero, size within 32 bits
  kDoubt,    // looks like a mark to some parser, but is not one: {}, {+}, {05}, {5-}, {99999999999}
};
// mark is set for kLiteral only. Trailing spaces behind a mark are doubt.
LineEnd ReadLineEnd(std::string_view line, LiteralMark* mark);

struct Frame {
  enum class Kind : std::uint8_t {
    kNeedMore,   // nothing whole yet
    kLine,       // a whole line with its CRLF (responses: a whole short line)
    kLineHead,   // responses: the first part of a long line
    kLineRest,   // responses: a further part of it; ends_line tells whether its CRLF is in it
    kLiteral,    // a piece of a literal
    kMalformed,  // final
  };
  Kind kind = Kind::kNeedMore;
  std::size_t size = 0;    // bytes of the input the frame covers, from its front
  bool ends_line = false;  // responses: the frame ends in the line's CRLF
};

// Client to backend. The engine decides which marks open a literal (OpenLiteral); a line's CRLF is
// the only end of line there is: a bare CR, a bare LF or a NUL is kMalformed, and so is a line over
// the limit.
class CommandFramer {
 public:
  // One frame from the front of input. Input that was not consumed must be given again, with more
  // behind it.
  Frame Next(std::string_view input, std::size_t max_line);
  // The next size bytes are a literal.
  void OpenLiteral(std::uint64_t size) { literal_left_ = size; }
  std::uint64_t literal_left() const { return literal_left_; }

 private:
  std::uint64_t literal_left_ = 0;
  std::size_t scanned_ = 0;  // bytes of the unfinished line already searched
};

// Backend to client. Finds literals by itself: {n} at a line's end, n within 32 bits and without
// leading zero. Text responses (status responses and continuations) have none. {}, {+} and a mark
// with a space behind it are data; marks of other numbers ({05}, {5+}, {99999999999}) are a literal
// to some clients and data to others: kMalformed, as are NUL and bare LF. Lines are streamed
// without limit: what exceeds head_limit by more than a mark comes as kLineHead and kLineRest.
class ResponseFramer {
 public:
  Frame Next(std::string_view input, std::size_t head_limit);
  // True where a reply of ours may be put in: between two responses.
  bool at_boundary() const { return state_ == State::kBoundary; }

 private:
  enum class State : std::uint8_t {
    kBoundary,      // at the start of a response
    kAfterLiteral,  // in a response, behind a literal
    kInLine,        // within a line longer than the head
    kInLiteral,
    kBroken,
  };
  Frame WholeLine(std::string_view line);
  Frame Broken();
  Frame PartOfLine(std::string_view input, std::size_t head_limit);

  std::uint64_t literal_left_ = 0;
  std::size_t scanned_ = 0;
  State state_ = State::kBoundary;
  bool text_ = false;  // the response is text: a brace mark at its end is no literal
};

}  // namespace postern::imap
