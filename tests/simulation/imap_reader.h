// Naive readers of IMAP: where a command and where a response ends, found the slow and obvious way
// in what came so far. They share nothing with src/imap. Values; pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postern::testing {

// A mark for a literal at the end of a line (without CRLF).
struct Mark {
  std::uint64_t size = 0;
  bool plus = false;  // the bytes follow without a continuation
};
std::optional<Mark> MarkAtEnd(std::string_view line);

// The first word, and the second in upper case; of UID the third.
std::string TagOf(std::string_view text);
std::string VerbOf(std::string_view text);

// Splits what a server says. Knows that the text of a status response has no literals.
class ResponseReader {
 public:
  void Feed(std::string_view bytes) { bytes_.append(bytes); }
  // A whole response with its literals and CRLF.
  std::optional<std::string> Next();
  // What came of the next one.
  const std::string& partial() const { return bytes_; }

 private:
  std::string bytes_;
  std::size_t line_ = 0;  // where the line begins that was not read yet
  std::size_t scan_ = 0;  // where its end is looked for
};

// Splits what a client says, as a server that takes every mark at a line's end for a literal.
class CommandReader {
 public:
  enum class Event : std::uint8_t { kNone, kMark, kCommand };

  void Feed(std::string_view bytes) { bytes_.append(bytes); }
  // kMark: text() ends in a mark, and its bytes were not read yet.
  Event Next();
  const std::string& text() const { return text_; }
  const Mark& mark() const { return mark_; }
  // The literal that was announced does not come: the command is over.
  void Refuse();
  // Nothing has come that was not read.
  bool empty() const { return bytes_.empty(); }

 private:
  std::string bytes_;
  std::string text_;
  Mark mark_;
  std::uint64_t left_ = 0;  // of a literal
  bool over_ = false;       // text_ was given out
};

}  // namespace postern::testing
