// Framers of POP3 (RFC 1939 §3): bytes in, frames out. Pure; one per session and side; one thread
// at a time. They know nothing of commands: a line is a line, and whoever knows the command says
// when a body follows.
//
// Law of the client's side: a line ends in CRLF and holds no other CR, no LF, no NUL. Law of the
// backend's side: a status line ends in CRLF and holds no other LF and no NUL; a body ends in CRLF
// "." CRLF exactly, and whatever else looks like an end (bare LF, bare CR) is content.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace postern::pop3 {

struct Frame {
  enum class Kind : std::uint8_t {
    kNeedMore,   // no whole frame yet; size is 0
    kLine,       // a line with its CRLF
    kBody,       // a piece of a body, which goes on
    kBodyEnd,    // the last piece of a body, up to the terminator's LF
    kTooLong,    // no CRLF within the limit; size is 0; final
    kMalformed,  // the law is broken; size is 0; final
  };
  Kind kind = Kind::kNeedMore;
  std::size_t size = 0;  // bytes of the input the frame covers, from its front
};

// The line of a kLine frame without its CRLF.
inline std::string_view LineText(std::string_view in, const Frame& frame) {
  return in.substr(0, frame.size - 2);
}

class CommandFramer {
 public:
  // in begins where the frame before ended; after kNeedMore it is the same bytes with more behind
  // them. max_line counts the CRLF and may change between calls.
  Frame Next(std::string_view in, std::size_t max_line);

 private:
  std::size_t scanned_ = 0;  // bytes of in that hold no end and no offence
};

class ReplyFramer {
 public:
  // As CommandFramer::Next; max_line is for status lines. Bodies have no limit and are given in
  // runs as long as the input allows; none of their bytes is asked for twice.
  Frame Next(std::string_view in, std::size_t max_line);
  // The status line just taken has a body behind it.
  void BeginBody() { state_ = State::kLineStart; }
  bool in_body() const { return state_ != State::kStatus; }
  // Forgets everything: another backend's bytes follow.
  void Reset() { *this = {}; }

 private:
  // Where the last byte left us; the states of a body are the progress of CRLF "." CRLF.
  enum class State : std::uint8_t { kStatus, kText, kCr, kLineStart, kDot, kDotCr };

  Frame NextLine(std::string_view in, std::size_t max_line);
  Frame NextBody(std::string_view in);
  // True when the byte ends the body.
  bool Step(char byte);

  State state_ = State::kStatus;
  std::size_t scanned_ = 0;
};

}  // namespace postern::pop3
