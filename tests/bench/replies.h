// Reads the answers of a mail server as far as a load generator must: where each one ends and
// whether it says yes.
//
// Owned by a load session; one thread. Literals and message bodies are skipped by their length and
// counted, so that the generator is never dearer than the proxy it measures.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "script.h"
#include "stub_dialect.h"

namespace postern {

class Replies {
 public:
  enum class Event {
    kNone,          // the bytes are used up
    kGreeting,      // `* OK` or `+OK` as the very first line
    kContinuation,  // IMAP `+`
    kTagged,        // IMAP; tag() and ok() tell the rest
    kReply,         // POP3; the awaited answer is complete
    kSurprise,      // what no server says here; line() shows it
  };

  explicit Replies(Protocol protocol) : protocol_(protocol) {}

  // Takes from `bytes` up to the end of the next answer. `awaited` is the ending of the oldest
  // unanswered step (POP3 needs it). Untagged IMAP responses are passed over.
  Event Next(std::string_view& bytes, Ending awaited);

  bool ok() const { return ok_; }
  uint64_t tag() const { return tag_; }
  std::string_view line() const { return line_; }  // valid until the next call of Next
  uint64_t TakeBodyOctets();                       // body octets seen since the last call

 private:
  Event OnImapLine();
  Event OnPop3Line(Ending awaited);

  const Protocol protocol_;
  LineCutter lines_;
  std::string_view line_;
  bool greeted_ = false;
  bool inside_response_ = false;  // after a literal, or within a POP3 multi-line reply
  uint64_t skip_ = 0;
  uint64_t body_octets_ = 0;
  bool ok_ = false;
  uint64_t tag_ = 0;
};

}  // namespace postern
