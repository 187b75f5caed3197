// What ImapEngine measures (DESIGN 1.4).
#include <catch2/catch.hpp>
#include <string>

#include "imap_visit.h"

namespace postern::testing {
namespace {

using imap::CommandKind;
using std::chrono::milliseconds;

TEST_CASE("An IMAP command lasts from its line to its tagged line") {
  ImapVisit visit;
  visit.LogIn();
  visit.Client("a FETCH 1 ");
  visit.Advance(milliseconds(500));
  visit.Client("FLAGS\r\n");
  visit.Advance(milliseconds(300));
  visit.Backend("*");
  visit.Advance(milliseconds(100));
  visit.Backend(" 1 FETCH (FLAGS ())\r\na O");
  visit.Advance(milliseconds(50));
  visit.Backend("K\r\n");
  CHECK(visit.Seconds(CommandKind::kFetch) == Approx(0.45));
  CHECK(visit.FirstByteSeconds(CommandKind::kFetch) == Approx(0.3));
  CHECK(visit.Ended(CommandKind::kFetch, CommandResult::kOk) == 1);
}

TEST_CASE("A pipelined IMAP command begins when the one before it has ended") {
  ImapVisit visit;
  visit.LogIn();
  visit.Client("a UID FETCH 1 FLAGS\r\nb NOOP\r\nc CHECK\r\n");
  visit.Advance(milliseconds(300));
  visit.Backend("a OK\r\n");
  visit.Advance(milliseconds(20));
  visit.Backend("b OK\r\nc NO\r\n");
  CHECK(visit.Seconds(CommandKind::kFetch) == Approx(0.3));
  CHECK(visit.Seconds(CommandKind::kNoop) == Approx(0.02));
  CHECK(visit.FirstByteSeconds(CommandKind::kNoop) == Approx(0.02));
  CHECK(visit.Seconds(CommandKind::kCheck) == 0);
  CHECK(visit.Ended(CommandKind::kCheck, CommandResult::kNo) == 1);
}

TEST_CASE("A slow IMAP client is stall and no command time") {
  ImapVisit visit;
  visit.LogIn();
  visit.Client("a FETCH 1 BODY[]\r\n");
  visit.Advance(milliseconds(10));
  visit.Backend("* 1 FETCH (BODY[] {3}\r\nab");
  visit.Stall(milliseconds(5000));
  visit.Backend("c)\r\na OK\r\n");
  CHECK(visit.Seconds(CommandKind::kFetch) == Approx(0.01));
  CHECK(visit.StallSeconds() == Approx(5));
  CHECK(visit.host.slow.empty());
}

TEST_CASE("The time of a literal is the client's, the wait for the plus the backend's") {
  ImapVisit visit;
  visit.LogIn();
  visit.Client("a APPEND INBOX {4+}\r\n");
  visit.Advance(milliseconds(70));
  visit.Backend("+ go\r\n");
  visit.Client("ab");
  visit.Advance(milliseconds(2000));
  visit.Client("cd\r\n");
  visit.Advance(milliseconds(30));
  visit.Backend("a OK\r\n");
  CHECK(visit.ContinueSeconds() == Approx(0.07));
  CHECK(visit.UploadSeconds() == Approx(2));
  CHECK(visit.Seconds(CommandKind::kAppend) == Approx(0.03));
  CHECK(visit.Rewritten(Rewrite::kLiteral) == 1);
}

TEST_CASE("Each literal is counted once as rewritten") {
  ImapVisit visit;
  visit.LogIn();
  visit.Client("a RENAME {1+}\r\nx {1}\r\ny\r\nb NOOP \r\n");
  visit.Backend("+\r\n");
  visit.Backend("+\r\n");
  CHECK(visit.ToBackend() == "a RENAME {1}\r\nx {1}\r\ny\r\nb NOOP\r\n");
  CHECK(visit.Rewritten(Rewrite::kLiteral) == 1);
  CHECK(visit.Rewritten(Rewrite::kSpaces) == 1);
}

TEST_CASE("IDLE dwells until DONE, and lasts from there to its end") {
  ImapVisit visit;
  visit.LogIn();
  visit.Client("a IDLE\r\n");
  visit.Backend("+ idling\r\n");
  CHECK(visit.engine.quiet());
  visit.Advance(milliseconds(60000));
  visit.Backend("* 1 EXISTS\r\n");
  visit.Client("DONE\r\n");
  CHECK_FALSE(visit.engine.quiet());
  visit.Advance(milliseconds(40));
  visit.Backend("a OK\r\n");
  CHECK(visit.IdleSeconds() == Approx(60));
  CHECK(visit.Seconds(CommandKind::kIdle) == Approx(0.04));
  CHECK(visit.FirstByteSeconds(CommandKind::kIdle) == Approx(0.04));
  CHECK(visit.engine.quiet());
}

TEST_CASE("What a backend says during IDLE is not the first byte of its answer") {
  ImapVisit visit;
  visit.LogIn();
  visit.Client("a IDLE\r\n");
  visit.Advance(milliseconds(5));
  visit.Backend("+ idling\r\n* 1 EXISTS\r\n");
  visit.Advance(milliseconds(1000));
  visit.Client("DONE\r\n");
  visit.Advance(milliseconds(10));
  visit.Backend("* 2 EXISTS\r\n");
  visit.Advance(milliseconds(30));
  visit.Backend("a OK\r\n");
  CHECK(visit.FirstByteSeconds(CommandKind::kIdle) == Approx(0.01));
  CHECK(visit.Seconds(CommandKind::kIdle) == Approx(0.04));
}

TEST_CASE("What Postern answers is local, what a cut leaves open is aborted") {
  ImapVisit visit;
  visit.LogIn();
  visit.Client("a XFOO\r\nb FETCH\r\nc ID NIL\r\nd NOOP\r\ne APPEND x {5}\r\n");
  visit.BackendEnd();
  CHECK(visit.Ended(CommandKind::kOther, CommandResult::kLocal) == 1);
  CHECK(visit.Ended(CommandKind::kFetch, CommandResult::kLocal) == 1);
  CHECK(visit.Ended(CommandKind::kId, CommandResult::kLocal) == 1);
  CHECK(visit.Ended(CommandKind::kNoop, CommandResult::kAborted) == 1);
  CHECK(visit.Ended(CommandKind::kAppend, CommandResult::kAborted) == 1);
  CHECK(visit.Seconds(CommandKind::kNoop) == 0);
}

TEST_CASE("Slow IMAP commands are told with both times") {
  ImapVisit visit;
  visit.LogIn();
  visit.Client("a SEARCH ALL\r\nb NOOP\r\n");
  visit.Advance(milliseconds(900));
  visit.Backend("* SEARCH\r\n");
  visit.Advance(milliseconds(100));
  visit.Backend("a OK\r\n");
  visit.Advance(milliseconds(999));
  visit.Backend("b OK\r\n");
  REQUIRE(visit.host.slow.size() == 1);
  CHECK(visit.host.slow[0].command == "SEARCH");
  CHECK(visit.host.slow[0].first_byte == milliseconds(900));
  CHECK(visit.host.slow[0].total == milliseconds(1000));
}

TEST_CASE("IMAP logins are counted by how they end") {
  ImapVisit visit;
  visit.Start();
  visit.Client("a LOGIN bob wrong\r\n");
  visit.BackendConnected();
  visit.Backend("* OK\r\npostern1 NO no\r\n");
  visit.Client("b AUTHENTICATE PLAIN AGJvYgBzZWNyZXQ=\r\n");
  visit.BackendFailed();
  visit.Client("c LOGIN bob secret\r\n");
  visit.ClientEnd();
  CHECK(visit.Logins(Mechanism::kLogin, LoginResult::kFailed) == 1);
  CHECK(visit.Logins(Mechanism::kPlain, LoginResult::kUnavailable) == 1);
  CHECK(visit.Logins(Mechanism::kLogin, LoginResult::kAborted) == 1);
  CHECK(visit.host.failed_logins.size() == 2);
}

TEST_CASE("A million unknown verbs and tags make no series and no memory") {
  ImapVisit visit;
  visit.LogIn();
  for (int i = 0; i < 2000; ++i) {
    visit.Client("t" + std::to_string(i) + " X" + std::to_string(i) + " y\r\n");
  }
  CHECK(visit.Ended(CommandKind::kOther, CommandResult::kLocal) == 2000);
}

}  // namespace
}  // namespace postern::testing
