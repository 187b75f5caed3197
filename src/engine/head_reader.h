// HeadReader: reads one command's head, from its first line to the end or to the first literal that
// is streamed past us. A command of one line is judged in place and never copied; one with literals
// is gathered, so that the whole head is known before a byte of it reaches a backend. Pure; owned
// by the login or the relay.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "postern/imap/command.h"
#include "postern/imap/head.h"

namespace postern {

class HeadReader {
 public:
  enum class Step : std::uint8_t {
    kDone,    // a whole command: text() or the line itself
    kGather,  // mark() is to be gathered: give its bytes to Literal, then the next line to Next
    kStream,  // mark() announces a literal that is not looked at
    kTooBig,  // mark() is over the limit of gathered literals
    kClumsy,  // BAD with complaint(); the session goes on
    kDoubt,   // nobody can say where the command ends
  };

  explicit HeadReader(int max_depth) : max_depth_(max_depth), scanner_(max_depth) {}

  // The first line, without CRLF. known: the commands that may go on; the others are clumsy, but
  // for the verbs with which the backend is trusted (pool.pass_commands), as long as their line is
  // simple: no brace, no NUL, no 8-bit, quotes and parentheses in balance (DESIGN 2.8).
  Step First(std::string_view line, const imap::CommandSet& known, const imap::AppendForms& forms,
             std::span<const std::string> trusted = {});
  // A line behind a literal, gathered or streamed.
  Step Next(std::string_view line);
  // A piece of a gathered literal. False when it holds a NUL.
  bool Literal(std::string_view piece);
  // The gathered head goes out under another verb.
  void ReplaceVerb(std::string_view verb);
  // The text was sent: what follows is kept afresh, for the same command.
  void TextSent();
  // Ready for the next command. Gathered bytes are wiped when they may hold a password.
  void Reset();

  const imap::CommandStart& start() const {
    return start_;
  }  // its views die with the line, but for tag()
  imap::CommandKind kind() const { return start_.kind; }
  std::string_view tag() const { return tag_.empty() ? start_.tag : std::string_view(tag_); }
  const imap::LiteralMark& mark() const { return mark_; }
  bool mark_in_list() const { return scanner_.literal_in_list(); }
  bool verb_replaced() const { return verb_replaced_; }
  std::string_view complaint() const { return complaint_; }
  // Bytes the client sent in the lines so far that are not in the text: spaces, and the `+` of
  // marks.
  std::size_t trimmed() const { return trimmed_; }

  // Whether text() holds the head; otherwise the line given to First is all of it, less trimmed()
  // spaces.
  bool gathered() const { return !text_.empty(); }
  // The head as the backend is to get it: every mark synchronising, lines with CRLF.
  const std::string& text() const { return text_; }
  // What follows the verb, for reading arguments.
  std::string_view arguments() const { return std::string_view(text_).substr(start_.arguments); }
  // Offsets in text() behind which a `+` must come before the bytes that follow may be sent.
  const std::vector<std::size_t>& stops() const { return stops_; }

 private:
  Step Judge(std::string_view line, std::size_t from, bool after_literal);
  Step JudgeMark(const imap::CommandTraits& traits);
  Step JudgeStreamed();
  Step Complain(std::string_view text);
  bool CountFits(const imap::CommandTraits& traits) const;
  void Keep(std::string_view line, bool with_mark);

  int max_depth_;
  bool known_ = false;
  bool verb_replaced_ = false;
  imap::AppendForms forms_;
  int message_argument_ = -1;  // of the last streamed literal
  imap::HeadScanner scanner_;
  imap::CommandStart start_;
  imap::LiteralMark mark_;
  std::string_view complaint_;
  std::size_t trimmed_ = 0;
  std::string text_;
  std::string tag_;
  std::vector<std::size_t> stops_;
};

}  // namespace postern
