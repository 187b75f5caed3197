// IMAP commands: the closed list Postern follows, what each may carry, and the parser of a command
// line's beginning (RFC 9051 §6 and the extensions named in the table). Pure; any thread.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "postern/imap/capability.h"

namespace postern::imap {

enum class CommandKind : std::uint8_t {
  kOther,  // not in the table; never forwarded
  kCapability,
  kNoop,
  kLogout,
  kStarttls,
  kAuthenticate,
  kLogin,
  kId,
  kSelect,
  kExamine,
  kCreate,
  kDelete,
  kRename,
  kSubscribe,
  kUnsubscribe,
  kList,
  kLsub,
  kXlist,
  kStatus,
  kAppend,
  kCheck,
  kClose,
  kUnselect,
  kExpunge,
  kSearch,
  kFetch,
  kStore,
  kCopy,
  kMove,
  kSort,
  kThread,
  kIdle,
  kNamespace,
  kEnable,
  kGetquota,
  kGetquotaroot,
  kSetquota,
  kSetacl,
  kDeleteacl,
  kGetacl,
  kListrights,
  kMyrights,
  kGetmetadata,
  kSetmetadata,
  kNotify,
  kCancelupdate,
  kGenurlauth,
  kResetkey,
  kUrlfetch,
  kReplace,
  kLanguage,
  kComparator,
  kEsearch,
  kCompress,
  kUnauthenticate,
};
inline constexpr std::size_t kCommandCount =
    static_cast<std::size_t>(CommandKind::kUnauthenticate) + 1;

// Where a command's literals may stand, and what happens to them.
enum class Literals : std::uint8_t {
  kNone,      // nowhere: a brace mark at a line's end leaves the framing in doubt
  kMailbox,   // at the top-level arguments of `literal_arguments`; gathered and judged
  kAnywhere,  // any argument may be an astring: SEARCH, FETCH, LIST ...; gathered and judged
  kStreamed,  // APPEND, REPLACE, SETMETADATA: from argument `streamed_from` on never looked at
};

// One row of the table. Adding a command is one line in command.cc.
struct CommandTraits {
  CommandKind kind;
  std::string_view name;
  // Capabilities of which the backend must have advertised one; "" when the base protocol has it. A
  // trailing
  // '*' stands for any rest ("THREAD=*").
  std::string_view capabilities;
  bool in_rev2;        // part of IMAP4rev2 without its own capability
  std::uint8_t least;  // top-level arguments, a list counts as one
  std::uint8_t most;   // kMany: no limit
  Literals literals;
  std::uint8_t literal_arguments;  // bit i: argument i may be a literal (gathered)
  std::uint8_t streamed_from;      // with kStreamed: index of the first argument that is streamed
  bool uid;                        // may be prefixed by UID
  bool relayed;                    // false: Postern answers or refuses it itself after login
  // It changes mailboxes, messages, rights, quotas or keys, or nobody knows what it does. What only
  // changes the session (SELECT, ENABLE), or may change flags by the way (FETCH, CLOSE), does not.
  bool changes;
};
inline constexpr std::uint8_t kMany = 255;

// The row of a kind.
const CommandTraits& Traits(CommandKind kind);
// "FETCH"; "other" for kOther. Static text.
std::string_view CommandName(CommandKind kind);
// By verb, without regard to case; kOther when unknown.
CommandKind FindCommand(std::string_view verb);

// The commands a backend with these capabilities can be trusted with; fixed when the login ends
// (DESIGN 2.9).
using CommandSet = std::bitset<kCommandCount>;
CommandSet RelayableCommands(const CapabilitySet& advertised);

// What a backend with these capabilities takes in APPEND and its like beyond one plain literal;
// fixed when the login ends.
struct AppendForms {
  bool binary = false;    // ~{n} (RFC 3516, RFC 9051)
  bool utf8 = false;      // UTF8 (~{n}) (RFC 6855)
  bool catenate = false;  // CATENATE (TEXT {n} ...) (RFC 4469)
  bool several = false;   // more than one message (RFC 3502)
};
AppendForms AppendFormsOf(const CapabilitySet& advertised);

// The beginning of a command line. Views into the line.
struct CommandStart {
  enum class Verdict : std::uint8_t {
    kGood,
    kNoTag,      // no tag can be read: answer `* BAD`
    kNoCommand,  // a tag, but no verb behind exactly one space
  };
  Verdict verdict = Verdict::kNoTag;
  std::string_view tag;
  CommandKind kind = CommandKind::kOther;
  bool uid = false;           // a UID command: FETCH of `UID FETCH`
  std::size_t arguments = 0;  // offset of what follows the verb: empty, or a space and arguments
};
// line without its CRLF. A tag is 1 to max_tag characters of RFC 9051's tag.
CommandStart ParseCommandStart(std::string_view line, std::size_t max_tag);

}  // namespace postern::imap
