// The relay after login.

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "pop3_fixture.h"

namespace postern::testing {
namespace {

using namespace std::string_literals;
using pop3::CommandKind;

constexpr std::string_view kConfused =
    "-ERR [SYS/TEMP] the mail server's answer makes no sense\r\n";
constexpr std::string_view kNoSuchCommand = "-ERR no such command here\r\n";

TEST_CASE("Known POP3 commands are forwarded verbatim") {
  const std::string commands =
      "stat\r\nLIST\r\nlist 1\r\nUIDL\r\nUIDL 2\r\nRETR 1\r\nTop 1 10\r\nDELE "
      "3\r\nRSET\r\nNOOP\r\nQUIT\r\n";
  ForEverySplit(commands, [&](const Split& split) {
    Pop3Visit visit;
    visit.LogIn();
    visit.Client(split);
    CHECK(visit.ToBackend() == commands);
  });
}

TEST_CASE("POP3 replies are passed on unchanged however they are cut") {
  const std::string replies =
      "+OK 2 320\r\n+OK\r\n1 120\r\n2 200\r\n.\r\n+OK 1 120\r\n+OK 120 octets\r\nA: "
      "b\r\n\r\n..\r\n\n.\n\r.\r.\r\n.\r\n"
      "-ERR no such message\r\n+OK\r\n.\r\n+OK\r\n";
  ForEverySplit(replies, [&](const Split& split) {
    INFO(split.text());
    Pop3Visit visit;
    visit.LogIn();
    visit.Client("STAT\r\nLIST\r\nLIST 1\r\nRETR 1\r\nRETR 9\r\nUIDL\r\nNOOP\r\n");
    visit.Backend(split);
    CHECK(visit.ToClient() == replies);
    CHECK(visit.engine.quiet());
  });
}

TEST_CASE("Sixteen POP3 commands are one write and so are their replies") {
  Pop3Visit visit;
  visit.LogIn();
  std::string commands, replies;
  for (int i = 0; i < 16; ++i) {
    commands += "NOOP\r\n";
    replies += "+OK\r\n";
  }
  visit.Client(commands);
  CHECK(visit.host.backend_writes == 1);
  visit.Backend(replies);
  CHECK(visit.host.client_writes == 1);
  CHECK(visit.ToClient() == replies);
}

TEST_CASE("A POP3 message passes in whole runs") {
  Pop3Visit visit;
  visit.LogIn();
  visit.Client("RETR 1\r\nSTAT\r\n");
  std::string body;
  while (body.size() < 60'000) body += "..a line of text. And more.\r\n";
  visit.Backend("+OK\r\n" + body);
  CHECK(visit.host.client_writes == 1);
  visit.Backend(".\r\n+OK 1 1\r\n");
  CHECK(visit.host.client_writes == 2);
  CHECK(visit.ToClient() == "+OK\r\n" + body + ".\r\n+OK 1 1\r\n");
}

TEST_CASE("Spaces at the end of a POP3 command are elided and counted") {
  ForEverySplit("NOOP  \r\nLIST \r\nRETR 1 \r\nSTAT\r\n", [](const Split& split) {
    Pop3Visit visit;
    visit.LogIn();
    visit.Client(split);
    CHECK(visit.ToBackend() == "NOOP\r\nLIST\r\nRETR 1\r\nSTAT\r\n");
    CHECK(visit.Rewrites(Rewrite::kSpaces) == 3);
    visit.Backend("+OK\r\n+OK\r\n.\r\n+OK\r\nbody\r\n.\r\n+OK\r\n");
    CHECK(visit.engine.quiet());
  });
}

TEST_CASE("Unknown POP3 verbs and wrong arguments never reach the backend") {
  const std::vector<std::string> lines = {
      "XFOO",     "",        "STLS",      "UTF8",     "LANG en",  "APOP a b", "USER x",
      "PASS x",   "AUTH",    "NOOP 1",    "QUIT now", "STAT 1",   "RSET 1",   "RETR",
      "RETR 1 2", "TOP 1",   "TOP 1 2 3", "DELE",     "DELE 1 2", "LIST 1 2", "LIST  1",
      "LIST\t1",  "LIST \t", "UIDL \x80", "CAPA x",   "XCLIENT x"};
  for (const std::string& line : lines) {
    INFO(line);
    Pop3Visit visit;
    visit.LogIn();
    visit.Client(line + "\r\n");
    CHECK(visit.ToBackend().empty());
    CHECK(visit.ToClient().substr(0, 5) == "-ERR ");
    CHECK(visit.engine.quiet());
    CHECK_FALSE(visit.host.end);
  }
}

TEST_CASE("Our own POP3 answers keep their place among the backend's") {
  ForEverySplit("XFOO\r\nSTAT\r\nXBAR\r\nRETR\r\nRETR 1\r\nXBAZ\r\nNOOP\r\n",
                [](const Split& split) {
                  INFO(split.text());
                  Pop3Visit visit;
                  visit.LogIn();
                  visit.Client(split);
                  CHECK(visit.ToBackend() == "STAT\r\nRETR 1\r\nNOOP\r\n");
                  CHECK(visit.ToClient() == kNoSuchCommand);
                  visit.Backend("+OK 1 1\r\n");
                  CHECK(visit.ToClient() ==
                        "+OK 1 1\r\n" + std::string(kNoSuchCommand) + "-ERR wrong arguments\r\n");
                  visit.Backend("+OK\r\nhalf");
                  CHECK(visit.ToClient() == "+OK\r\nhalf");
                  visit.Backend("\r\n.\r\n+OK\r\n");
                  CHECK(visit.ToClient() == "\r\n.\r\n" + std::string(kNoSuchCommand) + "+OK\r\n");
                  CHECK(visit.Ended(CommandKind::kOther, CommandResult::kLocal) == 3);
                });
}

TEST_CASE("No more POP3 commands are in flight than the limit") {
  Pop3Visit visit;
  visit.LogIn();
  std::string commands;
  for (std::size_t i = 0; i < kMaxInFlight + 2; ++i) commands += "NOOP\r\n";
  visit.Client(commands);
  CHECK(visit.ToBackend().size() == 6 * kMaxInFlight);
  CHECK(visit.engine.client_blocked());
  visit.Backend("+OK\r\n");
  CHECK(visit.ToBackend() == "NOOP\r\n");
  visit.Backend("+OK\r\n");
  CHECK(visit.ToBackend() == "NOOP\r\n");
  CHECK_FALSE(visit.engine.client_blocked());
}

TEST_CASE("POP3 flow stops at full backlogs and goes on where it stopped") {
  Pop3Visit visit;
  visit.LogIn();
  visit.host.backend_room = false;
  visit.Client("STAT\r\n");
  CHECK(visit.engine.client_blocked());
  CHECK(visit.ToBackend().empty());
  visit.host.backend_room = true;
  visit.Drained();
  CHECK(visit.ToBackend() == "STAT\r\n");
  visit.host.client_room = false;
  visit.Backend("+OK 1 1\r\n");
  CHECK(visit.ToClient().empty());
  visit.Client("XFOO\r\n");
  CHECK(visit.engine.client_blocked());
  visit.host.client_room = true;
  visit.Drained();
  CHECK(visit.ToClient() == "+OK 1 1\r\n" + std::string(kNoSuchCommand));
}

TEST_CASE("The POP3 capabilities of the backend are filtered") {
  const std::string list = "+OK mine\r\nTOP\r\nSTLS\r\nXCLIENT ADDR\r\nUIDL\r\n.\r\n";
  ForEverySplit("+OK\r\n" + list + "+OK\r\n", [](const Split& split) {
    Pop3Visit visit;
    visit.LogIn();
    visit.Client("NOOP\r\nCAPA\r\nNOOP\r\n");
    visit.Backend(split);
    CHECK(visit.ToClient() ==
          "+OK\r\n+OK "
          "mine\r\nTOP\r\nUIDL\r\nPIPELINING\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\n.\r\n+OK\r\n");
    CHECK(visit.Rewrites(Rewrite::kCapability) == 1);
    CHECK(visit.engine.quiet());
  });
}

TEST_CASE("A POP3 backend that has no CAPA says so itself and an endless list is nonsense") {
  Pop3Visit refused;
  refused.LogIn();
  refused.Client("CAPA\r\n");
  refused.Backend("-ERR what\r\n");
  CHECK(refused.ToClient() == "-ERR what\r\n");

  Pop3Visit endless;
  endless.LogIn();
  endless.Client("CAPA\r\n");
  endless.Backend("+OK\r\n");
  for (int i = 0; i < 100 && !endless.host.end; ++i)
    endless.Backend(std::string(100, 'x') + "\r\n");
  CHECK(endless.ToClient() == kConfused);
  CHECK(endless.host.Ended(CloseReason::kBackendProtocol));
}

}  // namespace
}  // namespace postern::testing
