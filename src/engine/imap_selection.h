// ImapSelection: whether the mailbox that is selected at the backend may have been opened for
// writing: then CLOSE expunges and FETCH sets \Seen. In doubt it is. Pure; owned by the relay.
#pragma once

#include "postern/engine/in_flight.h"
#include "postern/imap/command.h"
#include "postern/metrics/shard.h"

namespace postern {

// The commands that select or deselect, a bit each.
constexpr std::uint64_t SelectionBit(imap::CommandKind kind) {
  return std::uint64_t{1} << static_cast<std::uint8_t>(kind);
}
static_assert(imap::kCommandCount <= 64);
inline constexpr std::uint64_t kSelecting =
    SelectionBit(imap::CommandKind::kSelect) | SelectionBit(imap::CommandKind::kExamine);
inline constexpr std::uint64_t kDeselecting =
    SelectionBit(imap::CommandKind::kClose) | SelectionBit(imap::CommandKind::kUnselect);

class ImapSelection {
 public:
  // A command was begun; as_it_came: it is forwarded under its own verb.
  void Begun(CommandRecord& record, bool as_it_came) {
    if (record.command != static_cast<std::uint8_t>(imap::CommandKind::kSelect) || !as_it_came)
      return;
    record.writable = writable_ = true;
  }
  // The backend answered it, and it is still in flight.
  void Ended(CommandRecord& record, CommandResult result, InFlight& in_flight) {
    if (((kSelecting | kDeselecting) >> record.command & 1) != 0)
      Changed(record, result, in_flight);
  }
  bool writable() const { return writable_; }

 private:
  // A SELECT that fails deselects (RFC 9051 §6.3.2); one that cannot be read does nothing.
  void Changed(CommandRecord& record, CommandResult result, InFlight& in_flight) {
    const bool selects = (kSelecting >> record.command & 1) != 0;
    const bool opened = record.writable && result == CommandResult::kOk;
    const bool done = result == CommandResult::kOk || (selects && result == CommandResult::kNo);
    if (!done) return;
    record.writable = false;
    writable_ = opened;
    for (const CommandRecord* other = in_flight.front(); other != nullptr;
         other = other->next.get()) {
      if (other->writable) writable_ = true;
    }
  }

  bool writable_ = false;
};

}  // namespace postern
