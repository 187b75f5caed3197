#include "postern/pop3/command.h"

#include <catch2/catch.hpp>
#include <string>
#include <string_view>

#include "postern/base/text.h"

namespace postern::pop3 {
namespace {

using namespace std::string_view_literals;

TEST_CASE("Every POP3 verb is known in any case and by its whole name only") {
  for (std::size_t i = 1; i < kCommandCount; ++i) {
    const auto kind = static_cast<CommandKind>(i);
    const std::string name(CommandName(kind));
    CHECK(ParseCommand(name).kind == kind);
    CHECK(ParseCommand(ToLower(name) + " 1").kind == kind);
    CHECK(ParseCommand(name + "X").kind == CommandKind::kOther);
    CHECK(ParseCommand(name.substr(1)).kind == CommandKind::kOther);
    CHECK(ParseCommand(" " + name).kind == CommandKind::kOther);
    CHECK(ParseCommand(name + "\t1").kind == CommandKind::kOther);
  }
  CHECK(ParseCommand("").kind == CommandKind::kOther);
  CHECK(ParseCommand("XFOOBARBAZ").kind == CommandKind::kOther);
  CHECK(CommandName(CommandKind::kOther) == "other");
}

TEST_CASE("The rest of a POP3 line is verbatim behind the first space") {
  const Command command = ParseCommand("PASS  two spaces ");
  CHECK(command.has_rest);
  CHECK(command.rest == " two spaces ");
  CHECK(ParseCommand("PASS ").has_rest);
  CHECK(ParseCommand("PASS ").rest.empty());
  CHECK_FALSE(ParseCommand("PASS").has_rest);
}

TEST_CASE("POP3 arguments are counted only when every server would count them alike") {
  CHECK(CountArguments(ParseCommand("LIST")).count == 0);
  CHECK(CountArguments(ParseCommand("LIST 1")).count == 1);
  CHECK(CountArguments(ParseCommand("TOP 1 10")).count == 2);
  for (const std::string_view odd :
       {"LIST "sv, "LIST  1"sv, "TOP 1  2"sv, "LIST \t"sv, "LIST 1\t2"sv, "LIST 1 "sv,
        "LIST \x80"sv, "LIST \x7f"sv, "LIST \x01"sv}) {
    INFO(odd);
    CHECK_FALSE(CountArguments(ParseCommand(odd)).well_formed);
  }
  std::string many = "LIST";
  for (int i = 0; i < 300; ++i) many += " x";
  CHECK(CountArguments(ParseCommand(many)).count == 255);
}

TEST_CASE("Which POP3 replies have a body") {
  CHECK(HasBody(CommandKind::kList, false));
  CHECK_FALSE(HasBody(CommandKind::kList, true));
  CHECK(HasBody(CommandKind::kUidl, false));
  CHECK_FALSE(HasBody(CommandKind::kUidl, true));
  CHECK(HasBody(CommandKind::kCapa, false));
  CHECK(HasBody(CommandKind::kRetr, true));
  CHECK(HasBody(CommandKind::kTop, true));
  for (const auto kind : {CommandKind::kStat, CommandKind::kDele, CommandKind::kRset,
                          CommandKind::kNoop, CommandKind::kQuit}) {
    CHECK_FALSE(HasBody(kind, false));
  }
}

TEST_CASE("Only the commands of RFC 1939 and CAPA are relayed") {
  std::string relayed;
  for (std::size_t i = 0; i < kCommandCount; ++i) {
    const CommandTraits& traits = Traits(static_cast<CommandKind>(i));
    if (traits.relayed) relayed += std::string(traits.name) + " ";
  }
  CHECK(relayed == "CAPA QUIT NOOP STAT LIST RETR DELE RSET TOP UIDL ");
}

TEST_CASE("Spaces at the end of a POP3 line are trimmed and nothing else") {
  CHECK(TrimSpaces("NOOP  ") == "NOOP");
  CHECK(TrimSpaces("NOOP\t") == "NOOP\t");
  CHECK(TrimSpaces("   ").empty());
  CHECK(TrimSpaces("").empty());
  CHECK(TrimSpaces(" a b ") == " a b");
}

}  // namespace
}  // namespace postern::pop3
