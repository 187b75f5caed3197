// POP3 commands (RFC 1939, 2449, 5034, 6856): the closed list, their traits, and the parser of one
// line. Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace postern::pop3 {

enum class CommandKind : std::uint8_t {
  kOther,  // unknown; never forwarded
  kUser,
  kPass,
  kApop,
  kAuth,
  kCapa,
  kStls,
  kQuit,
  kNoop,
  kStat,
  kList,
  kRetr,
  kDele,
  kRset,
  kTop,
  kUidl,
  kUtf8,
  kLang,
  kXclient,
};
inline constexpr std::size_t kCommandCount = 19;

// "USER"; "other" for kOther.
std::string_view CommandName(CommandKind kind);

// What a positive reply looks like.
enum class ReplyShape : std::uint8_t {
  kLine,        // a status line
  kBody,        // a status line and a body that ends in CRLF.CRLF
  kBodyIfBare,  // a body when the command has no argument (LIST, UIDL)
};

struct CommandTraits {
  std::string_view name;
  ReplyShape reply = ReplyShape::kLine;
  std::uint8_t min_arguments = 0;
  std::uint8_t max_arguments = 0;
  bool relayed = false;  // may be sent to a backend after login
  // The capability that offers it; empty when every server has it.
  std::string_view capability = {};
  bool changes = false;  // something of the mailbox; QUIT only carries out what DELE asked for
};
const CommandTraits& Traits(CommandKind kind);

// One command line. Views into the line.
struct Command {
  CommandKind kind = CommandKind::kOther;
  std::string_view verb;  // as the client wrote it
  std::string_view rest;  // behind the space after the verb, verbatim; empty when there is none
  bool has_rest = false;  // a space follows the verb
};

// line: without CRLF, framed by CommandFramer. The verb ends at the first space.
Command ParseCommand(std::string_view line);

// The line without the spaces at its end: what is relayed.
std::string_view TrimSpaces(std::string_view line);

// How a command of the relay is to be treated. rest must be trimmed.
// Arguments are runs of visible ASCII with exactly one space before each; anything else is not well
// formed, because a backend might count the arguments, and so the shape of the reply, in another
// way.
struct Arguments {
  bool well_formed = false;
  std::uint8_t count = 0;  // stops at 255
};
Arguments CountArguments(const Command& command);

// Whether a positive reply to the command has a body.
bool HasBody(CommandKind kind, bool has_arguments);

}  // namespace postern::pop3
