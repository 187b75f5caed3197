// The client before login.

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "pop3_fixture.h"

namespace postern::testing {
namespace {

using namespace std::string_literals;
using pop3::CommandKind;
using Ending = EngineHost::Ending;

TEST_CASE("POP3 USER and PASS lead to a backend and the password is verbatim") {
  ForEverySplit("USER bob\r\nPASS  lead and trail \r\nSTAT\r\n", [](const Split& split) {
    INFO(split.text());
    Pop3Visit visit;
    visit.Client(split);
    CHECK(visit.ToClient() == "+OK\r\n");
    CHECK(visit.host.connects == std::vector<std::string>{"bob"});
    visit.MeetBackend();
    CHECK(visit.ToBackend() == "USER bob\r\n");
    visit.Backend("+OK\r\n");
    CHECK(visit.ToBackend() == "PASS  lead and trail \r\n");
    visit.Backend("+OK in\r\n");
    CHECK(visit.ToClient() == "+OK in\r\n");
    CHECK(visit.host.logged_in);
    CHECK(visit.engine.user() == "bob");
    // The command that came behind the login arrives exactly once.
    CHECK(visit.ToBackend() == "STAT\r\n");
    visit.Backend("+OK 0 0\r\n");
    CHECK(visit.ToClient() == "+OK 0 0\r\n");
  });
}

TEST_CASE("POP3 bytes behind the login wait until it is decided") {
  Pop3Visit visit;
  visit.Client("USER bob\r\nPASS secret\r\nSTAT\r\n");
  CHECK(visit.engine.client_blocked());
  CHECK(visit.client_pending == "STAT\r\n");
  CHECK_FALSE(visit.engine.quiet());
  visit.MeetBackend();
  visit.Backend("+OK\r\n");
  CHECK(visit.client_pending == "STAT\r\n");
  visit.Backend("+OK\r\n");
  CHECK(visit.client_pending.empty());
  CHECK_FALSE(visit.engine.client_blocked());
}

TEST_CASE("POP3 AUTH PLAIN with an initial response") {
  ForEverySplit("auth plain " + Plain("bob", "secret") + "\r\n", [](const Split& split) {
    Pop3Visit visit;
    visit.Client(split);
    CHECK(visit.ToClient().empty());
    visit.MeetBackend();
    CHECK(visit.ToBackend() == "AUTH PLAIN " + Plain("bob", "secret") + "\r\n");
    visit.Backend("+OK in\r\n");
    CHECK(visit.ToClient() == "+OK in\r\n");
    CHECK(visit.Logins(Mechanism::kPlain, LoginResult::kOk) == 1);
  });
}

TEST_CASE("POP3 AUTH PLAIN without an initial response") {
  ForEverySplit("AUTH PLAIN \r\n" + Plain("bob", "secret", "ann") + "\r\n", [](const Split& split) {
    Pop3Visit visit;
    visit.Client(split);
    CHECK(visit.ToClient() == "+ \r\n");
    CHECK(visit.host.connects == std::vector<std::string>{"ann"});
  });
}

TEST_CASE("POP3 AUTH is cancelled by a star without an error or an attempt") {
  Pop3Visit visit;
  for (int i = 0; i < 10; ++i) {
    visit.Client("AUTH PLAIN\r\n");
    CHECK(visit.ToClient() == "+ \r\n");
    visit.Client("*\r\n");
    CHECK(visit.ToClient() == "-ERR cancelled\r\n");
  }
  CHECK_FALSE(visit.host.end);
  CHECK(visit.host.connects.empty());
  CHECK(visit.Ended(CommandKind::kAuth, CommandResult::kLocal, false) == 10);
}

TEST_CASE("POP3 credentials with line ends or NUL reach no backend") {
  const std::vector<std::string> blobs = {Plain("u\r\nDELE 1", "p"),
                                          Plain("u", "p\r\nDELE 1"),
                                          Plain("u", "p", "z\nDELE 1"),
                                          Plain("u", "p\0q"s),
                                          "@@@@",
                                          "=",
                                          Plain("", "p")};
  for (const std::string& blob : blobs) {
    for (const std::string& form :
         {"AUTH PLAIN " + blob + "\r\n", "AUTH PLAIN\r\n" + blob + "\r\n"}) {
      INFO(form);
      Pop3Visit visit;
      visit.Client(form);
      CHECK(visit.ToClient().find("-ERR") != std::string::npos);
      CHECK(visit.host.connects.empty());
    }
  }
}

TEST_CASE("POP3 capabilities and mechanisms before login are ours") {
  Pop3Visit visit;
  visit.Client("CAPA\r\nAUTH\r\n");
  CHECK(visit.ToClient() ==
        "+OK\r\nUSER\r\nSASL PLAIN LOGIN XOAUTH2 OAUTHBEARER\r\nTOP\r\nUIDL\r\nPIPELINING\r\n"
        "RESP-CODES\r\nAUTH-RESP-CODE\r\nIMPLEMENTATION Postern\r\n.\r\n"
        "+OK\r\nPLAIN\r\nLOGIN\r\nXOAUTH2\r\nOAUTHBEARER\r\n.\r\n");
}

TEST_CASE("POP3 QUIT before login ends in order") {
  Pop3Visit visit;
  visit.Client("QUIT\r\nUSER bob\r\n");
  CHECK(visit.ToClient() == "+OK bye\r\n");
  CHECK(visit.host.Ended(CloseReason::kLogout));
  CHECK(visit.client_pending == "USER bob\r\n");
}

TEST_CASE("POP3 commands that need a login are refused and never echoed") {
  for (const std::string& line :
       {"STAT"s, "RETR canary"s, "canary"s, "APOP canary x"s, "STLS"s, "NOOP"s, "AUTH canary"s,
        "PASS canary"s, "USER"s, "CAPA canary"s, " USER canary"s, ""s, "XCLIENT canary"s}) {
    INFO(line);
    Pop3Visit visit;
    visit.Client(line + "\r\n");
    const std::string answer = visit.ToClient();
    CHECK(answer.substr(0, 5) == "-ERR ");
    CHECK(answer.find("canary") == std::string::npos);
    CHECK_FALSE(visit.host.end);
  }
}

TEST_CASE("Five POP3 errors in a row end the session and a good command forgives them") {
  Pop3Visit visit;
  visit.Client("X\r\nX\r\nX\r\nX\r\nCAPA\r\nX\r\nX\r\nX\r\nX\r\n");
  CHECK_FALSE(visit.host.end);
  visit.Client("X\r\nUSER bob\r\n");
  CHECK(visit.host.Ended(CloseReason::kClientProtocol));
  CHECK(visit.client_pending == "USER bob\r\n");
}

TEST_CASE("An HTTP request on POP3 is closed at once and without words") {
  for (const std::string& line :
       {"GET / HTTP/1.1\r\n"s, "post "s, "Host: canary\r\n"s, "OPTIONS * HTTP/1.1\n"s}) {
    ForEverySplit(line, [](const Split& split) {
      Pop3Visit visit;
      visit.Client(split);
      CHECK(visit.ToClient().empty());
      CHECK(visit.host.Ended(CloseReason::kHttp));
    });
  }
  Pop3Visit visit;
  visit.Client("USER bob\r\nPUT /x HTTP/1.1\r\n");
  CHECK(visit.host.Ended(CloseReason::kHttp));
}

TEST_CASE("Malformed POP3 framing before login is told and ends") {
  for (const std::string& line : {"USER bob\n"s, "USER b\0b\r\n"s, "USER\rbob\r\n"s}) {
    ForEverySplit(line, [](const Split& split) {
      Pop3Visit visit;
      visit.Client(split);
      CHECK(visit.ToClient() == "-ERR malformed line\r\n");
      CHECK(visit.host.Ended(CloseReason::kClientProtocol));
    });
  }
  Pop3Visit visit;
  visit.Client("AUTH PLAIN\r\nabc\n");
  CHECK(visit.ToClient() == "+ \r\n-ERR malformed line\r\n");
  CHECK(visit.host.Ended(CloseReason::kClientProtocol));
}

TEST_CASE("Limits of POP3 lines before login hold to the byte") {
  const auto outcome = [](const std::string& line) {
    Pop3Visit visit;
    visit.Client(line);
    return visit.host.end.has_value();
  };
  CHECK_FALSE(outcome("PASS " + std::string(kMaxLineBeforeLogin - 7, 'p') + "\r\n"));
  CHECK(outcome("PASS " + std::string(kMaxLineBeforeLogin - 6, 'p') + "\r\n"));
  CHECK_FALSE(outcome("AUTH PLAIN " + std::string(kMaxSaslLine - 13, 'A') + "\r\n"));
  CHECK(outcome("AUTH PLAIN " + std::string(kMaxSaslLine - 12, 'A') + "\r\n"));
  CHECK_FALSE(outcome("AUTH PLAIN\r\n" + std::string(kMaxSaslLine - 2, 'A') + "\r\n"));
  CHECK(outcome("AUTH PLAIN\r\n" + std::string(kMaxSaslLine - 1, 'A') + "\r\n"));
}

TEST_CASE("A POP3 client that does not read is not read either") {
  Pop3Visit visit;
  visit.host.client_room = false;
  visit.Client("CAPA\r\n");
  CHECK(visit.engine.client_blocked());
  CHECK(visit.client_consumed == 0);
  visit.host.client_room = true;
  visit.Drained();
  CHECK(visit.client_consumed == 6);
}

TEST_CASE("Ends of a POP3 session before login") {
  Pop3Visit gone;
  gone.Client("USER bob\r\nPA");
  gone.ClientEnd();
  CHECK(gone.host.Ended(CloseReason::kClientClosed));

  Pop3Visit in_sasl;
  in_sasl.Client("AUTH PLAIN\r\n");
  in_sasl.ClientEnd();
  CHECK(in_sasl.host.Ended(CloseReason::kClientClosed));
  CHECK(in_sasl.Ended(CommandKind::kAuth, CommandResult::kAborted, false) == 1);

  Pop3Visit slow;
  slow.Timeout(Engine::Timeout::kLogin);
  CHECK(slow.ToClient() == "-ERR [SYS/TEMP] the login took too long\r\n");
  CHECK(slow.host.Ended(CloseReason::kLoginTimeout));

  Pop3Visit drained;
  drained.Client("AUTH PLAIN\r\n");
  drained.Drain();
  CHECK(drained.ToClient() == "+ \r\n-ERR [SYS/TEMP] shutting down\r\n");
  CHECK(drained.host.Ended(CloseReason::kDrained));
}

}  // namespace
}  // namespace postern::testing
