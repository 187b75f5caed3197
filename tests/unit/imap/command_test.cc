// The beginning of a command, and the table of what Postern follows.
#include "postern/imap/command.h"

#include <catch2/catch.hpp>
#include <string>
#include <string_view>

namespace postern::testing {
namespace {

using imap::CapabilitySet;
using imap::CommandKind;
using imap::CommandStart;
using imap::ParseCommandStart;
using Verdict = CommandStart::Verdict;

CommandStart Start(std::string_view line) { return ParseCommandStart(line, 64); }

TEST_CASE("A command begins with a tag, one space and a verb") {
  const CommandStart start = Start("a.1-[x] fetch 1 FLAGS");
  CHECK(start.verdict == Verdict::kGood);
  CHECK(start.tag == "a.1-[x]");
  CHECK(start.kind == CommandKind::kFetch);
  CHECK_FALSE(start.uid);
  CHECK(start.arguments == 13);
  CHECK(Start("a XFOO").kind == CommandKind::kOther);
  CHECK(Start("a NOOP").arguments == 6);
}

TEST_CASE("UID belongs to the command behind it") {
  const CommandStart start = Start("a uid COPY 1 x");
  CHECK(start.kind == CommandKind::kCopy);
  CHECK(start.uid);
  CHECK(start.arguments == 10);
  CHECK(Start("a UID NOOP").kind == CommandKind::kOther);
  CHECK(Start("a UID XFOO").kind == CommandKind::kOther);
  for (const char* line : {"a UID", "a UID (1)", "a UID  FETCH", "a UID \"x\""}) {
    INFO(line);
    CHECK(Start(line).verdict == Verdict::kGood);
    CHECK(Start(line).kind == CommandKind::kOther);
    CHECK(Start(line).arguments == 5);
  }
}

TEST_CASE("Tags hold what RFC 9051 lets them hold") {
  for (const char* line :
       {"", " NOOP", "+ NOOP", "* NOOP", "a+ NOOP", "a( NOOP", "a) NOOP", "a{1} NOOP", "a\" NOOP",
        "a\\ NOOP", "a%n NOOP", "\xc3\xa4 NOOP", "a\x7f NOOP", "a\t NOOP"}) {
    INFO(line);
    CHECK(Start(line).verdict == Verdict::kNoTag);
    CHECK(Start(line).tag.empty());
  }
  CHECK(Start(std::string(64, 'a') + " NOOP").verdict == Verdict::kGood);
  CHECK(Start(std::string(65, 'a') + " NOOP").verdict == Verdict::kNoTag);
}

TEST_CASE("A tag without a verb is a mistake of its own") {
  for (const char* line : {"a", "a ", "a  NOOP", "a NO(OP", "a \"NOOP\"", "a {5}", "a NOOP{5+}"}) {
    INFO(line);
    CHECK(Start(line).verdict == Verdict::kNoCommand);
    CHECK(Start(line).tag == "a");
  }
}

TEST_CASE("A backend is trusted with what it advertised") {
  const auto may = [](std::string_view capabilities, CommandKind kind) {
    return imap::RelayableCommands(CapabilitySet::Parse(capabilities))
        .test(static_cast<std::size_t>(kind));
  };
  CHECK(may("IMAP4rev1", CommandKind::kFetch));
  CHECK(may("", CommandKind::kNoop));
  CHECK_FALSE(may("IMAP4rev1", CommandKind::kIdle));
  CHECK(may("IMAP4rev1 idle", CommandKind::kIdle));
  CHECK(may("IMAP4rev2", CommandKind::kMove));
  CHECK(may("THREAD=REFERENCES", CommandKind::kThread));
  CHECK_FALSE(may("THREAD", CommandKind::kThread));
  CHECK(may("QUOTA=RES-STORAGE", CommandKind::kGetquota));
  for (const CommandKind kind :
       {CommandKind::kOther, CommandKind::kLogin, CommandKind::kAuthenticate,
        CommandKind::kStarttls, CommandKind::kCompress, CommandKind::kUnauthenticate}) {
    CHECK_FALSE(may("IMAP4rev1 COMPRESS=DEFLATE STARTTLS UNAUTHENTICATE", kind));
  }
}

TEST_CASE("APPEND has the forms a backend advertised") {
  const auto forms = [](std::string_view capabilities) {
    return imap::AppendFormsOf(CapabilitySet::Parse(capabilities));
  };
  CHECK_FALSE(forms("IMAP4rev1 LITERAL+").binary);
  CHECK(forms("BINARY").binary);
  CHECK(forms("IMAP4rev2").binary);
  CHECK(forms("UTF8=ACCEPT").binary);
  CHECK(forms("UTF8=ONLY").utf8);
  CHECK_FALSE(forms("BINARY").utf8);
  CHECK(forms("CATENATE").catenate);
  CHECK(forms("MULTIAPPEND").several);
}

TEST_CASE("Every row of the command table has a name that finds it") {
  for (std::size_t i = 1; i < imap::kCommandCount; ++i) {
    const auto kind = static_cast<CommandKind>(i);
    CHECK(imap::FindCommand(imap::CommandName(kind)) == kind);
    CHECK(imap::Traits(kind).least <= imap::Traits(kind).most);
  }
  CHECK(imap::CommandName(CommandKind::kOther) == "other");
}

}  // namespace
}  // namespace postern::testing
