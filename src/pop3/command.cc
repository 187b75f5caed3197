#include "postern/pop3/command.h"

#include <array>

#include "postern/base/text.h"

namespace postern::pop3 {
namespace {

// By the value of CommandKind. A new command is one line here.
constexpr std::array<CommandTraits, kCommandCount> kTraits{{
    {"other"},
    {"USER", ReplyShape::kLine, 0, 0, false, "USER"},
    {"PASS", ReplyShape::kLine, 0, 0, false, "USER"},
    {"APOP"},
    {"AUTH", ReplyShape::kLine, 0, 0, false, "SASL"},
    {"CAPA", ReplyShape::kBody, 0, 0, true},
    {"STLS", ReplyShape::kLine, 0, 0, false, "STLS"},
    {"QUIT", ReplyShape::kLine, 0, 0, true},
    {"NOOP", ReplyShape::kLine, 0, 0, true},
    {"STAT", ReplyShape::kLine, 0, 0, true},
    {"LIST", ReplyShape::kBodyIfBare, 0, 1, true},
    {"RETR", ReplyShape::kBody, 1, 1, true},
    {"DELE", ReplyShape::kLine, 1, 1, true, {}, true},
    {"RSET", ReplyShape::kLine, 0, 0, true},
    {"TOP", ReplyShape::kBody, 2, 2, true, "TOP"},
    {"UIDL", ReplyShape::kBodyIfBare, 0, 1, true, "UIDL"},
    {"UTF8", ReplyShape::kLine, 0, 0, false, "UTF8"},
    {"LANG", ReplyShape::kLine, 0, 0, false, "LANG"},
    {"XCLIENT", ReplyShape::kLine, 0, 0, false, "XCLIENT"},
}};

constexpr bool IsVisible(char c) { return c > ' ' && c < '\x7f'; }

// A verb of up to eight letters as a number, in upper case; 0 when it is longer.
constexpr std::uint64_t Pack(std::string_view verb) {
  if (verb.size() > 8) return 0;
  std::uint64_t packed = 0;
  for (const char c : verb) packed = packed << 8 | static_cast<unsigned char>(AsciiUpper(c));
  return packed;
}

constexpr auto kPacked = [] {
  std::array<std::uint64_t, kCommandCount> packed{};
  for (std::size_t i = 1; i < packed.size(); ++i) packed[i] = Pack(kTraits[i].name);
  return packed;
}();

CommandKind KindOf(std::string_view verb) {
  const std::uint64_t packed = Pack(verb);
  for (std::size_t i = 1; i < kPacked.size(); ++i) {
    if (kPacked[i] == packed) return static_cast<CommandKind>(i);
  }
  return CommandKind::kOther;
}

}  // namespace

const CommandTraits& Traits(CommandKind kind) { return kTraits[static_cast<std::size_t>(kind)]; }

std::string_view CommandName(CommandKind kind) { return Traits(kind).name; }

Command ParseCommand(std::string_view line) {
  const std::size_t space = line.find(' ');
  Command command;
  command.verb = line.substr(0, space);
  command.kind = KindOf(command.verb);
  command.has_rest = space != line.npos;
  if (command.has_rest) command.rest = line.substr(space + 1);
  return command;
}

std::string_view TrimSpaces(std::string_view line) {
  const std::size_t last = line.find_last_not_of(' ');
  return last == line.npos ? std::string_view{} : line.substr(0, last + 1);
}

Arguments CountArguments(const Command& command) {
  if (!command.has_rest) return {true, 0};
  Arguments arguments{true, 1};
  bool begun = false;
  for (const char c : command.rest) {
    if (c == ' ' && begun) {
      if (arguments.count < 255) ++arguments.count;
      begun = false;
    } else if (IsVisible(c)) {
      begun = true;
    } else {
      return {};
    }
  }
  if (!begun) return {};
  return arguments;
}

bool HasBody(CommandKind kind, bool has_arguments) {
  switch (Traits(kind).reply) {
    case ReplyShape::kLine:
      return false;
    case ReplyShape::kBody:
      return true;
    case ReplyShape::kBodyIfBare:
      return !has_arguments;
  }
  return false;
}

}  // namespace postern::pop3
