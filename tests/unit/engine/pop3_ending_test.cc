// How a relay ends: QUIT, malformed lines, a backend that is lost or makes no sense, timeouts,
// drain.

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "pop3_fixture.h"

namespace postern::testing {
namespace {

using namespace std::string_literals;
using pop3::CommandKind;
using Ending = EngineHost::Ending;

constexpr std::string_view kGone = "-ERR [SYS/TEMP] the mail server ended the connection\r\n";
constexpr std::string_view kConfused =
    "-ERR [SYS/TEMP] the mail server's answer makes no sense\r\n";

TEST_CASE("POP3 QUIT is forwarded and its answer ends the session") {
  Pop3Visit visit;
  visit.LogIn();
  visit.Client("DELE 1\r\nQUIT\r\nNOOP\r\n");
  CHECK(visit.ToBackend() == "DELE 1\r\nQUIT\r\n");
  CHECK(visit.client_pending == "NOOP\r\n");
  CHECK(visit.engine.client_blocked());
  visit.Backend("+OK\r\n+OK bye\r\nmore");
  CHECK(visit.ToClient() == "+OK\r\n+OK bye\r\n");
  CHECK(visit.host.Ended(CloseReason::kLogout));
}

TEST_CASE("A POP3 backend may answer QUIT by closing") {
  Pop3Visit visit;
  visit.LogIn();
  visit.Client("QUIT\r\n");
  visit.BackendEnd();
  CHECK(visit.ToClient().empty());
  CHECK(visit.host.Ended(CloseReason::kLogout));
  CHECK(visit.Ended(CommandKind::kQuit, CommandResult::kAborted) == 1);

  Pop3Visit early;
  early.LogIn();
  early.Client("RETR 1\r\nQUIT\r\n");
  early.BackendEnd();
  CHECK(early.ToClient() == kGone);
  CHECK(early.host.Ended(CloseReason::kBackendClosed));
}

TEST_CASE("A malformed POP3 line is answered in its place and nothing behind it is forwarded") {
  for (const std::string& evil : {"QUIT\n"s, "QU\rIT\r\n"s, "QUIT\0\r\n"s, "\nQUIT\r\n"s}) {
    ForEverySplit("DELE 1\r\n" + evil + "QUIT\r\n", [](const Split& split) {
      INFO(split.text());
      Pop3Visit visit;
      visit.LogIn();
      visit.Client(split);
      CHECK(visit.ToBackend() == "DELE 1\r\n");
      CHECK(visit.ToClient().empty());
      CHECK_FALSE(visit.host.end);
      visit.Backend("+OK\r\n");
      CHECK(visit.ToClient() == "+OK\r\n-ERR malformed line\r\n");
      CHECK(visit.host.Ended(CloseReason::kClientProtocol));
      CHECK(visit.ToBackend().empty());
    });
  }
}

TEST_CASE("A POP3 line over 255 octets ends the session") {
  ForEverySplit("NOOP " + std::string(251, 'x'), [](const Split& split) {
    Pop3Visit visit;
    visit.LogIn();
    visit.Client(split);
    CHECK(visit.ToClient() == "-ERR line too long\r\n");
    CHECK(visit.host.Ended(CloseReason::kClientProtocol));
  });
}

TEST_CASE("A POP3 reply nobody waits for is nonsense") {
  Pop3Visit idle;
  idle.LogIn();
  idle.Backend("+OK surprise\r\n");
  CHECK(idle.ToClient() == kConfused);
  CHECK(idle.host.Ended(CloseReason::kBackendProtocol));

  Pop3Visit extra;
  extra.LogIn();
  extra.Client("NOOP\r\n");
  extra.Backend("+OK\r\n+OK and one more\r\n");
  CHECK(extra.ToClient() == "+OK\r\n" + std::string(kConfused));
  CHECK(extra.host.Ended(CloseReason::kBackendProtocol));
}

TEST_CASE("POP3 status lines that make no sense end the session") {
  for (const std::string& line : {"OK\r\n"s, "+ more\r\n"s, "* OK\r\n"s, "+OK\n"s, "+OK \0\r\n"s,
                                  "\r\n"s, "+OK " + std::string(kMaxCapabilityLine, 'x')}) {
    INFO(line.substr(0, 10));
    Pop3Visit visit;
    visit.LogIn();
    visit.Client("RETR 1\r\nNOOP\r\n");
    visit.Backend("+OK\r\n.\r\n" + line);
    CHECK(visit.ToClient() == "+OK\r\n.\r\n" + std::string(kConfused));
    CHECK(visit.host.Ended(CloseReason::kBackendProtocol));
    CHECK(visit.Ended(CommandKind::kNoop, CommandResult::kAborted) == 1);
  }
}

TEST_CASE("Losing the POP3 backend between commands is told") {
  Pop3Visit idle;
  idle.LogIn();
  idle.BackendEnd();
  CHECK(idle.ToClient() == kGone);
  CHECK(idle.host.Ended(CloseReason::kBackendClosed));

  Pop3Visit waiting;
  waiting.LogIn();
  waiting.Client("RETR 1\r\nXFOO\r\n");
  waiting.Backend("+O");
  waiting.BackendEnd();
  CHECK(waiting.ToClient() == kGone);
  CHECK(waiting.host.Ended(CloseReason::kBackendClosed));
  CHECK(waiting.Ended(CommandKind::kRetr, CommandResult::kAborted) == 1);
}

TEST_CASE("Losing the POP3 backend inside a reply is a visible cut") {
  for (const std::string& reply :
       {"+OK\r\n"s, "+OK\r\nfirst line\r\n"s, "+OK\r\nfirst line\r\n."s}) {
    Pop3Visit visit;
    visit.LogIn();
    visit.Client("RETR 1\r\n");
    visit.Backend(reply);
    visit.BackendEnd();
    CHECK(visit.ToClient() == reply);
    CHECK(visit.host.Ended(CloseReason::kBackendClosed, Ending::kAbort));
  }
}

TEST_CASE("A POP3 client that ends its side still gets its answers") {
  Pop3Visit visit;
  visit.LogIn();
  visit.Client("STAT\r\n");
  visit.ClientEnd();
  CHECK_FALSE(visit.host.end);
  visit.Backend("+OK 1 1\r\n");
  CHECK(visit.ToClient() == "+OK 1 1\r\n");
  CHECK(visit.host.Ended(CloseReason::kClientClosed));
  CHECK(visit.ToBackend() == "STAT\r\n");

  Pop3Visit idle;
  idle.LogIn();
  idle.Client("QUI");
  idle.ClientEnd();
  CHECK(idle.host.Ended(CloseReason::kClientClosed));
}

TEST_CASE("Only the POP3 client's own QUIT is ever sent") {
  const auto sent = [](void (*end)(Pop3Visit&)) {
    Pop3Visit visit;
    visit.LogIn();
    visit.Client("DELE 1\r\n");
    visit.Backend("+OK\r\n");
    end(visit);
    return visit.ToBackend();
  };
  CHECK(sent([](Pop3Visit& visit) { visit.ClientEnd(); }) == "DELE 1\r\n");
  CHECK(sent([](Pop3Visit& visit) { visit.Abandoned(); }) == "DELE 1\r\n");
  CHECK(sent([](Pop3Visit& visit) { visit.BackendEnd(); }) == "DELE 1\r\n");
  CHECK(sent([](Pop3Visit& visit) { visit.Timeout(Engine::Timeout::kIdle); }) == "DELE 1\r\n");
  CHECK(sent([](Pop3Visit& visit) { visit.Drain(); }) == "DELE 1\r\n");
  CHECK(sent([](Pop3Visit& visit) { visit.DrainDeadline(); }) == "DELE 1\r\n");
  CHECK(sent([](Pop3Visit& visit) { visit.Client("QUIT\n"); }) == "DELE 1\r\n");
  CHECK(sent([](Pop3Visit& visit) { visit.Client("QUIT 1\r\n"); }) == "DELE 1\r\n");
}

TEST_CASE("An idle POP3 session ends without a word") {
  Pop3Visit visit;
  visit.LogIn();
  visit.Timeout(Engine::Timeout::kIdle);
  CHECK(visit.ToClient().empty());
  CHECK(visit.host.Ended(CloseReason::kIdleTimeout));
}

TEST_CASE("Draining lets a POP3 session run to its QUIT") {
  Pop3Visit visit;
  visit.LogIn();
  visit.Drain();
  CHECK_FALSE(visit.host.end);
  visit.Client("RETR 1\r\n");
  visit.Backend("+OK\r\nbody\r\n.\r\n");
  visit.Client("QUIT\r\n");
  visit.Backend("+OK\r\n");
  CHECK(visit.host.Ended(CloseReason::kLogout));
}

TEST_CASE("The POP3 drain deadline leaves a cut reply cut") {
  Pop3Visit quiet;
  quiet.LogIn();
  quiet.DrainDeadline();
  CHECK(quiet.ToClient() == "-ERR [SYS/TEMP] shutting down\r\n");
  CHECK(quiet.host.Ended(CloseReason::kDrainDeadline));

  Pop3Visit inside;
  inside.LogIn();
  inside.Client("RETR 1\r\n");
  inside.Backend("+OK\r\nhalf");
  inside.DrainDeadline();
  CHECK(inside.ToClient() == "+OK\r\nhalf");
  CHECK(inside.host.Ended(CloseReason::kDrainDeadline, Ending::kAbort));
}

}  // namespace
}  // namespace postern::testing
