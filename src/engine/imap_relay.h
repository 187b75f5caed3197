// ImapRelay: an IMAP session after its login. Both directions are framed, every command is judged,
// timed and counted, and what passes is forwarded in whole runs of the very bytes that came. Pure;
// owned by the engine.
//
//   reading       the client's next bytes are                       leaves when
//   kLine         a command line                                    -
//   kGather       a literal that is judged (mailbox, search key)    its last byte -> kTail
//   kAwaitPlus    not read: the backend has not said `+` yet        `+` -> kStream or on;
//                                                                   NO, BAD -> kLine, kSwallow
//   kStream       a literal that is passed on unseen                its last byte -> kTail
//   kTail         the rest of the command's line behind a literal   -> kLine, kGather, kAwaitPlus
//   kSwallow      a literal of a refused command                    its last byte -> kSwallowTail
//   kSwallowTail  the rest of a refused command's line              -> kLine, kSwallow
//   kIdle         DONE                                              -> kLine
//   kHeld         not read: a rule delays the command               its time -> kLine or on
//   kStopped      ignored: LOGOUT was said, or the session ends
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "engine/head_reader.h"
#include "engine/imap_core.h"
#include "engine/imap_hide.h"
#include "engine/imap_ruling.h"
#include "engine/imap_selection.h"
#include "postern/imap/framer.h"

namespace postern {

class ImapRelay {
 public:
  explicit ImapRelay(ImapCore& core);

  std::size_t OnClientBytes(std::string_view bytes);
  std::size_t OnBackendBytes(std::string_view bytes);
  void OnBackendEnd();
  void OnClientEnd();
  void OnIdleTimeout();
  void OnPauseOver();
  void OnDrain(CloseReason why);
  void OnDrainDeadline();
  bool blocked() const { return blocked_; }
  bool quiet() const;

 private:
  enum class Reading : std::uint8_t {
    kLine,
    kGather,
    kAwaitPlus,
    kStream,
    kTail,
    kSwallow,
    kSwallowTail,
    kIdle,
    kHeld,
    kStopped,
  };
  using Step = HeadReader::Step;

  // Client to backend (imap_relay_client.cc).
  bool MayRead() const;
  void OnClientFrame(const imap::Frame& frame, std::string_view bytes);
  void OnClientLine(std::string_view line);
  void OnStep(Step step, std::string_view line);
  void OnWholeLine(std::string_view line);
  void OnWholeHead();
  void OnTail(std::string_view line);
  void OnLiteralPiece(std::string_view piece);
  void OnSwallowTail(std::string_view line);
  void OnIdleLine(std::string_view line);
  void TooBig();
  void BeginGather();
  void BeginStream();
  void SendHead();
  void OnPlus();
  void LiteralRefused();
  void EndOfCommand();
  void Malformed(std::string_view bytes);
  void Doubt(std::string_view tag);
  void Clumsy(std::string_view text);
  // Runs of client bytes that go on as they came.
  void Pass(std::string_view bytes);
  void FlushRun();
  // What rules make of a command before the backend has any of it (imap_relay_rules.cc).
  bool OnRules(const SessionRules* rules, std::string_view arguments, bool streamed);
  void Judge(const SessionRules& rules, std::string_view arguments, bool streamed);
  void Hold();
  bool Enforce(const ImapRuling& ruling);
  bool OnSessionRules(const SessionRules& rules, std::string_view arguments, bool streamed);
  bool OnReadOnly(RuleId rule, std::string_view arguments, bool streamed);
  bool SendAsExamine(std::string_view arguments);
  bool RefusesUrl(const SessionRules& rules);
  bool MayBeHiddenUrl(const SessionRules& rules) const;
  void Deny(std::string_view text, bool streamed);
  void Refuse(std::string_view status, std::string_view text, bool streamed);
  bool RefusesMore(bool streamed);
  bool DeniesMore(const SessionRules& rules, bool streamed);
  // Commands of which Postern changes the arguments, or which it answers itself
  // (imap_relay_own.cc).
  bool OnOwnCommand(std::string_view head, std::string_view arguments);
  bool OnId(std::string_view head, std::string_view arguments);
  bool OnEnable(std::string_view arguments);
  void AnswerHere(std::string_view text);
  void SendInstead(std::string_view line);
  // Our own words, at the next response boundary.
  void Reply(std::string_view text);
  void Bye(CloseReason reason, std::string_view text);

  // Backend to client (imap_relay_backend.cc).
  bool OnResponse(std::string_view line, bool whole);
  bool OnUntagged(std::string_view line, bool whole);
  bool OnTagged(std::string_view line, bool whole);
  bool OnContinuation(std::string_view line, bool whole);
  bool TakeContinuation();
  bool OnRest(std::string_view piece);
  bool PassWhatIsNotHidden(std::string_view piece);
  bool PassStatus(const imap::ResponseHead& head, std::string_view line, bool whole);
  bool PassCode(const imap::ResponseHead& head, std::string_view line, bool whole);
  void SendCapabilities(std::string_view before, std::string_view names, std::string_view behind);
  void EndCommand(CommandRecord& record, CommandResult result);
  void AtBoundary();
  void BackendNonsense(bool at_boundary);
  CommandRecord& Begin(std::string_view tag, imap::CommandKind kind, bool as_it_came = true);
  void PassBack(std::string_view bytes);
  void FlushBack();
  bool AllAnswered() const;
  void MaybeOver();

  ImapCore& core_;
  Reading reading_ = Reading::kLine;
  bool blocked_ = false;
  bool draining_ = false;
  bool client_gone_ = false;
  bool bye_seen_ = false;          // the backend said it will close
  bool swallow_done_ = false;      // an IDLE ended early: one DONE may be on its way
  bool idle_plus_due_ = false;     // the `+` of an IDLE has not come
  bool ends_at_boundary_ = false;  // everything is said but replies_; then the end, for ending_
  CloseReason ending_ = CloseReason::kInternal;
  CloseReason drain_reason_ = CloseReason::kDrained;
  ImapSelection selection_;
  imap::CommandFramer framer_;
  imap::ResponseFramer responses_;
  HeadReader reader_;
  CommandRecord* open_ =
      nullptr;  // begun at the backend and not read to its end; null once it was answered
  bool at_backend_ = false;  // a part of the command being read was sent
  std::size_t sent_ = 0;     // of the gathered head
  std::size_t next_stop_ = 0;
  std::unique_ptr<ImapRuling> ruling_;  // of the command being read
  std::unique_ptr<ImapHide> hide_;      // once a mailbox was hidden
  Instant mark_{};                      // when the wait for `+`, the literal or the IDLE began
  std::string_view run_;                // of client bytes; only within OnClientBytes
  std::string_view back_run_;           // of backend bytes; only within OnBackendBytes
  std::string replies_;                 // of ours, waiting for a boundary
};

}  // namespace postern
