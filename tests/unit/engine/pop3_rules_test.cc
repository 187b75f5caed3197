// What rules do to a POP3 session that is logged in: commands denied, delayed, hidden, read-only.

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "pop3_rules_fixture.h"

namespace postern::testing {
namespace {

using pop3::CommandKind;
using std::chrono::seconds;

constexpr std::string_view kDenied = "-ERR [SYS/PERM] no deleting\r\n";
constexpr std::string_view kUnknown = "-ERR no such command here\r\n";

Rule NoDele() { return MakeRule("no dele", Action::kDeny, {{"command", "DELE"}}, "no deleting"); }

TEST_CASE("A denied POP3 command reaches no backend and the session goes on") {
  RuledVisit visit({NoDele()});
  visit.LogIn();
  visit.Client("DELE 1\r\nNOOP\r\n");
  CHECK(visit.ToBackend() == "NOOP\r\n");
  CHECK(visit.ToClient() == kDenied);
  visit.Backend("+OK\r\n");
  CHECK(visit.ToClient() == "+OK\r\n");
  CHECK(visit.Ended(CommandKind::kDele, CommandResult::kDenied) == 1);
  CHECK(visit.host.hits == std::vector<std::string>{"no dele"});
  CHECK_FALSE(visit.host.end);
}

// SECURITY 1: what the backend would do is what the rule sees, or nothing reaches the backend.
TEST_CASE("A POP3 rule sees its command in every spelling") {
  for (const std::string spelling :
       {"DELE 1", "dele 1", "DeLe 1", "DELE 1   ", "dele  1", "DELE\t1", "DELE", "DELE 1 2",
        "DELE ", " DELE 1", "DELE 0001", "DELE +1", "D ELE 1", "DELE \x80", "XDELE 1"}) {
    const std::string burst = "NOOP\r\n" + spelling + "\r\nSTAT\r\n";
    ForEverySplit(burst, [&](const Split& split) {
      INFO(split.text());
      RuledVisit visit({NoDele()});
      visit.LogIn();
      visit.Client(split);
      CHECK(visit.ToBackend() == "NOOP\r\nSTAT\r\n");
      visit.Backend("+OK 1\r\n+OK 2\r\n");
      const std::string seen = visit.ToClient();
      CHECK(seen.starts_with("+OK 1\r\n-ERR "));
      CHECK(seen.ends_with("\r\n+OK 2\r\n"));
      CHECK(visit.engine.quiet());
    });
  }
}

TEST_CASE("A POP3 rule on an argument sees the rest of the line") {
  RuledVisit visit({MakeRule("first only", Action::kDeny, {{"command", "RETR"}, {"argument", "1"}},
                             "not this one")});
  visit.LogIn();
  visit.Client("RETR 1  \r\nretr 2\r\nRETR 11\r\n");
  CHECK(visit.ToBackend() == "retr 2\r\nRETR 11\r\n");
  REQUIRE(visit.host.judged.size() == 3);
  CHECK(visit.host.judged[0].argument == "1");
  CHECK(visit.host.judged[2].argument == "11");
}

TEST_CASE("POP3 commands that no rule names are not judged") {
  RuledVisit visit({NoDele()});
  visit.LogIn();
  visit.Client("NOOP\r\nSTAT\r\nLIST\r\n");
  CHECK(visit.host.judged.empty());
}

TEST_CASE("POP3 denials keep their place in a burst while a message streams") {
  ForEverySplit(
      "RETR 1\r\nDELE 1\r\nNOOP\r\nDELE 2\r\nXFOO\r\nDELE 3\r\nSTAT\r\n", [](const Split& split) {
        INFO(split.text());
        RuledVisit visit({NoDele()});
        visit.LogIn();
        visit.Client("TOP 1 0\r\n");
        visit.Backend("+OK\r\nhalf a li");
        visit.Client(split);
        CHECK(visit.ToBackend() == "TOP 1 0\r\nRETR 1\r\nNOOP\r\nSTAT\r\n");
        CHECK(visit.ToClient() == "+OK\r\nhalf a li");
        visit.Backend("ne\r\n.\r\n+OK\r\nbody\r\n");
        CHECK(visit.ToClient() == "ne\r\n.\r\n+OK\r\nbody\r\n");
        const std::string denied(kDenied);
        visit.Backend(".\r\n+OK noop\r\n");
        CHECK(visit.ToClient() ==
              ".\r\n" + denied + "+OK noop\r\n" + denied + std::string(kUnknown) + denied);
        visit.Backend("+OK 3 3\r\n");
        CHECK(visit.ToClient() == "+OK 3 3\r\n");
        CHECK(visit.Ended(CommandKind::kDele, CommandResult::kDenied) == 3);
        CHECK(visit.Ended(CommandKind::kOther, CommandResult::kLocal) == 1);
        CHECK(visit.engine.quiet());
      });
}

TEST_CASE("A POP3 rule that disconnects speaks in its turn and ends the session") {
  ForEverySplit("RETR 1\r\nSTAT\r\nQUIT\r\n", [](const Split& split) {
    RuledVisit visit({MakeRule("out", Action::kDisconnect, {{"command", "STAT"}}, "not\r\nhere")});
    visit.LogIn();
    visit.Client(split);
    CHECK(visit.ToBackend() == "RETR 1\r\n");
    CHECK(visit.ToClient().empty());
    visit.Backend("+OK\r\nbody\r\n.\r\n");
    CHECK(visit.ToClient() == "+OK\r\nbody\r\n.\r\n-ERR [SYS/PERM] not  here\r\n");
    CHECK(visit.host.Ended(CloseReason::kRule));
    CHECK(visit.ToBackend().empty());
    CHECK(visit.Ended(CommandKind::kStat, CommandResult::kDenied) == 1);
  });
}

TEST_CASE("A POP3 command that needs better TLS is denied") {
  Rule rule = MakeRule("tls", Action::kRequireTls, {{"command", "RETR"}}, "use TLS 1.3");
  rule.minimum = TlsVersion::k13;
  RuledVisit visit({});
  visit.host.rule_facts.tls_version = TlsVersion::k12;
  visit.Use({rule});
  visit.LogIn();
  visit.Client("RETR 1\r\n");
  CHECK(visit.ToBackend().empty());
  CHECK(visit.ToClient() == "-ERR [SYS/PERM] use TLS 1.3\r\n");
  visit.host.rule_facts.tls_version = TlsVersion::k13;
  visit.Use({rule});
  visit.Client("RETR 1\r\n");
  CHECK(visit.ToBackend() == "RETR 1\r\n");
}

TEST_CASE("A reload's rules hold from the next POP3 command on") {
  RuledVisit visit({});
  visit.LogIn();
  visit.Client("DELE 1\r\n");
  CHECK(visit.ToBackend() == "DELE 1\r\n");
  visit.Use({NoDele()});
  visit.Client("DELE 2\r\n");
  CHECK(visit.ToBackend().empty());
  visit.Backend("+OK\r\n");
  CHECK(visit.ToClient() == "+OK\r\n" + std::string(kDenied));
  visit.host.session_rules = nullptr;
  visit.Client("DELE 3\r\n");
  CHECK(visit.ToBackend() == "DELE 3\r\n");
}

TEST_CASE("Rules in report mode and allowing rules stop no POP3 command") {
  Rule report = NoDele();
  report.name = "trial";
  report.mode = Rule::Mode::kReport;
  RuledVisit visit({report, MakeRule("fine", Action::kAllow, {{"command", "DELE"}}), NoDele()});
  visit.LogIn();
  visit.Client("DELE 1\r\n");
  CHECK(visit.ToBackend() == "DELE 1\r\n");
  CHECK(visit.host.hits == std::vector<std::string>{"fine", "report trial"});
}

// ---- delay

TEST_CASE("A delayed POP3 command waits and all behind it waits too") {
  ForEverySplit("STAT\r\nNOOP\r\nLIST\r\n", [](const Split& split) {
    INFO(split.text());
    RuledVisit visit({DelayOf("slow", {{"command", "NOOP"}}, seconds(2))});
    visit.LogIn();
    visit.Client(split);
    CHECK(visit.ToBackend() == "STAT\r\n");
    CHECK(visit.host.pauses == std::vector<Duration>{seconds(2)});
    CHECK(visit.engine.client_blocked());
    // What happens meanwhile does not let it through.
    visit.Backend("+OK 1 1\r\n");
    visit.Drained();
    CHECK(visit.ToBackend().empty());
    visit.PauseOver();
    CHECK(visit.ToBackend() == "NOOP\r\nLIST\r\n");
    CHECK(visit.host.judged.size() == 1);
    CHECK(visit.host.pauses.size() == 1);
    visit.Backend("+OK\r\n+OK\r\n.\r\n");
    CHECK(visit.ToClient() == "+OK 1 1\r\n+OK\r\n+OK\r\n.\r\n");
    CHECK(visit.client_pending.empty());
  });
}

TEST_CASE("Each delayed POP3 command has its own pause") {
  RuledVisit visit({DelayOf("slow", {{"command", "NOOP"}}, seconds(2)),
                    DelayOf("slower", {{"command", "NOOP"}}, seconds(1))});
  visit.LogIn();
  visit.Client("NOOP\r\nNOOP\r\n");
  CHECK(visit.host.pauses == std::vector<Duration>{seconds(3)});
  visit.PauseOver();
  CHECK(visit.ToBackend() == "NOOP\r\n");
  CHECK(visit.host.pauses.size() == 2);
  visit.PauseOver();
  CHECK(visit.ToBackend() == "NOOP\r\n");
}

TEST_CASE("A delayed and denied POP3 command is denied late") {
  RuledVisit visit({DelayOf("slow", {{"command", "DELE"}}, seconds(2)), NoDele()});
  visit.LogIn();
  visit.Client("DELE 1\r\n");
  CHECK(visit.ToClient().empty());
  // The verdict was given; a reload does not change it.
  visit.Use({});
  visit.PauseOver();
  CHECK(visit.ToClient() == kDenied);
  CHECK(visit.ToBackend().empty());
}

TEST_CASE("A POP3 session may end while a command is held") {
  const Rule slow = DelayOf("slow", {{"command", "NOOP"}}, seconds(2));
  RuledVisit lost({slow});
  lost.LogIn();
  lost.Client("NOOP\r\n");
  lost.BackendEnd();
  CHECK(lost.host.Ended(CloseReason::kBackendClosed));

  RuledVisit left({slow});
  left.LogIn();
  left.Client("NOOP\r\n");
  left.ClientEnd();
  CHECK_FALSE(left.host.end);
  left.PauseOver();
  CHECK(left.ToBackend() == "NOOP\r\n");
  left.Backend("+OK\r\n");
  CHECK(left.host.Ended(CloseReason::kClientClosed));

  RuledVisit kicked({slow});
  kicked.LogIn();
  kicked.Client("NOOP\r\n");
  kicked.Drain(CloseReason::kKicked);
  CHECK(kicked.host.Ended(CloseReason::kKicked));
}

// ---- read-only

TEST_CASE("Under read-only nothing that changes a POP3 mailbox reaches the backend") {
  struct Row {
    std::string line;
    bool passes;
  };
  const std::vector<Row> rows = {
      {"STAT", true},     {"LIST", true},      {"LIST 1", true},   {"RETR 1", true},
      {"DELE 1", false},  {"dele 2  ", false}, {"NOOP", true},     {"RSET", true},
      {"TOP 1 1", true},  {"UIDL", true},      {"UIDL 1", true},   {"CAPA", true},
      {"QUIT", true},     {"USER a", false},   {"PASS a", false},  {"APOP a b", false},
      {"AUTH", false},    {"STLS", false},     {"UTF8", false},    {"LANG en", false},
      {"XDELE 1", false}, {"XTND X", false},   {"EXPUNGE", false}, {"XCLIENT ADDR=::1", false}};
  for (const Row& row : rows) {
    INFO(row.line);
    RuledVisit visit({ReadOnly()});
    visit.LogIn();
    visit.Client(row.line + "\r\n");
    CHECK(visit.ToBackend() == (row.passes ? row.line + "\r\n" : ""));
  }
  // Every command of the table stands in the rows above.
  for (std::size_t kind = 1; kind < pop3::kCommandCount; ++kind) {
    const std::string name(pop3::CommandName(static_cast<CommandKind>(kind)));
    const bool listed = std::any_of(rows.begin(), rows.end(), [&](const Row& row) {
      return row.line.substr(0, row.line.find(' ')) == name;
    });
    INFO(name);
    CHECK(listed);
  }
}

TEST_CASE("A POP3 deletion under read-only is told why not") {
  RuledVisit visit({ReadOnly()});
  visit.LogIn();
  visit.Client("DELE 1\r\nQUIT\r\n");
  CHECK(visit.ToClient() == "-ERR [SYS/PERM] nothing is changed here\r\n");
  CHECK(visit.ToBackend() == "QUIT\r\n");
  CHECK(visit.Ended(CommandKind::kDele, CommandResult::kDenied) == 1);
}

// ---- hide

TEST_CASE("Hidden POP3 capabilities are absent and their commands unknown") {
  RuledVisit visit({Hiding({"TOP", "UIDL", "SASL", "STLS", "LANG", "PIPELINING"})});
  visit.LogIn();
  visit.Client("CAPA\r\nTOP 1 1\r\nUIDL\r\nuidl 1\r\nAUTH PLAIN\r\nSTLS\r\nLANG\r\nLIST\r\n");
  CHECK(visit.ToBackend() == "CAPA\r\nLIST\r\n");
  visit.Backend("+OK\r\nTOP\r\nuidl\r\nSASL PLAIN\r\nUSER\r\nSTLS\r\nLANG\r\nPIPELINING\r\n.\r\n");
  std::string wanted = "+OK\r\nUSER\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\n.\r\n";
  for (int i = 0; i < 6; ++i) wanted += kUnknown;
  CHECK(visit.ToClient() == wanted);
  CHECK(visit.Ended(CommandKind::kTop, CommandResult::kLocal) == 1);
}

TEST_CASE("Hidden POP3 capabilities are hidden before the login too") {
  RuledVisit visit({Hiding({"TOP", "SASL", "UTF8"})});
  visit.host.offer.pop3_utf8 = true;
  visit.Client("CAPA\r\n");
  CHECK(visit.ToClient() ==
        "+OK\r\nUSER\r\nUIDL\r\nPIPELINING\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\n"
        "IMPLEMENTATION Postern\r\n.\r\n");
  visit.Client("AUTH\r\nAUTH PLAIN\r\nUTF8\r\n");
  CHECK(visit.ToClient() == std::string(kUnknown) + std::string(kUnknown) + std::string(kUnknown));

  RuledVisit tokens({Hiding({"AUTH=PLAIN", "AUTH=LOGIN", "USER"})});
  tokens.Client("AUTH\r\nAUTH PLAIN\r\nUSER bob\r\nPASS x\r\n");
  CHECK(tokens.ToClient() ==
        "+OK\r\nXOAUTH2\r\nOAUTHBEARER\r\n.\r\n-ERR no such mechanism here\r\n" +
            std::string(kUnknown) + std::string(kUnknown));
}

TEST_CASE("UTF8 is offered before the POP3 login where every pool has it") {
  Pop3Visit visit;
  visit.Client("CAPA\r\n");
  CHECK(visit.ToClient().find("UTF8") == std::string::npos);
  visit.host.offer.pop3_utf8 = true;
  visit.Client("CAPA\r\n");
  CHECK(visit.ToClient().find("\r\nUTF8\r\n") != std::string::npos);
}

TEST_CASE("A pool's further POP3 capabilities pass and its further verbs do not") {
  Pop3Visit visit;
  visit.host.settings.pools.at(0).pass_capabilities = {"X-NEW"};
  visit.host.settings.pools.at(0).pass_commands = {"XNEW"};
  visit.LogIn();
  visit.Client("CAPA\r\nXNEW\r\n");
  CHECK(visit.ToBackend() == "CAPA\r\n");
  visit.Backend("+OK\r\nX-NEW 1\r\nX-OLD\r\n.\r\n");
  CHECK(visit.ToClient() ==
        "+OK\r\nX-NEW 1\r\nPIPELINING\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\n.\r\n" +
            std::string(kUnknown));
}

}  // namespace
}  // namespace postern::testing
