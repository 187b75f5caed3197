// IMAP logins: what reaches a backend, what is counted, and in which words a client hears of
// trouble.
#include <array>
#include <catch2/catch.hpp>
#include <functional>
#include <string>
#include <vector>

#include "imap_visit.h"
#include "postern/base/text.h"
#include "postern/engine/trouble.h"
#include "support/for_every_split.h"
#include "support/naive_imap_backend.h"
#include "support/rule_words.h"

namespace postern::testing {
namespace {

using imap::CommandKind;

// A refused attempt at a backend with these capabilities.
void Attempt(ImapVisit& visit, const std::string& client, const std::string& capabilities) {
  visit.Client(client);
  visit.BackendConnected();
  visit.Backend("* OK [CAPABILITY IMAP4rev1 " + capabilities + "] hi\r\n");
}

std::string Xoauth2(const std::string& user, const std::string& token) {
  return Base64Encode("user=" + user + "\x01" + "auth=Bearer " + token + "\x01\x01");
}
std::string Oauthbearer(const std::string& user, const std::string& token) {
  return Base64Encode("n,a=" + user + ",\x01" + "auth=Bearer " + token + "\x01\x01");
}
std::string Plain(const std::string& authzid, const std::string& user,
                  const std::string& password) {
  return Base64Encode(authzid + std::string(1, '\0') + user + std::string(1, '\0') + password);
}

TEST_CASE("Each IMAP login is counted under its mechanism") {
  struct Row {
    std::string client, capabilities;
    Mechanism mechanism;
    CommandKind kind;
  };
  const std::vector<Row> rows = {
      {"a LOGIN bob x\r\n", "ID", Mechanism::kLogin, CommandKind::kLogin},
      {"a AUTHENTICATE LOGIN " + Base64Encode("bob") + "\r\n" + Base64Encode("x") + "\r\n", "ID",
       Mechanism::kLogin, CommandKind::kAuthenticate},
      {"a AUTHENTICATE PLAIN " + Plain("", "bob", "x") + "\r\n", "AUTH=PLAIN SASL-IR",
       Mechanism::kPlain, CommandKind::kAuthenticate},
      {"a AUTHENTICATE XOAUTH2 " + Xoauth2("bob", "t") + "\r\n", "AUTH=XOAUTH2 SASL-IR",
       Mechanism::kXoauth2, CommandKind::kAuthenticate},
      {"a AUTHENTICATE OAUTHBEARER " + Oauthbearer("bob", "t") + "\r\n", "AUTH=OAUTHBEARER SASL-IR",
       Mechanism::kOauthbearer, CommandKind::kAuthenticate},
  };
  for (const Row& row : rows) {
    ImapVisit visit;
    visit.Start();
    Attempt(visit, row.client, row.capabilities);
    visit.Backend("postern1 NO no\r\n");
    CHECK(visit.Logins(row.mechanism, LoginResult::kFailed) == 1);
    Attempt(visit, row.client, row.capabilities);
    visit.Backend("postern1 OK [CAPABILITY IMAP4rev1] in\r\n");
    CHECK(visit.Logins(row.mechanism, LoginResult::kOk) == 1);
    CHECK(visit.Ended(row.kind, CommandResult::kNo) + visit.Ended(row.kind, CommandResult::kOk) ==
          2);
    REQUIRE(visit.host.failed_logins.size() == 1);
    CHECK(visit.host.failed_logins[0].mechanism == MechanismName(row.mechanism));
    CHECK(visit.host.failed_logins[0].user == "bob");
    CHECK(visit.engine.user() == "bob");
  }
}

TEST_CASE("A login's time begins when its backend is connected") {
  ImapVisit visit;
  visit.Start();
  visit.Client("a LOGIN bob secret\r\n");
  visit.Advance(std::chrono::seconds(3));
  visit.BackendConnected();
  visit.Advance(std::chrono::milliseconds(20));
  visit.Backend("* OK hi\r\n");
  visit.Advance(std::chrono::milliseconds(30));
  visit.Backend("postern1 OK [CAPABILITY IMAP4rev1] in\r\n");
  CHECK(visit.PhaseSeconds(LoginPhase::kLogin) == Approx(0.05));
  CHECK(visit.PhaseSeconds(LoginPhase::kConnect) == 0);
}

TEST_CASE("A client that leaves its token's refusal unanswered has one login aborted") {
  ImapVisit visit;
  visit.Start();
  Attempt(visit, "a AUTHENTICATE XOAUTH2 " + Xoauth2("bob", "t") + "\r\n", "AUTH=XOAUTH2 SASL-IR");
  visit.Backend("+ e30=\r\n");
  CHECK_FALSE(visit.engine.client_blocked());
  CHECK_FALSE(visit.engine.quiet());
  visit.Abandoned();
  visit.host.end = FakeHost::End{CloseReason::kClientReset, EngineHost::Ending::kAbort};
  CHECK(visit.Logins(Mechanism::kXoauth2, LoginResult::kAborted) == 1);
  CHECK(visit.Ended(CommandKind::kAuthenticate, CommandResult::kAborted) == 1);
}

TEST_CASE("An answer to a token's refusal that cannot be read is no second command") {
  ImapVisit visit;
  visit.Start();
  Attempt(visit, "a AUTHENTICATE XOAUTH2 " + Xoauth2("bob", "t") + "\r\n", "AUTH=XOAUTH2 SASL-IR");
  visit.Backend("+ e30=\r\n");
  visit.Client("AQ==\n");
  CHECK(visit.host.Ended(CloseReason::kClientProtocol));
  CHECK(visit.Ended(CommandKind::kAuthenticate, CommandResult::kLocal) == 0);
  CHECK(visit.Ended(CommandKind::kAuthenticate, CommandResult::kAborted) == 1);
}

// Every attempt, whatever is in its fields, is one login command at the backend or none.
TEST_CASE("No field of a login becomes a line of its own") {
  const std::vector<std::string> evil = {"\r\npostern1 DELETE x", "\r\nDELE 1", "\n", "\r",
                                         "\" {5+}\r\n",           "a\" x",      "\\", "{5+}",
                                         std::string(1, '\0')};
  for (const std::string& field : evil) {
    const std::string n = std::to_string(field.size() + 1);
    const std::string literal = "{" + n + "+}\r\nu" + field;
    const std::string quoted = "\"u" + field + "\"";
    const std::vector<std::string> logins = {
        "AUTHENTICATE PLAIN " + Plain("u" + field, "u", "p"),
        "AUTHENTICATE PLAIN " + Plain("", "u" + field, "p"),
        "AUTHENTICATE PLAIN " + Plain("", "u", "p" + field),
        "AUTHENTICATE PLAIN\r\n" + Plain("", "u" + field, "p" + field),
        "AUTHENTICATE LOGIN " + Base64Encode("u" + field) + "\r\n" + Base64Encode("p"),
        "AUTHENTICATE LOGIN\r\n" + Base64Encode("u") + "\r\n" + Base64Encode("p" + field),
        "AUTHENTICATE XOAUTH2 " + Xoauth2("u" + field, "t"),
        "AUTHENTICATE XOAUTH2 " + Xoauth2("u", "t" + field),
        "AUTHENTICATE OAUTHBEARER " + Oauthbearer("u" + field, "t"),
        "AUTHENTICATE OAUTHBEARER\r\n" + Oauthbearer("u", "t" + field),
        "LOGIN " + literal + " p",
        "LOGIN u " + literal,
        "LOGIN " + quoted + " p",
        "LOGIN u " + quoted,
        "LOGIN u" + field + " p",
    };
    for (const std::string capabilities :
         {"AUTH=PLAIN SASL-IR AUTH=XOAUTH2 AUTH=OAUTHBEARER", "AUTH=PLAIN AUTH=XOAUTH2", "IDLE"}) {
      for (const std::string& login : logins) {
        INFO(Escaped(login) << " at " << capabilities);
        NaiveImapVisit visit({capabilities});
        visit.Client("a " + login + "\r\n");
        CHECK(visit.logins().size() <= visit.host().connects.size());
        CHECK(visit.host().connects.size() <= 1);
        for (const SeenCommand& seen : visit.logins()) {
          CHECK((seen.Verb() == "LOGIN" || seen.Verb() == "AUTHENTICATE"));
        }
        CHECK(visit.relayed().empty());
      }
    }
  }
}

// One command of a session that lives by one rule.
void LogInWith(ImapVisit& visit, std::string_view rule, std::string_view command) {
  visit.host.UseRules({RuleInWords(rule)});
  visit.Client("l LOGIN bob secret\r\n");
  visit.BackendConnected();
  visit.Backend("* OK hello\r\npostern1 OK [CAPABILITY IMAP4rev1] in\r\n");
  visit.ToBackend();
  visit.host.TakeClient();
  visit.Client(command);
  CHECK(visit.ToBackend().empty());
}

// Whatever makes the trouble happen; the client's last tag is "a".
using Story = std::function<void(ImapVisit&)>;

TEST_CASE("Every row of the table of trouble is reached, in its own words and no others") {
  const std::array<Story, kTroubleCount> stories = {
      [](ImapVisit& visit) {
        Attempt(visit, "a LOGIN bob x\r\n", "");
        visit.Backend("postern1 NO no\r\n");
      },
      [](ImapVisit& visit) {
        visit.host.settings.listeners[0].tls = ListenerTls::kRefuse;
        visit.host.facts.secure = false;
        visit.Client("a LOGIN bob x\r\n");
      },
      [](ImapVisit& visit) {
        visit.Client("a LOGIN bob x\r\n");
        visit.BackendFailed();
      },
      [](ImapVisit& visit) { visit.Client("a LOGIN {5000}\r\n"); },
      [](ImapVisit& visit) { visit.Client("a FROBNICATE\r\n"); },
      [](ImapVisit& visit) { visit.Client("a AUTHENTICATE CRAM-MD5\r\n"); },
      [](ImapVisit& visit) {
        visit.Client("a AUTHENTICATE PLAIN\r\n");
        visit.host.TakeClient();
        visit.Client("*\r\n");
      },
      [](ImapVisit& visit) {
        visit.Client("a LOGIN bob x\r\n");
        visit.LoginRefused({Trouble::kAuthorization, "no", false, false});
      },
      [](ImapVisit& visit) { LogInWith(visit, "deny command=DELETE", "a DELETE x\r\n"); },
      [](ImapVisit& visit) {
        visit.Client("a LOGIN bob x\r\n");
        visit.LoginRefused({Trouble::kLimit, "no", false, false});
      },
      [](ImapVisit& visit) { LogInWith(visit, "hide mailboxes=x", "a DELETE x\r\n"); },
      [](ImapVisit& visit) { LogInWith(visit, "hide mailboxes=x", "a COPY 1 x\r\n"); },
      [](ImapVisit& visit) { LogInWith(visit, "hide mailboxes=x", "a CREATE x\r\n"); },
  };
  const std::array<std::string, kTroubleCount> words = {"a NO [AUTHENTICATIONFAILED] no\r\n",
                                                        "a NO [PRIVACYREQUIRED] ",
                                                        "a NO [UNAVAILABLE] ",
                                                        "a BAD [TOOBIG] ",
                                                        "a BAD [CLIENTBUG] ",
                                                        "a NO [CANNOT] ",
                                                        "a BAD authentication cancelled\r\n",
                                                        "a NO [AUTHORIZATIONFAILED] no\r\n",
                                                        "a NO [NOPERM] ",
                                                        "a NO [LIMIT] no\r\n",
                                                        "a NO [NONEXISTENT] ",
                                                        "a NO [TRYCREATE] ",
                                                        "a NO [CANNOT] "};
  for (std::size_t row = 0; row < kTroubleCount; ++row) {
    ImapVisit visit;
    visit.Start();
    visit.host.TakeClient();
    stories[row](visit);
    const std::string said = visit.host.TakeClient();
    CHECK(said.substr(0, words[row].size()) == words[row]);
    const std::string_view code = kTroubleCodes[row].imap;
    CHECK(words[row].find(code) != std::string::npos);
    CHECK((said.find('[') != std::string::npos) == !code.empty());
  }
}

TEST_CASE("Codes are joined to their words") {
  CHECK(ImapText(Trouble::kUnavailable, "later") == "[UNAVAILABLE] later");
  CHECK(ImapText(Trouble::kUnavailable, "") == "[UNAVAILABLE]");
  CHECK(ImapText(Trouble::kCancelled, "cancelled") == "cancelled");
  CHECK(Pop3Line(Trouble::kUnavailable, "later") == "-ERR [SYS/TEMP] later\r\n");
  CHECK(Pop3Line(Trouble::kClientBug, "what") == "-ERR what\r\n");
}

}  // namespace
}  // namespace postern::testing
