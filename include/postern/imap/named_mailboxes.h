// Which mailboxes a command names, at every place where its grammar has one (RFC 9051 §6 and the
// extensions of the command table). Pure; any thread. Knows no rules.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "postern/imap/command.h"

namespace postern::imap {

// What the command would do with the mailbox: how a server refuses a name depends on it.
enum class MailboxRole : std::uint8_t {
  kUse,      // it must be there: SELECT, STATUS, the old name of RENAME, a URL ...
  kTarget,   // messages go there: APPEND, COPY, MOVE, REPLACE; refused with [TRYCREATE]
  kNew,      // it is to be made: CREATE, the new name of RENAME
  kPattern,  // LIST and its like, and the filters of NOTIFY and ESEARCH: may name what is not there
};

struct NamedMailbox {
  std::string name;  // decoded from its string, still in the encoding of the wire
  MailboxRole role = MailboxRole::kUse;
};

// head: what follows the verb, as far as it is there; only what HeadScanner found good. Names are
// appended to out; the pattern of a LIST once behind its reference and once alone. Of a command
// that is not in the table, every string; of GENURLAUTH and URLFETCH, the mailbox of every string
// that a URL may be.
void FindMailboxes(CommandKind kind, std::string_view head, std::vector<NamedMailbox>& out);
// The same for what follows a streamed literal of APPEND or REPLACE: the URLs of CATENATE.
void FindMailboxesBehindLiteral(std::string_view part, std::vector<NamedMailbox>& out);

}  // namespace postern::imap
