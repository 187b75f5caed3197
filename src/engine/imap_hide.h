// Hiding mailboxes (rules, `then = "hide"`): commands that name a hidden one are answered as if it
// were not there, and no answer of the backend tells of it. Only sessions that hide mailboxes come
// here. Pure; ImapHide is owned by the relay.
//
// What remains visible all the same:
// - a parent's \HasChildren and CHILDINFO, and that a parent cannot be renamed; DELETE of a parent
//   goes its way, and leaves children alone where the server keeps to RFC 9051 §6.3.5;
// - sums in which the hidden one has its part: quotas, and UIDs and counts of virtual mailboxes;
// - that a name cannot be made: CREATE of a hidden name is refused, of any other it is not;
// - that our words are not the backend's: its own refusals have other texts;
// - what leads to the same mailbox by another name that no pattern matches: links, a second
//   namespace;
// - a mailbox that was selected when a reload hid it, until it is left;
// - what stands in messages: a header may quote any name.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "postern/engine/trouble.h"
#include "postern/imap/command.h"
#include "postern/imap/response.h"
#include "postern/rules/rule_set.h"

namespace postern {

// How a command is answered instead of going to the backend: `NO [code] text`. Static text.
struct HiddenAnswer {
  Trouble trouble = Trouble::kMissing;
  std::string_view text;
};

// The answer to a command that names a hidden mailbox; nothing when it may go on. head: what
// follows the verb, to the end or to a streamed literal. LIST and its like always go on: their
// answers are looked at.
std::optional<HiddenAnswer> JudgeHidden(const SessionRules& rules, imap::CommandKind kind,
                                        std::string_view head);
// The same for what follows a streamed literal of APPEND or REPLACE: the URLs of CATENATE.
std::optional<HiddenAnswer> JudgeHiddenBehindLiteral(const SessionRules& rules,
                                                     std::string_view part);

// Whether a text of the backend's may carry the name of a hidden mailbox, or part of it is one.
bool MentionsHidden(const SessionRules& rules, std::string_view text);

// A status response (OK NO BAD BYE, tagged or not) without what it says of hidden mailboxes: the
// line that stands in its place, without CRLF; nothing when it says nothing of them. A code keeps
// its name. line: as it was given to ParseResponseHead; not whole: nobody knows what follows, so
// there is always one, and the rest of the response must be left out.
std::optional<std::string> NeutralStatus(const SessionRules& rules, const imap::ResponseHead& head,
                                         std::string_view line, bool whole);

// The same for whole lines, each with its CRLF.
std::string NeutralStatuses(const SessionRules& rules, std::string_view lines);

// Untagged data on its way to the client: what may name a mailbox is held until that is known.
//
//   state      a frame comes               then
//   kIdle      names nothing               kPass, stays
//              the whole response          judged at once, stays
//              the first of several        kTaken -> kHolding
//   kHolding   the last, or too many       judged -> kIdle; left out and more to come -> kDropping
//   kDropping  any                         kTaken; the last -> kIdle
class ImapHide {
 public:
  enum class Step {
    kPass,      // the frame goes on as it came
    kTaken,     // nothing goes on now: it is held, or left out
    kSend,      // text() goes on in place of what was taken; later frames of the response pass
    kNonsense,  // a name that is longer than any is
  };

  // A response has begun and is not over for us: its further frames are ours.
  bool busy() const { return state_ != State::kIdle; }
  // The first frame of untagged data, or any further one while busy(). ends: the response is over
  // with it. Null rules: nothing is hidden any more.
  Step OnFrame(const SessionRules* rules, std::string_view frame, bool ends);
  // The response that has begun is left out; its further frames will be.
  void LeaveOutRest() { state_ = State::kDropping; }
  // Of kSend; until the next call.
  const std::string& text() const { return text_; }

 private:
  enum class State : std::uint8_t { kIdle, kHolding, kDropping };
  Step Judge(const SessionRules* rules, std::string_view response, bool ends);

  State state_ = State::kIdle;
  std::string text_;
};

}  // namespace postern
