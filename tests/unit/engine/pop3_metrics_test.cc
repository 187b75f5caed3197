// What Pop3Engine measures (DESIGN 1.4).

#include <catch2/catch.hpp>
#include <string>

#include "pop3_fixture.h"

namespace postern::testing {
namespace {

using pop3::CommandKind;
using std::chrono::milliseconds;

TEST_CASE("A POP3 command lasts from its line to the last byte of its reply") {
  Pop3Visit visit;
  visit.LogIn();
  visit.Client("RETR");
  visit.Advance(milliseconds(500));
  visit.Client(" 1\r\n");
  visit.Advance(milliseconds(300));
  visit.Backend("+");
  visit.Advance(milliseconds(100));
  visit.Backend("OK\r\nbody");
  visit.Advance(milliseconds(50));
  visit.Backend("\r\n.\r\n");
  CHECK(visit.Seconds(CommandKind::kRetr) == Approx(0.45));
  CHECK(visit.FirstByteSeconds(CommandKind::kRetr) == Approx(0.3));
  CHECK(visit.Ended(CommandKind::kRetr, CommandResult::kOk) == 1);
}

TEST_CASE("A pipelined POP3 command begins when the one before it has ended") {
  Pop3Visit visit;
  visit.LogIn();
  visit.Client("RETR 1\r\nSTAT\r\nDELE 9\r\n");
  visit.Advance(milliseconds(300));
  visit.Backend("+OK\r\n.\r\n");
  visit.Advance(milliseconds(20));
  visit.Backend("+OK 1 1\r\n-ERR no\r\n");
  CHECK(visit.Seconds(CommandKind::kRetr) == Approx(0.3));
  CHECK(visit.Seconds(CommandKind::kStat) == Approx(0.02));
  CHECK(visit.Seconds(CommandKind::kDele) == 0);
  CHECK(visit.Ended(CommandKind::kDele, CommandResult::kErr) == 1);
}

TEST_CASE("Time in which the POP3 client does not read is stall and no command time") {
  Pop3Visit visit;
  visit.LogIn();
  visit.Client("RETR 1\r\n");
  visit.Advance(milliseconds(10));
  visit.Backend("+OK\r\n");
  visit.Stall(milliseconds(5000));
  visit.Backend("body\r\n.\r\n");
  CHECK(visit.Seconds(CommandKind::kRetr) == Approx(0.01));
  CHECK(visit.StallSeconds() == Approx(5));
  CHECK(visit.host.slow.empty());
}

TEST_CASE("Slow POP3 commands are told with both times") {
  Pop3Visit visit;
  visit.LogIn();
  visit.Client("LIST\r\nNOOP\r\n");
  visit.Advance(milliseconds(400));
  visit.Backend("+OK\r\n");
  visit.Advance(milliseconds(600));
  visit.Backend(".\r\n+OK\r\n");
  REQUIRE(visit.host.slow.size() == 1);
  CHECK(visit.host.slow[0].command == "LIST");
  CHECK(visit.host.slow[0].first_byte == milliseconds(400));
  CHECK(visit.host.slow[0].total == milliseconds(1000));
}

TEST_CASE("POP3 commands that we answer ourselves are local and have no duration") {
  Pop3Visit visit;
  visit.Client("CAPA\r\nNOOP\r\nwhat\r\n");
  CHECK(visit.Ended(CommandKind::kCapa, CommandResult::kLocal, false) == 1);
  CHECK(visit.Ended(CommandKind::kNoop, CommandResult::kLocal, false) == 1);
  CHECK(visit.Ended(CommandKind::kOther, CommandResult::kLocal, false) == 1);
  visit.ToClient();
  visit.LogIn();
  CHECK(visit.Ended(CommandKind::kUser, CommandResult::kLocal, false) == 1);
  CHECK(visit.Ended(CommandKind::kPass, CommandResult::kOk) == 1);
  visit.Client("RETR\r\n");
  CHECK(visit.Ended(CommandKind::kRetr, CommandResult::kLocal) == 1);
  CHECK(visit.Seconds(CommandKind::kRetr) == 0);
}

TEST_CASE("What a POP3 session leaves behind is aborted") {
  Pop3Visit visit;
  visit.LogIn();
  visit.Client("RETR 1\r\nXFOO\r\nSTAT\r\n");
  visit.Abandoned();
  CHECK(visit.Ended(CommandKind::kRetr, CommandResult::kAborted) == 1);
  CHECK(visit.Ended(CommandKind::kOther, CommandResult::kAborted) == 1);
  CHECK(visit.Ended(CommandKind::kStat, CommandResult::kAborted) == 1);
  CHECK(visit.engine.quiet());
}

}  // namespace
}  // namespace postern::testing
