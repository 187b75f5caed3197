#include "server/rules_reader.h"

#include <catch2/catch.hpp>
#include <string>

#include "unit/server/config_fixture.h"

namespace postern {
namespace {

using Catch::Contains;

struct ReadText {
  RulesRead read;
  ConfigErrors errors;
};

ReadText Read(std::string_view text, const Config* config = nullptr) {
  ReadText out;
  out.read = ParseRules(text, "r.toml", config, out.errors);
  return out;
}

RulesRead ReadGood(std::string_view text) {
  ReadText out = Read(text);
  INFO((out.errors.errors.empty() ? "" : out.errors.errors[0]));
  REQUIRE(out.errors.errors.empty());
  return std::move(out.read);
}

Rule OnlyRule(std::string_view text) {
  const RulesRead read = ReadGood(text);
  REQUIRE(read.book->rules.size() == 1);
  return read.book->rules[0];
}

std::string OnlyError(std::string_view text, const Config* config = nullptr) {
  const ReadText out = Read(text, config);
  REQUIRE(out.errors.errors.size() == 1);
  return out.errors.errors[0];
}

// A rule with these lines from line 2 on; its action is deny unless they say another.
std::string RuleWith(std::string_view lines) {
  const bool acts = lines.find("then") != lines.npos;
  return "[[rule]]\n" + std::string(lines) + "\nname = \"x\"\n" + (acts ? "" : "then = \"deny\"\n");
}

TEST_CASE("A rule is read whole") {
  const Rule rule = OnlyRule(R"([[rule]]
name   = "pop3 may not delete at legacy"
if     = { protocol = "pop3", command = ["DELE", "RSET"], user = '.*@legacy\.example' }
unless = { client = "10.0.0.0/8" }
then   = "deny"
text   = "Switched off"
mode   = "report"
share  = "0.25%"
[[rule.exempt]]
user  = ['a@legacy\.example', 'b@legacy\.example']
until = 2027-01-01
owner = "ann"
)");
  CHECK(rule.name == "pop3 may not delete at legacy");
  CHECK(rule.place == "r.toml:1:1");
  REQUIRE(rule.conditions.size() == 3);
  REQUIRE(rule.unless.size() == 1);
  CHECK(rule.unless[0].fact == Fact::kClient);
  CHECK(rule.unless[0].any_of[0].place == "r.toml:4:21");
  CHECK(rule.action == Action::kDeny);
  CHECK(rule.text == "Switched off");
  CHECK(rule.mode == Rule::Mode::kReport);
  CHECK(rule.share == 25);
  REQUIRE(rule.exemptions.size() == 1);
  CHECK(rule.exemptions[0].users.size() == 2);
  CHECK(rule.exemptions[0].until == 1'798'848'000);  // 2027-01-02T00:00:00Z
  CHECK(rule.exemptions[0].owner == "ann");
  CHECK(StageOf(rule) == Stage::kCommand);
}

TEST_CASE("Rules stand in the order of the file") {
  const RulesRead read = ReadGood(RuleWith("") + "[[rule]]\nname = \"a\"\nthen = \"log\"\n" +
                                  "[[rule]]\nname = \"m\"\nthen = \"allow\"\n");
  REQUIRE(read.book->rules.size() == 3);
  CHECK(read.book->rules[0].name == "x");
  CHECK(read.book->rules[1].name == "a");
  CHECK(read.book->rules[2].name == "m");
}

TEST_CASE("Every action has its parameters") {
  const Rule limit = OnlyRule(
      RuleWith("then = \"limit\"\nsessions = 5\nper = \"client\"\nfull = \"end-oldest-idle\""));
  CHECK(limit.sessions == 5);
  CHECK(limit.per == Rule::Per::kClient);
  CHECK(limit.full == Rule::Full::kEndOldestIdle);
  CHECK(OnlyRule(RuleWith("then = \"delay\"\ndelay = \"2s\"")).delay == std::chrono::seconds(2));
  CHECK(OnlyRule(RuleWith("then = \"require-tls\"\nminimum = \"1.3\"")).minimum == TlsVersion::k13);
  const Rule hide =
      OnlyRule(RuleWith("then = \"hide\"\nmailboxes = 'Shared'\ncapabilities = \"idle\""));
  CHECK(hide.mailboxes.size() == 1);
  CHECK(hide.capabilities == std::vector<std::string>{"IDLE"});
  const Rule route = OnlyRule(RuleWith("then = \"route\"\npool = \"p\"\nbackend = \"b\""));
  CHECK(route.pool == "p");
  CHECK(route.backend == "b");
  CHECK(OnlyRule(RuleWith("then = \"rewrite-user\"\nif = { user = '(.*)@a' }\nto = '\\1@b'")).to ==
        "\\1@b");
}

TEST_CASE("Every mistake has its place and what would be right") {
  CHECK_THAT(OnlyError("rul = 1\n"),
             Contains("r.toml:1:1: unknown key \"rul\"") && Contains("did you mean \"rule\"?"));
  CHECK_THAT(OnlyError(RuleWith("txt = \"a\"")), Contains("2:1: unknown key \"txt\" in [[rule]]") &&
                                                     Contains("did you mean \"text\"?"));
  CHECK_THAT(OnlyError(RuleWith("if = { usr = \"a\" }")),
             Contains("2:8:") && Contains("did you mean \"user\"?"));
  CHECK_THAT(OnlyError(RuleWith("then = \"denny\"")), Contains("did you mean \"deny\"?"));
  CHECK_THAT(OnlyError(RuleWith("if = { command = \"FETC\" }")),
             Contains("2:18:") && Contains("FETCH"));
  CHECK_THAT(OnlyError(RuleWith("if = { user = \"(\" }")), Contains("2:15:"));
  CHECK_THAT(OnlyError(RuleWith("if = { user = 3 }")), Contains("must be text in quotes"));
  CHECK_THAT(OnlyError(RuleWith("if = { user = [] }")), Contains("is an empty list"));
  CHECK_THAT(OnlyError(RuleWith("if = 3")), Contains("must be a table"));
  CHECK_THAT(OnlyError(RuleWith("share = \"101%\"")), Contains("not a share"));
  CHECK_THAT(OnlyError(RuleWith("share = \"0%\"")), Contains("not a share"));
  CHECK_THAT(OnlyError(RuleWith("mode = \"test\"")), Contains("\"enforce\" or \"report\""));
  CHECK_THAT(OnlyError(RuleWith("delay = \"2s\"")),
             Contains("delay means nothing with then = \"deny\""));
  CHECK_THAT(OnlyError(RuleWith("text = \"a\\nb\"")), Contains("control characters"));
  CHECK_THAT(OnlyError("[[rule]]\nname = \"x\"\n"), Contains("1:1: [[rule]] has no then"));
  CHECK_THAT(OnlyError("[[rule]]\nthen = \"deny\"\n"), Contains("1:1: [[rule]] has no name"));
  CHECK_THAT(OnlyError("[rule]\nname = \"x\"\n"), Contains("write [[rule]]"));
  CHECK_THAT(OnlyError("= 3"), Contains("r.toml:1:") && Contains("this is not TOML"));
}

TEST_CASE("An action without what it needs is a mistake") {
  for (const char* action : {"route", "rewrite-user", "require-tls", "limit", "delay", "hide"}) {
    CAPTURE(action);
    CHECK_THAT(OnlyError(RuleWith("then = \"" + std::string(action) + "\"")), Contains("needs"));
  }
}

TEST_CASE("What cannot be is a mistake of the whole rule") {
  CHECK_THAT(OnlyError(RuleWith("then = \"route\"\npool = \"p\"\nif = { command = \"NOOP\" }")),
             Contains("r.toml:1:1: route"));
}

TEST_CASE("Exemptions are checked too") {
  CHECK_THAT(OnlyError(RuleWith("exempt = [{ user = \"a\", until = \"2027-01-01\" }]")),
             Contains("a date without quotes"));
  CHECK_THAT(OnlyError(RuleWith("exempt = [{ owner = \"a\" }]")), Contains("has no user"));
  CHECK_THAT(OnlyError(RuleWith("exempt = [{ user = \"a\", untill = 2027-01-01 }]")),
             Contains("did you mean \"until\"?"));
  CHECK_THAT(OnlyError(RuleWith("exempt = 3")), Contains("write [[rule.exempt]]"));
}

TEST_CASE("All mistakes are told at once, in the order of their places") {
  const ReadText out =
      Read(RuleWith("share = \"x\"\nmode = \"y\"\nif = { usr = \"a\", size = \"b\" }"));
  REQUIRE(out.errors.errors.size() == 4);
  CHECK_THAT(out.errors.errors[0], Contains("r.toml:2:9"));
  CHECK_THAT(out.errors.errors[1], Contains("r.toml:3:8"));
  CHECK_THAT(out.errors.errors[2], Contains("r.toml:4:8"));
  CHECK_THAT(out.errors.errors[3], Contains("r.toml:4:26"));
}

TEST_CASE("A name is given once") {
  CHECK_THAT(OnlyError(RuleWith("") + RuleWith("")),
             Contains("5:1: a second rule is named \"x\"; the first is at r.toml:1:1"));
}

TEST_CASE("Names of the configuration are known when there is one") {
  const Config config = ParseGood(kMinimal).config;
  CHECK_THAT(OnlyError(RuleWith("if = { listener = \"imap\" }"), &config),
             Contains("no listener is named \"imap\"; did you mean \"imaps\"?"));
  CHECK_THAT(OnlyError(RuleWith("if = { pool = \"legasy\" }"), &config),
             Contains("did you mean \"legacy\"?"));
  CHECK_THAT(OnlyError(RuleWith("then = \"route\"\npool = \"far\""), &config),
             Contains("no pool has this name"));
  CHECK_THAT(
      OnlyError(RuleWith("then = \"route\"\npool = \"legacy\"\nbackend = \"mail2\""), &config),
      Contains("did you mean \"mail1\"?"));
  CHECK(Read(RuleWith("if = { listener = \"IMAPS\" }"), &config).errors.errors.empty());
  CHECK(Read(RuleWith("if = { listener = \"any\", pool = \"any\" }")).errors.errors.empty());
}

TEST_CASE("Patterns that would take too much are refused at their place") {
  CHECK_THAT(OnlyError(RuleWith("if = { user = '((a{1,100}){1,100}){1,100}' }")),
             Contains("2:15:"));
  CHECK_THAT(OnlyError(RuleWith("if = { user = \"\xff\" }")), Contains("r.toml:2:"));
  ReadGood("");
}

TEST_CASE("A test is read whole") {
  const RulesRead read = ReadGood(R"([[test]]
name   = "t"
given  = { protocol = "POP3", listener = "l", client = "2001:db8::1", time = 2026-11-23T08:30:00+01:00, sni = "s", tls_version = "1.2", user = "u@d", mechanism = "plain", client_id = "Mail App 12.3", pool = "p", command = "RETR 1" }
expect = { then = "deny", rule = "r", also = "a", reports = [], pool = "p", backend = "b", user = "v" }
)");
  REQUIRE(read.tests.size() == 1);
  const Given& given = read.tests[0].given;
  CHECK(given.protocol == Protocol::kPop3);
  CHECK(given.client.HostText() == "2001:db8::1");
  CHECK(given.time == 1'795'419'000);
  CHECK(given.tls_version == TlsVersion::k12);
  CHECK(given.mechanism == Mechanism::kPlain);
  CHECK(given.client_name == "Mail App");
  CHECK(given.client_version == "12.3");
  CHECK(read.tests[0].expect.also == std::vector<std::string>{"a"});
  CHECK(read.tests[0].expect.reports == std::vector<std::string>{});
}

TEST_CASE("Mistakes of tests have places too") {
  const auto with = [](std::string_view given, std::string_view expect) {
    return "[[test]]\nname = \"t\"\ngiven = {" + std::string(given) + "}\nexpect = {" +
           std::string(expect) + "}\n";
  };
  CHECK_THAT(OnlyError(with("usr = \"a\"", "then = \"deny\"")), Contains("did you mean \"user\"?"));
  CHECK_THAT(OnlyError(with("domain = \"a\"", "then = \"deny\"")), Contains("write user ="));
  CHECK_THAT(OnlyError(with("mailbox = \"a\"", "then = \"deny\"")), Contains("write command ="));
  CHECK_THAT(OnlyError(with("client = \"a\"", "then = \"deny\"")), Contains("3:19: client"));
  CHECK_THAT(OnlyError(with("time = \"noon\"", "then = \"deny\"")), Contains("not a time"));
  CHECK_THAT(OnlyError(with("", "then = \"refuse\"")), Contains("no rule does this"));
  CHECK_THAT(OnlyError(with("", "rule = \"a\"")), Contains("4:10: expect has no then"));
  CHECK_THAT(OnlyError("[[test]]\nname = \"t\"\ngiven = {}\n"), Contains("has no expect"));
}

}  // namespace
}  // namespace postern
