// Logins that rules, limits and lookups refuse, accounts that stand in for the client's, and
// sessions that an operator ends.

#include <catch2/catch.hpp>
#include <string>

#include "pop3_fixture.h"

namespace postern::testing {
namespace {

using pop3::CommandKind;

constexpr std::string_view kLogin = "USER bob\r\nPASS secret\r\n";
constexpr std::string_view kKicked = "-ERR [SYS/TEMP] this session was ended by the operator\r\n";

BackendAccount Account(std::string user, std::string_view password, Mechanism mechanism,
                       std::string authzid = {}) {
  BackendAccount account;
  account.credentials.user = std::move(user);
  account.credentials.authzid = std::move(authzid);
  account.credentials.password = Secret(password);
  account.mechanism = mechanism;
  return account;
}

TEST_CASE("A POP3 client that is not wanted hears why instead of a greeting") {
  FakeSession<Pop3Engine> session;
  session.Deny({Trouble::kAuthorization, "not from there", true, false}, CloseReason::kRule);
  CHECK(session.host.TakeClient() == "-ERR [SYS/PERM] not from there\r\n");
  CHECK(session.host.Ended(CloseReason::kRule));

  FakeSession<Pop3Engine> full;
  full.Deny({Trouble::kLimit, "too many", true, false}, CloseReason::kLimit);
  CHECK(full.host.TakeClient() == "-ERR [SYS/TEMP] too many\r\n");
  CHECK(full.host.Ended(CloseReason::kLimit));
}

TEST_CASE("A POP3 login that a rule refuses is denied and uses up no attempt") {
  Pop3Visit visit;
  for (int i = 0; i < 5; ++i) {
    visit.Client(kLogin);
    visit.LoginRefused({Trouble::kAuthorization, "not you", false, false});
    CHECK(visit.ToClient() == "+OK\r\n-ERR [SYS/PERM] not you\r\n");
    CHECK(visit.host.failed_logins.back().result == "denied");
    CHECK_FALSE(visit.host.end);
  }
  CHECK(visit.host.drops == 0);
  CHECK(visit.Logins(Mechanism::kUser, LoginResult::kFailed) == 5);
  CHECK(visit.Ended(CommandKind::kPass, CommandResult::kDenied, false) == 5);
  visit.LogIn();
}

TEST_CASE("A wrong password that a lookup found uses up a POP3 attempt") {
  Pop3Visit visit;
  for (int i = 0; i < 3; ++i) {
    CHECK_FALSE(visit.host.end);
    visit.Client(kLogin);
    visit.LoginRefused({Trouble::kCredentials, "wrong", false, true});
    CHECK(visit.ToClient() == "+OK\r\n-ERR [AUTH] wrong\r\n");
    CHECK(visit.host.failed_logins.back().result == "failed");
  }
  CHECK(visit.host.Ended(CloseReason::kLoginFailed));
  CHECK(visit.Logins(Mechanism::kUser, LoginResult::kFailed) == 3);
  CHECK(visit.Ended(CommandKind::kPass, CommandResult::kLocal, false) == 3);
}

TEST_CASE("POP3 logins that limits or trouble refuse may be tried again") {
  Pop3Visit visit;
  visit.Client(kLogin);
  visit.LoginRefused({Trouble::kLimit, "too many", false, false});
  CHECK(visit.ToClient() == "+OK\r\n-ERR [SYS/TEMP] too many\r\n");
  CHECK(visit.Logins(Mechanism::kUser, LoginResult::kLimit) == 1);
  visit.Client(kLogin);
  visit.LoginRefused({Trouble::kUnavailable, "later", false, false});
  CHECK(visit.ToClient() == "+OK\r\n-ERR [SYS/TEMP] later\r\n");
  CHECK(visit.Logins(Mechanism::kUser, LoginResult::kUnavailable) == 1);
  CHECK(visit.Ended(CommandKind::kPass, CommandResult::kLocal, false) == 1);
  visit.LogIn();
}

TEST_CASE("The last words of a POP3 login end the session") {
  Pop3Visit rule;
  rule.Client(kLogin);
  rule.LoginRefused({Trouble::kAuthorization, "go away", true, false});
  CHECK(rule.ToClient() == "+OK\r\n-ERR [SYS/PERM] go away\r\n");
  CHECK(rule.host.Ended(CloseReason::kRule));

  Pop3Visit limit;
  limit.Client(kLogin);
  limit.LoginRefused({Trouble::kLimit, "full", true, false});
  CHECK(limit.host.Ended(CloseReason::kLimit));
}

TEST_CASE("A POP3 limit may refuse when the backend has let the user in") {
  Pop3Visit visit;
  visit.host.admit_refusal = Refusal{Trouble::kLimit, "too many", false, false};
  visit.Client(kLogin);
  visit.MeetBackend();
  visit.Backend("+OK\r\n+OK in\r\n");
  CHECK(visit.ToClient() == "+OK\r\n-ERR [SYS/TEMP] too many\r\n");
  CHECK(visit.host.admissions == 1);
  CHECK(visit.host.drops == 1);
  CHECK_FALSE(visit.host.drop_failure);
  CHECK_FALSE(visit.host.logged_in);
  CHECK(visit.Logins(Mechanism::kUser, LoginResult::kLimit) == 1);
  CHECK(visit.Logins(Mechanism::kUser, LoginResult::kOk) == 0);
  visit.host.admit_refusal.reset();
  visit.ToBackend();
  visit.LogIn();
}

// ---- accounts

TEST_CASE("Another account logs in at the POP3 backend and the client keeps its name") {
  Pop3Visit visit;
  visit.host.account = Account("bob@new.example", "secret", Mechanism::kUser);
  visit.Client(kLogin);
  visit.MeetBackend();
  CHECK(visit.ToBackend() == "USER bob@new.example\r\n");
  visit.Backend("+OK\r\n");
  CHECK(visit.ToBackend() == "PASS secret\r\n");
  visit.Backend("+OK in\r\n");
  CHECK(visit.engine.user() == "bob");
  CHECK(visit.Logins(Mechanism::kUser, LoginResult::kOk) == 1);
}

TEST_CASE("A POP3 master account speaks for the user by PLAIN or not at all") {
  for (const Mechanism mechanism : {Mechanism::kPlain, Mechanism::kUser, Mechanism::kLogin}) {
    Pop3Visit visit;
    visit.host.account = Account("gateway", "key", mechanism, "bob");
    visit.Client(kLogin);
    visit.MeetBackend();
    CHECK(visit.ToBackend() == "AUTH PLAIN " + Plain("gateway", "key", "bob") + "\r\n");
    visit.Backend("+OK in\r\n");
    CHECK(visit.engine.user() == "bob");

    Pop3Visit lacking;
    lacking.host.account = Account("gateway", "key", mechanism, "bob");
    lacking.Client(kLogin);
    lacking.MeetBackend("+OK\r\nUSER\r\n.\r\n");
    CHECK(lacking.ToBackend().empty());
    CHECK(lacking.ToClient() ==
          "+OK\r\n-ERR the mail server offers no way to log in like this\r\n");
  }
}

TEST_CASE("A refusal of a POP3 password that the client did not say is no word on its own") {
  for (const bool user_refused : {false, true}) {
    Pop3Visit visit;
    visit.host.account = Account("bob*gateway", "key", Mechanism::kUser);
    visit.Client(kLogin);
    visit.MeetBackend();
    if (!user_refused) visit.Backend("+OK\r\n");
    visit.Backend("-ERR [AUTH] wrong\r\n");
    CHECK(visit.ToClient().find("\r\n-ERR [SYS/TEMP] ") != std::string::npos);
    CHECK(visit.Logins(Mechanism::kUser, LoginResult::kUnavailable) == 1);
    CHECK(visit.host.drops == 1);
    CHECK_FALSE(visit.host.drop_failure);
  }
  Pop3Visit own;
  own.host.account = Account("bob@new.example", "secret", Mechanism::kUser);
  own.Client(kLogin);
  own.MeetBackend();
  own.Backend("+OK\r\n-ERR [AUTH] wrong\r\n");
  CHECK(own.ToClient() == "+OK\r\n-ERR [AUTH] wrong\r\n");
}

TEST_CASE("A renamed POP3 user keeps the token and hears the challenge") {
  const auto token = [](const std::string& user) {
    return Base64Encode("user=" + user + "\1auth=Bearer tok\1\1");
  };
  Pop3Visit visit;
  visit.host.account = Account("bob@new.example", "Bearer tok", Mechanism::kXoauth2);
  visit.Client("AUTH XOAUTH2 " + token("bob") + "\r\n");
  visit.MeetBackend("+OK\r\nSASL XOAUTH2\r\n.\r\n");
  CHECK(visit.ToBackend() == "AUTH XOAUTH2 " + token("bob@new.example") + "\r\n");
  visit.Backend("+ e30=\r\n");
  CHECK(visit.ToClient() == "+ e30=\r\n");
  visit.Client("\r\n");
  CHECK(visit.ToBackend() == "\r\n");
  visit.Backend("-ERR [AUTH] no\r\n");
  CHECK(visit.ToClient() == "-ERR [AUTH] no\r\n");
  CHECK(visit.host.failed_logins.back().user == "bob");
}

TEST_CASE("A password in place of a POP3 token hears no challenge") {
  Pop3Visit visit;
  visit.host.account = Account("bob", "key", Mechanism::kUser);
  visit.Client("AUTH XOAUTH2 " + Base64Encode("user=bob\1auth=Bearer tok\1\1") + "\r\n");
  visit.MeetBackend();
  CHECK(visit.ToBackend() == "USER bob\r\n");
  visit.Backend("+OK\r\n+ e30=\r\n");
  CHECK(visit.ToClient().substr(0, 15) == "-ERR [SYS/TEMP]");
  CHECK(visit.Logins(Mechanism::kXoauth2, LoginResult::kUnavailable) == 1);
}

// ---- drained and kicked

TEST_CASE("A drained POP3 session goes on to its QUIT") {
  Pop3Visit visit;
  visit.LogIn();
  visit.Drain(CloseReason::kDrained);
  CHECK_FALSE(visit.host.end);
  visit.Client("DELE 1\r\nQUIT\r\n");
  CHECK(visit.ToBackend() == "DELE 1\r\nQUIT\r\n");
}

TEST_CASE("A kicked POP3 session ends without QUIT") {
  Pop3Visit idle;
  idle.LogIn();
  idle.Client("DELE 1\r\n");
  idle.Backend("+OK\r\n");
  idle.ToBackend();
  idle.ToClient();
  idle.Drain(CloseReason::kKicked);
  CHECK(idle.ToClient() == kKicked);
  CHECK(idle.ToBackend().empty());
  CHECK(idle.host.Ended(CloseReason::kKicked));

  Pop3Visit early;
  early.Drain(CloseReason::kKicked);
  CHECK(early.ToClient() == kKicked);
  CHECK(early.host.Ended(CloseReason::kKicked));
}

TEST_CASE("A kicked POP3 session ends behind the reply that the client is reading") {
  Pop3Visit visit;
  visit.LogIn();
  visit.Client("RETR 1\r\nSTAT\r\nXFOO\r\n");
  visit.Backend("+OK\r\nhalf");
  visit.ToBackend();
  visit.Drain(CloseReason::kKicked);
  CHECK(visit.ToClient() == "+OK\r\nhalf");
  visit.Client("QUIT\r\n");
  CHECK(visit.ToBackend().empty());
  visit.Backend("\r\n.\r\n+OK 1 1\r\n");
  CHECK(visit.ToClient() == "\r\n.\r\n" + std::string(kKicked));
  CHECK(visit.ToBackend().empty());
  CHECK(visit.host.Ended(CloseReason::kKicked));
  CHECK(visit.Ended(CommandKind::kStat, CommandResult::kAborted) == 1);
}

TEST_CASE("A POP3 session gives way to another when a limit wants it") {
  Pop3Visit visit;
  visit.LogIn();
  visit.Drain(CloseReason::kLimit);
  CHECK(visit.ToClient() ==
        "-ERR [SYS/TEMP] another session of yours has taken the place of this one\r\n");
  CHECK(visit.ToBackend().empty());
  CHECK(visit.host.Ended(CloseReason::kLimit));
}

TEST_CASE("A kicked POP3 login under way is counted") {
  Pop3Visit visit;
  visit.Client(kLogin);
  visit.Drain(CloseReason::kKicked);
  CHECK(visit.ToClient() == "+OK\r\n" + std::string(kKicked));
  CHECK(visit.Logins(Mechanism::kUser, LoginResult::kUnavailable) == 1);
  CHECK(visit.host.Ended(CloseReason::kKicked));
}

}  // namespace
}  // namespace postern::testing
