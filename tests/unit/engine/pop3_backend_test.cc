// The dialogue with a backend up to its word on the login.

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "pop3_fixture.h"

namespace postern::testing {
namespace {

using namespace std::string_literals;
using pop3::CommandKind;

Pop3Visit& Ask(Pop3Visit& visit) {
  visit.Client("USER bob\r\nPASS secret\r\n");
  CHECK(visit.ToClient() == "+OK\r\n");
  return visit;
}

// To the moment at which the password is out.
Pop3Visit& SendPassword(Pop3Visit& visit) {
  Ask(visit).MeetBackend();
  visit.Backend("+OK\r\n");
  CHECK(visit.ToBackend() == "USER bob\r\nPASS secret\r\n");
  return visit;
}

TEST_CASE("The POP3 login dialogue works however the backend's bytes are cut") {
  ForEverySplit("+OK hello\r\n+OK list\r\nTOP\r\nPIPELINING\r\n.\r\n+OK\r\n+OK in\r\n",
                [](const Split& split) {
                  INFO(split.text());
                  Pop3Visit visit;
                  Ask(visit).BackendConnected();
                  visit.Backend(split);
                  CHECK(visit.ToBackend() == "CAPA\r\nUSER bob\r\nPASS secret\r\n");
                  CHECK(visit.ToClient() == "+OK in\r\n");
                });
}

TEST_CASE("Old POP3 backends have no CAPA and write their status in any case") {
  Pop3Visit visit;
  Ask(visit).BackendConnected();
  visit.Backend("+ok\r\n-err what\r\n+Ok\r\n+oK\r\n");
  CHECK(visit.ToBackend() == "CAPA\r\nUSER bob\r\nPASS secret\r\n");
  CHECK(visit.ToClient() == "+OK\r\n");
  CHECK(visit.host.logged_in);
}

TEST_CASE("A POP3 backend without PIPELINING gets one command at a time") {
  Pop3Visit visit;
  visit.LogIn("-ERR what\r\n");
  visit.Client("STAT\r\nXFOO\r\nNOOP\r\n");
  CHECK(visit.ToBackend() == "STAT\r\n");
  CHECK(visit.engine.client_blocked());
  visit.Backend("+OK 1 1\r\n");
  CHECK(visit.ToClient() == "+OK 1 1\r\n-ERR no such command here\r\n");
  CHECK(visit.ToBackend() == "NOOP\r\n");
  visit.Backend("+OK\r\n");
}

TEST_CASE("POP3 AUTH PLAIN falls back to USER and PASS where the backend lacks it") {
  Pop3Visit visit;
  visit.Client("AUTH PLAIN " + Plain("bob", "se cret") + "\r\n");
  visit.MeetBackend("+OK\r\nSASL CRAM-MD5\r\n.\r\n");
  CHECK(visit.ToBackend() == "USER bob\r\n");
  visit.Backend("+OK\r\n");
  CHECK(visit.ToBackend() == "PASS se cret\r\n");
  visit.Backend("+OK\r\n");
  CHECK(visit.Logins(Mechanism::kPlain, LoginResult::kOk) == 1);
}

TEST_CASE("POP3 PLAIN that USER and PASS cannot say is not sent at all") {
  for (const std::string& blob :
       {Plain("master", "x", "bob"), Plain(" bob", "x"), Plain("bob ", "x")}) {
    Pop3Visit visit;
    visit.Client("AUTH PLAIN " + blob + "\r\n");
    visit.MeetBackend("-ERR\r\n");
    CHECK(visit.ToBackend().empty());
    CHECK(visit.ToClient() == "-ERR the mail server offers no way to log in like this\r\n");
    CHECK(visit.host.drops == 1);
    CHECK_FALSE(visit.host.end);
  }
}

TEST_CASE("A long POP3 PLAIN message goes behind the backend's continuation") {
  const auto sent = [](std::size_t password) {
    Pop3Visit visit;
    visit.Client("AUTH PLAIN " + Plain("bob", std::string(password, 'p')) + "\r\n");
    visit.MeetBackend();
    const std::string first = visit.ToBackend();
    if (first != "AUTH PLAIN\r\n") return first.size();
    visit.Backend("+ go on\r\n");
    CHECK(visit.ToBackend() == Plain("bob", std::string(password, 'p')) + "\r\n");
    visit.Backend("+OK\r\n");
    CHECK(visit.host.logged_in);
    return std::size_t{0};
  };
  // 10 letters, a space, base64 and CRLF: 240 characters of base64 are the most that fit into 255.
  CHECK(sent(175) == 253);
  CHECK(sent(176) == 0);
  CHECK(sent(8192) == 0);
}

TEST_CASE("A POP3 backend's refusal is relayed with its code") {
  const auto refusal = [](const std::string& line) {
    Pop3Visit visit;
    SendPassword(visit).Backend(line);
    CHECK_FALSE(visit.host.end);
    CHECK(visit.host.drops == 1);
    CHECK(visit.engine.quiet());
    CHECK(visit.Ended(CommandKind::kPass, CommandResult::kErr) == 1);
    return visit.ToClient() + visit.host.failed_logins.at(0).result;
  };
  CHECK(refusal("-ERR [AUTH] wrong\r\n") == "-ERR [AUTH] wrong\r\nfailed");
  CHECK(refusal("-ERR wrong\r\n") == "-ERR [AUTH] wrong\r\nfailed");
  CHECK(refusal("-ERR\r\n") == "-ERR [AUTH] login failed\r\nfailed");
  CHECK(refusal("-err [SYS/PERM] off\r\n") == "-ERR [SYS/PERM] off\r\nfailed");
  CHECK(refusal("-ERR [SYS/TEMP] later\r\n") == "-ERR [SYS/TEMP] later\r\nunavailable");
  CHECK(refusal("-ERR [in-use] locked\r\n") == "-ERR [in-use] locked\r\nunavailable");
  CHECK(refusal("-ERR [LOGIN-DELAY] wait\r\n") == "-ERR [LOGIN-DELAY] wait\r\nunavailable");
  CHECK(refusal("-ERR a\rb\x01\r\n") == "-ERR [AUTH] a b \r\nfailed");
  CHECK(refusal("-ERR [AUTH] " + std::string(2000, 'x') + "\r\n") ==
        "-ERR [AUTH] " + std::string(498, 'x') + "\r\nfailed");
}

TEST_CASE("A POP3 backend may refuse the user name already") {
  Pop3Visit visit;
  Ask(visit).MeetBackend();
  visit.Backend("-ERR no such user\r\n");
  CHECK(visit.ToBackend() == "USER bob\r\n");
  CHECK(visit.ToClient() == "-ERR [AUTH] no such user\r\n");
  CHECK(visit.Logins(Mechanism::kUser, LoginResult::kFailed) == 1);
}

TEST_CASE("A wrong POP3 password can be tried again until the attempts are used up") {
  Pop3Visit visit;
  for (int attempt = 1; attempt <= 3; ++attempt) {
    SendPassword(visit).Backend("-ERR [AUTH] no\r\n");
    CHECK(visit.ToClient() == "-ERR [AUTH] no\r\n");
    CHECK(visit.host.end.has_value() == (attempt == 3));
  }
  CHECK(visit.host.Ended(CloseReason::kLoginFailed));
  CHECK(visit.Logins(Mechanism::kUser, LoginResult::kFailed) == 3);
  CHECK(visit.host.failed_logins.size() == 3);
  CHECK(visit.host.failed_logins[0].user == "bob");
  CHECK(visit.host.failed_logins[0].mechanism == "USER");
}

TEST_CASE("Temporary POP3 refusals use up no attempt") {
  Pop3Visit visit;
  for (int attempt = 0; attempt < 10; ++attempt)
    SendPassword(visit).Backend("-ERR [IN-USE] no\r\n"), visit.ToClient();
  CHECK_FALSE(visit.host.end);
  SendPassword(visit).Backend("+OK\r\n");
  CHECK(visit.host.logged_in);
}

TEST_CASE("After a refused POP3 login the user name must come again") {
  Pop3Visit visit;
  SendPassword(visit).Backend("-ERR no\r\n");
  visit.ToClient();
  visit.Client("PASS secret\r\n");
  CHECK(visit.ToClient() == "-ERR USER comes first\r\n");
  CHECK(visit.engine.user().empty());
}

TEST_CASE("A POP3 greeting that is none leads to another backend") {
  for (const std::string& greeting :
       {"-ERR busy\r\n"s, "HTTP/1.1 400 Bad Request\r\n"s, "* OK imap\r\n"s, "\r\n"s}) {
    Pop3Visit visit;
    Ask(visit).BackendConnected();
    visit.Backend(greeting);
    CHECK(visit.host.rejections == std::vector{BackendFailure::kGreeting});
    CHECK(visit.host.greetings == 0);
    CHECK(visit.ToBackend().empty());
    visit.MeetBackend();
    CHECK(visit.host.greetings == 1);
    CHECK(visit.ToBackend() == "USER bob\r\n");
  }
}

TEST_CASE("Before a credential is sent a lost POP3 backend leads to another one") {
  for (const std::string& said : {""s, "+O"s, "+OK hello\r\n"s, "+OK hello\r\n+OK\r\nTOP\r\n"s}) {
    Pop3Visit visit;
    Ask(visit).BackendConnected();
    visit.Backend(said);
    visit.BackendEnd();
    CHECK(visit.host.rejections == std::vector{BackendFailure::kClosed});
    visit.BackendFailed();
    CHECK(visit.ToClient() == "-ERR [SYS/TEMP] no mail server can be reached, try again later\r\n");
    CHECK(visit.Logins(Mechanism::kUser, LoginResult::kUnavailable) == 1);
    CHECK_FALSE(visit.host.end);
  }
}

TEST_CASE("Nonsense in the POP3 dialogue before a credential leads to another backend") {
  const std::vector<std::string> nonsense = {"+OK\n", "\0\0\r\n"s, "+OK hi\r\nwhat\r\n",
                                             std::string(9000, 'x'),
                                             "+OK hi\r\n+OK\r\n" + std::string(9000, 'x')};
  for (const std::string& said : nonsense) {
    Pop3Visit visit;
    Ask(visit).BackendConnected();
    visit.Backend(said);
    CHECK(visit.host.rejections.size() == 1);
    CHECK(visit.host.backend.find("USER") == std::string::npos);
    CHECK(visit.backend_pending.empty());
  }
}

TEST_CASE("The POP3 connect timeout before and after a credential") {
  Pop3Visit before;
  Ask(before).Timeout(Engine::Timeout::kConnect);
  CHECK(before.host.rejections == std::vector{BackendFailure::kTimeout});
  before.BackendConnected();
  before.Timeout(Engine::Timeout::kConnect);
  CHECK(before.host.rejections.size() == 2);

  Pop3Visit after;
  SendPassword(after).Timeout(Engine::Timeout::kConnect);
  CHECK(after.host.rejections.empty());
  CHECK(after.host.drops == 1);
  CHECK(after.ToClient().find("-ERR [SYS/TEMP] ") == 0);
  CHECK_FALSE(after.host.end);
}

TEST_CASE("After a credential was sent no other POP3 backend gets it") {
  const std::vector<std::string> words = {"", "what\r\n", "+ more\r\n", "\n"};
  for (const std::string& said : words) {
    Pop3Visit visit;
    SendPassword(visit);
    visit.Backend(said);
    if (said.empty()) visit.BackendEnd();
    CHECK(visit.host.rejections.empty());
    CHECK(visit.host.drops == 1);
    CHECK(visit.ToClient() ==
          "-ERR [SYS/TEMP] the mail server did not answer the login, try again later\r\n");
    CHECK(visit.Logins(Mechanism::kUser, LoginResult::kUnavailable) == 1);
    CHECK_FALSE(visit.host.end);
  }
}

TEST_CASE("A POP3 user name is a credential already") {
  Pop3Visit visit;
  Ask(visit).MeetBackend();
  CHECK(visit.ToBackend() == "USER bob\r\n");
  visit.BackendEnd();
  CHECK(visit.host.rejections.empty());
  CHECK(visit.ToClient().find("-ERR [SYS/TEMP] ") == 0);
}

TEST_CASE("Nothing that one POP3 backend said is believed of the next") {
  Pop3Visit visit;
  visit.Client("AUTH PLAIN " + Plain("bob", "secret") + "\r\n");
  visit.BackendConnected();
  visit.Backend("+OK hello\r\n+OK\r\nPIPELINING\r\nSASL PLAIN\r\nTO");
  visit.BackendEnd();
  CHECK(visit.host.rejections.size() == 1);
  CHECK(visit.ToBackend() == "CAPA\r\n");
  visit.BackendConnected();
  visit.Backend("+O");
  visit.Backend("K hello\r\n+OK\r\nTOP\r\n.\r\n");
  CHECK(visit.host.rejections.size() == 1);
  CHECK(visit.ToBackend() == "CAPA\r\nUSER bob\r\n");
  visit.Backend("+OK\r\n");
  visit.Backend("+OK\r\n");
  CHECK(visit.host.logged_in);
  visit.ToBackend();
  visit.Client("NOOP\r\nNOOP\r\n");
  CHECK(visit.ToBackend() == "NOOP\r\n");
}

TEST_CASE("A POP3 client that leaves during the login is heard to the end of it") {
  Pop3Visit visit;
  visit.Client("USER bob\r\nPASS secret\r\nQUIT\r\n");
  visit.ClientEnd();
  CHECK_FALSE(visit.host.end);
  visit.MeetBackend();
  visit.Backend("+OK\r\n");
  visit.Backend("+OK\r\n");
  CHECK(visit.ToBackend() == "USER bob\r\nPASS secret\r\nQUIT\r\n");
  visit.Backend("+OK bye\r\n");
  CHECK(visit.host.Ended(CloseReason::kLogout));

  Pop3Visit other;
  Ask(other).ClientEnd();
  other.BackendFailed();
  CHECK(other.ToClient().find("-ERR [SYS/TEMP] ") == 0);
  CHECK(other.host.Ended(CloseReason::kClientClosed));
}

TEST_CASE("Ends of a POP3 session while its login is under way") {
  Pop3Visit slow;
  SendPassword(slow).Timeout(Engine::Timeout::kLogin);
  CHECK(slow.ToClient() == "-ERR [SYS/TEMP] the login took too long\r\n");
  CHECK(slow.host.Ended(CloseReason::kLoginTimeout));

  Pop3Visit drained;
  Ask(drained).Drain();
  CHECK(drained.ToClient() == "-ERR [SYS/TEMP] shutting down\r\n");
  CHECK(drained.host.Ended(CloseReason::kDrained));

  Pop3Visit abandoned;
  SendPassword(abandoned).Abandoned();
  CHECK(abandoned.Logins(Mechanism::kUser, LoginResult::kAborted) == 1);
  CHECK(abandoned.Ended(CommandKind::kPass, CommandResult::kAborted) == 1);
  CHECK_FALSE(abandoned.host.end);
}

TEST_CASE("Words of a POP3 backend behind its welcome are nonsense") {
  Pop3Visit visit;
  SendPassword(visit).Backend("+OK in\r\n+OK again\r\n");
  CHECK(visit.ToClient() ==
        "+OK in\r\n-ERR [SYS/TEMP] the mail server's answer makes no sense\r\n");
  CHECK(visit.host.Ended(CloseReason::kBackendProtocol));
}

TEST_CASE("A POP3 login is measured from the connection to the backend's word") {
  using std::chrono::milliseconds;
  Pop3Visit visit;
  Ask(visit).Advance(milliseconds(20));
  visit.BackendConnected();
  visit.Advance(milliseconds(300));
  visit.Backend("+OK\r\n-ERR\r\n+OK\r\n");
  visit.Backend("+OK\r\n");
  CHECK(visit.PhaseSeconds(LoginPhase::kLogin) == Approx(0.3));
  CHECK(visit.PhaseSeconds(LoginPhase::kConnect) == -1);
  CHECK(visit.Seconds(CommandKind::kPass) == Approx(0.32));
}

}  // namespace
}  // namespace postern::testing
