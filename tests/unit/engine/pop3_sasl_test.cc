// AUTH with every mechanism: what comes from the client, what goes to the backend.

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "pop3_fixture.h"

namespace postern::testing {
namespace {

using namespace std::string_literals;
using pop3::CommandKind;

constexpr std::string_view kCapa = "+OK\r\nUSER\r\nSASL PLAIN LOGIN XOAUTH2 OAUTHBEARER\r\n.\r\n";

std::string Xoauth2(std::string_view user, std::string_view token) {
  return Base64Encode("user=" + std::string(user) + "\1auth=Bearer " + std::string(token) + "\1\1");
}
std::string Oauthbearer(std::string_view user, std::string_view token) {
  return Base64Encode("n,a=" + std::string(user) + ",\1auth=Bearer " + std::string(token) + "\1\1");
}

TEST_CASE("POP3 tokens go to the backend with and without an initial response") {
  struct Case {
    std::string name, message;
    Mechanism mechanism;
  };
  for (const Case& it : {Case{"XOAUTH2", Xoauth2("bob", "tok"), Mechanism::kXoauth2},
                         Case{"OAUTHBEARER", Oauthbearer("bob", "tok"), Mechanism::kOauthbearer}}) {
    for (const std::string& form : {"AUTH " + it.name + " " + it.message + "\r\n",
                                    "auth " + it.name + "\r\n" + it.message + "\r\n"}) {
      ForEverySplit(form, [&](const Split& split) {
        Pop3Visit visit;
        visit.Client(split);
        const std::string asked = form.starts_with("auth") ? "+ \r\n" : "";
        CHECK(visit.ToClient() == asked);
        CHECK(visit.host.connects == std::vector<std::string>{"bob"});
        visit.MeetBackend(kCapa);
        CHECK(visit.ToBackend() == "AUTH " + it.name + " " + it.message + "\r\n");
        visit.Backend("+OK in\r\n");
        CHECK(visit.Logins(it.mechanism, LoginResult::kOk) == 1);
        CHECK(visit.engine.user() == "bob");
      });
    }
  }
}

TEST_CASE("Long POP3 tokens never make a command line longer than 255 octets") {
  for (const std::size_t length : {1u, 120u, 150u, 160u, 200u, 4000u, 8000u}) {
    INFO(length);
    const std::string message = Xoauth2("bob", std::string(length, 't'));
    for (const std::string& form :
         {"AUTH XOAUTH2 " + message + "\r\n", "AUTH XOAUTH2\r\n" + message + "\r\n"}) {
      Pop3Visit visit;
      visit.Client(form);
      visit.MeetBackend(kCapa);
      const std::string first = visit.ToBackend();
      CHECK(first.size() <= kMaxPop3Line);
      if (first != "AUTH XOAUTH2 " + message + "\r\n") {
        CHECK(first == "AUTH XOAUTH2\r\n");
        visit.Backend("+\r\n");
        CHECK(visit.ToBackend() == message + "\r\n");
      }
      visit.Backend("+OK in\r\n");
      CHECK(visit.host.logged_in);
    }
  }
}

TEST_CASE("The client's port at the gateway is not told to a POP3 backend") {
  Pop3Visit visit;
  visit.Client("AUTH OAUTHBEARER " +
               Base64Encode("n,a=bob,\1host=mail.example\1port=995\1auth=Bearer tok\1\1") + "\r\n");
  visit.MeetBackend(kCapa);
  CHECK(visit.ToBackend() == "AUTH OAUTHBEARER " + Oauthbearer("bob", "tok") + "\r\n");
}

TEST_CASE("POP3 messages with line ends or NUL inside reach no backend") {
  for (const std::string& line :
       {"AUTH XOAUTH2 " + Xoauth2("bob\r\nDELE 1", "t"), "AUTH XOAUTH2 " + Xoauth2("bob", "t\r\nX"),
        "AUTH OAUTHBEARER " + Oauthbearer("b\nob", "t"), "AUTH XOAUTH2 " + Xoauth2("b\0b"s, "t"),
        "AUTH XOAUTH2 ="s, "AUTH OAUTHBEARER AQ=="s, "AUTH XOAUTH2 ****"s,
        "AUTH LOGIN " + Base64Encode("bob\r\nDELE 1") + "\r\n" + Base64Encode("x"),
        "AUTH LOGIN " + Base64Encode("bob") + "\r\n" + Base64Encode("x\r\nDELE 1"),
        "AUTH LOGIN =\r\n" + Base64Encode("x")}) {
    INFO(line);
    Pop3Visit visit;
    visit.Client(line + "\r\n");
    CHECK(visit.ToClient().find("-ERR ") != std::string::npos);
    CHECK(visit.host.connects.empty());
    CHECK_FALSE(visit.host.logged_in);
  }
}

TEST_CASE("A POP3 OAuth challenge is relayed with its answer and counts as a refusal") {
  ForEverySplit("+ eyJzdGF0dXMiOiI0MDEifQ==\r\n", [](const Split& split) {
    Pop3Visit visit;
    visit.Client("AUTH XOAUTH2 " + Xoauth2("bob", "old") + "\r\n");
    visit.MeetBackend(kCapa);
    visit.ToBackend();
    visit.Backend(split);
    CHECK(visit.ToClient() == "+ eyJzdGF0dXMiOiI0MDEifQ==\r\n");
    CHECK_FALSE(visit.engine.client_blocked());
    visit.Client("AQ==\r\nUSER bob\r\n");
    CHECK(visit.ToBackend() == "AQ==\r\n");
    CHECK(visit.engine.client_blocked());
    visit.Backend("-ERR [AUTH] expired\r\n");
    CHECK(visit.ToClient() == "-ERR [AUTH] expired\r\n+OK\r\n");
    CHECK(visit.Logins(Mechanism::kXoauth2, LoginResult::kFailed) == 1);
    CHECK(visit.host.failed_logins.at(0).mechanism == "XOAUTH2");
    CHECK(visit.host.drops == 1);
  });
}

// To the moment at which the token is out.
void SendToken(Pop3Visit& visit) {
  visit.Client("AUTH XOAUTH2 " + Xoauth2("bob", "old") + "\r\n");
  visit.MeetBackend(kCapa);
  visit.ToBackend();
}

TEST_CASE("A POP3 refusal that does not wait for the challenge's answer waits with us") {
  ForEverySplit("+ e30=\r\n-ERR [AUTH] no\r\nand more\r\n", [](const Split& split) {
    Pop3Visit visit;
    SendToken(visit);
    visit.Backend(split);
    // The client's answer is no command, and what a chatty backend says is not kept.
    CHECK(visit.ToClient() == "+ e30=\r\n");
    CHECK(visit.backend_pending.empty());
    visit.Client("AQ==\r\nCAPA\r\n");
    CHECK(visit.ToClient().starts_with("-ERR [AUTH] no\r\n+OK\r\n"));
    CHECK(visit.ToBackend().empty());
    CHECK(visit.Logins(Mechanism::kXoauth2, LoginResult::kFailed) == 1);
    CHECK(visit.host.drops == 1);
  });
}

TEST_CASE("Nonsense behind a POP3 challenge is the backend's failure") {
  ForEverySplit("+ e30=\r\nwhat\r\n", [](const Split& split) {
    Pop3Visit visit;
    SendToken(visit);
    visit.Backend(split);
    CHECK(visit.ToClient() == "+ e30=\r\n");
    visit.Client("\r\n");
    CHECK(visit.ToClient().starts_with("-ERR [SYS/TEMP] "));
    CHECK(visit.host.drop_failure == BackendFailure::kProtocol);
  });
}

TEST_CASE("A POP3 challenge as long as the backend's line may be is relayed whole") {
  Pop3Visit visit;
  visit.Client("AUTH XOAUTH2 " + Xoauth2("bob", "old") + "\r\n");
  visit.MeetBackend(kCapa);
  visit.ToBackend();
  const std::string challenge = "+ " + std::string(4000, 'x') + "\r\n";
  visit.Backend(challenge);
  CHECK(visit.ToClient() == challenge);
}

TEST_CASE("A POP3 backend that is lost while the client answers the challenge is unavailable") {
  Pop3Visit visit;
  SendToken(visit);
  visit.Backend("+ e30=\r\n");
  visit.BackendEnd();
  CHECK(visit.ToClient() == "+ e30=\r\n");
  visit.Client("AQ==\r\n");
  CHECK(visit.host.rejections.empty());
  CHECK(visit.ToClient() ==
        "-ERR [SYS/TEMP] the mail server did not answer the login, try again later\r\n");
  CHECK(visit.Logins(Mechanism::kXoauth2, LoginResult::kUnavailable) == 1);
  CHECK(visit.host.drop_failure == BackendFailure::kClosed);
}

TEST_CASE("Ends of a POP3 session whose challenge was not answered") {
  Pop3Visit slow;
  SendToken(slow);
  slow.Backend("+ e30=\r\n-ERR [AUTH] no\r\n");
  slow.ToClient();
  slow.Timeout(Engine::Timeout::kLogin);
  CHECK(slow.ToClient() == "-ERR [SYS/TEMP] the login took too long\r\n");
  CHECK(slow.host.Ended(CloseReason::kLoginTimeout));
  CHECK_FALSE(slow.host.drop_failure);

  Pop3Visit drained;
  SendToken(drained);
  drained.Backend("+ e30=\r\n");
  drained.ToClient();
  drained.Drain();
  CHECK(drained.ToClient() == "-ERR [SYS/TEMP] shutting down\r\n");
  CHECK(drained.host.Ended(CloseReason::kDrained));
}

TEST_CASE("What the client thinks over at a POP3 challenge is no time of the command") {
  using std::chrono::milliseconds;
  Pop3Visit visit;
  visit.Client("AUTH XOAUTH2 " + Xoauth2("bob", "old") + "\r\n");
  visit.MeetBackend(kCapa);
  visit.Backend("+ e30=\r\n");
  visit.Advance(milliseconds(9000));
  visit.Client("\r\n");
  visit.Advance(milliseconds(40));
  visit.Backend("-ERR no\r\n");
  CHECK(visit.Seconds(CommandKind::kAuth) == Approx(0.04));
}

TEST_CASE("A POP3 backend's OAuth that is not offered loses no attempt") {
  Pop3Visit visit;
  for (int i = 0; i < 10; ++i) {
    visit.Client("AUTH OAUTHBEARER " + Oauthbearer("bob", "t") + "\r\n");
    visit.MeetBackend("+OK\r\nSASL PLAIN XOAUTH2\r\n.\r\n");
    CHECK(visit.ToClient() == "-ERR the mail server offers no way to log in like this\r\n");
    CHECK(visit.ToBackend().empty());
  }
  CHECK_FALSE(visit.host.end);
  CHECK(visit.host.drops == 10);
  CHECK(visit.host.rejections.empty());
}

TEST_CASE("POP3 LOGIN is said as USER and PASS unless the backend or the name forbids it") {
  const auto sent = [](std::string_view user, std::string_view capa) {
    Pop3Visit visit;
    visit.Client("AUTH LOGIN\r\n" + Base64Encode(user) + "\r\n" + Base64Encode("secret") + "\r\n");
    CHECK(visit.ToClient() == "+ VXNlcm5hbWU6\r\n+ UGFzc3dvcmQ6\r\n");
    visit.MeetBackend(capa);
    return visit.ToBackend() + visit.ToClient();
  };
  const std::string plain = "AUTH PLAIN " + Plain("bob", "secret") + "\r\n";
  CHECK(sent("bob", kCapa) == "USER bob\r\n");
  CHECK(sent("bob", "-ERR\r\n") == "USER bob\r\n");
  CHECK(sent("bob", "+OK\r\nSASL LOGIN\r\n.\r\n") == "USER bob\r\n");
  CHECK(sent("bob", "+OK\r\nSASL PLAIN\r\n.\r\n") == plain);
  CHECK(sent("bob ", kCapa) == "AUTH PLAIN " + Plain("bob ", "secret") + "\r\n");
  CHECK(sent("bob ", "-ERR\r\n") == "-ERR the mail server offers no way to log in like this\r\n");
}

}  // namespace
}  // namespace postern::testing
