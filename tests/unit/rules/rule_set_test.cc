#include "postern/rules/rule_set.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "postern/pop3/command.h"
#include "unit/rules/rule_fixture.h"

namespace postern {
namespace {

using imap::CommandKind;
using Verdict = Decision::Verdict;

std::vector<RuleId> Ids(std::span<const RuleId> ids) { return {ids.begin(), ids.end()}; }

TEST_CASE("Each slot goes to its first rule and the others add up") {
  Rule route = Make(Action::kRoute, {});
  route.pool = "new";
  Rule delay = Make(Action::kDelay, {Where(Fact::kUser, ".*")});
  delay.delay = std::chrono::seconds(20);
  const auto set = SetOf({Make(Action::kDeny, {Where(Fact::kUser, "bob.*")}), route, delay,
                          Make(Action::kAllow, {Where(Fact::kUser, "ann@.*")}), delay, route,
                          Make(Action::kDeny, {Where(Fact::kUser, ".*")}),
                          Make(Action::kLog, {Where(Fact::kDomain, "legacy\\.example")})});
  const Decision decision = set->Decide(Stage::kLogin, Ann());
  CHECK(decision.verdict == Verdict::kAllow);
  CHECK_FALSE(decision.refused());
  CHECK(decision.verdict_rule == 3);
  CHECK(decision.route == 1);
  CHECK(decision.rewrite == kNoRule);
  CHECK(decision.delay == std::chrono::seconds(30));
  CHECK(Ids(decision.hits) == std::vector<RuleId>{1, 2, 3, 4, 7});
}

TEST_CASE("An allowance ends its own stage only") {
  const auto set = SetOf({Make(Action::kAllow, {}), Make(Action::kDeny, {}),
                          Make(Action::kDeny, {Where(Fact::kUser, "ann@.*")})});
  CHECK(set->Decide(Stage::kConnection, Ann()).verdict == Verdict::kAllow);
  CHECK(set->Decide(Stage::kTls, Ann()).verdict == Verdict::kNone);
  CHECK(set->Decide(Stage::kLogin, Ann()).verdict == Verdict::kDeny);
}

TEST_CASE("Report mode takes no slot and has no effect") {
  Rule report = Make(Action::kDeny, {});
  report.mode = Rule::Mode::kReport;
  const auto set = SetOf({report, Make(Action::kAllow, {}), report});
  const Decision decision = set->Decide(Stage::kConnection, Ann());
  CHECK(decision.verdict == Verdict::kAllow);
  CHECK(Ids(decision.hits) == std::vector<RuleId>{1});
  CHECK(Ids(decision.reports) == std::vector<RuleId>{0});
}

TEST_CASE("TLS is required at the stage of TLS") {
  Rule rule = Make(Action::kRequireTls, {});
  rule.minimum = TlsVersion::k13;
  const auto set = SetOf({rule});
  SessionFacts facts = Ann();
  CHECK(set->Decide(Stage::kTls, facts).verdict == Verdict::kTlsTooLow);
  CHECK(set->Decide(Stage::kTls, facts).refused());
  facts.tls_version = TlsVersion::k13;
  CHECK(set->Decide(Stage::kTls, facts).verdict == Verdict::kNone);
  facts.tls_version = TlsVersion::kNone;
  CHECK(set->Decide(Stage::kTls, facts).verdict == Verdict::kTlsTooLow);
}

TEST_CASE("A missing fact meets no condition and lifts no rule") {
  const auto met = SetOf({Make(Action::kDeny, {Where(Fact::kSni, ".*")})});
  const auto lifted = SetOf({Make(Action::kDeny, {}, {Where(Fact::kSni, ".*")})});
  SessionFacts facts = Ann();
  CHECK(met->Decide(Stage::kTls, facts).verdict == Verdict::kDeny);
  CHECK(lifted->Decide(Stage::kTls, facts).verdict == Verdict::kNone);
  facts.sni = {};
  CHECK(met->Decide(Stage::kTls, facts).verdict == Verdict::kNone);
  CHECK(lifted->Decide(Stage::kTls, facts).verdict == Verdict::kDeny);
}

TEST_CASE("Users are matched whole and without ASCII case") {
  const auto set = SetOf({Make(Action::kDeny, {Where(Fact::kUser, "[a-c]nn@Legacy\\.example")})});
  const auto denied = [&set](std::string_view user) {
    SessionFacts facts = Ann();
    facts.user = user;
    return set->Decide(Stage::kLogin, facts).refused();
  };
  CHECK(denied("ann@legacy.example"));
  CHECK(denied("ANN@LEGACY.EXAMPLE"));
  CHECK_FALSE(denied("xann@legacy.example"));
  CHECK_FALSE(denied("ann@legacy.example.org"));
  CHECK_FALSE(denied("ann@legacyxexample"));
  // Look-alikes of letters in Unicode's folding.
  CHECK_FALSE(denied("ann@legacy.example\xE2\x84\xAA"));
}

TEST_CASE("Letters that only Unicode folds are not the same user") {
  const auto set = SetOf({Make(Action::kDeny, {Where(Fact::kUser, "k(s)?")})});
  SessionFacts facts = Ann();
  for (const std::string_view user : {"\xE2\x84\xAA", "k\xC5\xBF"}) {
    facts.user = user;
    CHECK_FALSE(set->Decide(Stage::kLogin, facts).refused());
  }
  facts.user = "KS";
  CHECK(set->Decide(Stage::kLogin, facts).refused());
}

TEST_CASE("A user who is too long to be matched is refused by rules that might refuse him") {
  const auto set = SetOf({Make(Action::kDeny, {Where(Fact::kUser, "ann")})});
  const std::string user(2000, 'a');
  SessionFacts facts = Ann();
  facts.user = user;
  const Decision decision = set->Decide(Stage::kLogin, facts);
  CHECK(decision.failed);
  CHECK(decision.verdict == Verdict::kDeny);
}

TEST_CASE("The domain follows the last at sign") {
  const auto set = SetOf({Make(Action::kDeny, {Where(Fact::kDomain, "b")})});
  SessionFacts facts = Ann();
  facts.user = "x@a@B";
  CHECK(set->Decide(Stage::kLogin, facts).refused());
  facts.user = "x@b@a";
  CHECK_FALSE(set->Decide(Stage::kLogin, facts).refused());
  facts.user = "b";
  CHECK_FALSE(set->Decide(Stage::kLogin, facts).refused());
}

TEST_CASE("A client's ID has three readings and rules about it are tried again") {
  const auto set = SetOf({Make(Action::kDeny, {Where(Fact::kClientId, "badmail/1\\..*")}),
                          Make(Action::kDeny, {Where(Fact::kUser, "ann@.*")})});
  SessionFacts facts = Ann();
  CHECK(set->For(facts)->AsksClientId());
  facts.client_name = "BadMail";
  CHECK(set->DecideById(facts).verdict == Verdict::kNone);
  facts.client_version = "1.5";
  CHECK(set->DecideById(facts).verdict_rule == 0);
  CHECK(set->For(facts) == nullptr);
  const auto spaced = SetOf({Make(Action::kDeny, {Where(Fact::kClientId, "badmail 1.5")})});
  CHECK(spaced->DecideById(facts).refused());
}

TEST_CASE("A share takes a stable slice that only grows") {
  std::size_t in = 0;
  for (std::size_t i = 0; i < 10'000; ++i) {
    const std::string user = "user" + std::to_string(i) + "@example.org";
    CHECK(ShareOf(user) < 10'000);
    in += ShareOf(user) < 500 ? 1 : 0;
  }
  CHECK(in > 400);
  CHECK(in < 600);
  CHECK(ShareOf("Ann@Example.ORG") == ShareOf("ann@example.org"));
  // The same on every machine and in every version.
  CHECK(ShareOf("ann@example.org") == 300);
  Rule rule = Make(Action::kDeny, {});
  rule.share = ShareOf(Ann().user);
  CHECK_FALSE(SetOf({rule})->Decide(Stage::kLogin, Ann()).refused());
  rule.share += 1;
  CHECK(SetOf({rule})->Decide(Stage::kLogin, Ann()).refused());
}

TEST_CASE("The exempt are spared until their day is over") {
  Rule rule = Make(Action::kDeny, {});
  rule.exemptions.push_back(
      {Where(Fact::kUser, ".*@legacy\\.example").any_of, Ann().time + 1, "ops"});
  const auto set = SetOf({rule, Make(Action::kDeny, {Where(Fact::kCommand, "NOOP")})});
  SessionFacts facts = Ann();
  CHECK_FALSE(set->Decide(Stage::kLogin, facts).refused());
  facts.time += 1;
  CHECK(set->Decide(Stage::kLogin, facts).refused());
  facts.time -= 1;
  facts.user = "bob@new.example";
  CHECK(set->Decide(Stage::kLogin, facts).refused());
}

TEST_CASE("An exemption ends in the middle of a session") {
  Rule rule = Make(Action::kDeny, {Where(Fact::kCommand, "NOOP")});
  rule.exemptions.push_back({Where(Fact::kUser, "ann@.*").any_of, Ann().time + 60, "ops"});
  const auto set = SetOf({rule});
  Naming noop(CommandKind::kNoop, {});
  CHECK(Judged(*set, Ann(), noop.facts()) == Verdict::kNone);
  noop.facts().time += 60;
  CHECK(Judged(*set, Ann(), noop.facts()) == Verdict::kDeny);
}

TEST_CASE("A user's new name is made of the captures in the case that was typed") {
  Rule rule = Make(Action::kRewriteUser, {Where(Fact::kUser, {"(x+)@y", "(.*)@(old)\\.example"})});
  rule.to = "\\1+\\2\\\\@new.example";
  const auto set = SetOf({rule});
  CHECK(set->RewriteUser(0, "Ann@OLD.example") == "Ann+OLD\\@new.example");
  CHECK(set->RewriteUser(0, "xx@Y") == "xx+\\@new.example");
  CHECK(set->RewriteUser(0, "bob") == "bob");
}

TEST_CASE("Names that are nowhere are errors with their place") {
  Condition pool = Where(Fact::kPool, "legcy");
  pool.any_of[0].place = "a.toml:3:8";
  const auto set = RuleSet::Compile(BookOf({Make(Action::kDeny, {pool})}), TestNames());
  REQUIRE_FALSE(set.ok());
  CHECK(set.error().message() ==
        "a.toml:3:8: nothing here is called 'legcy'; did you mean 'legacy'?");
}

TEST_CASE("The memory that is told grows with the rules and stays bounded") {
  std::vector<Rule> rules;
  for (std::size_t i = 0; i < 1000; ++i) {
    rules.push_back(
        Make(Action::kDeny, {Where(Fact::kUser, "[ab]x" + std::to_string(i) + "(y|z)*@.*")}));
  }
  const auto many = SetOf(rules);
  const auto one = SetOf({rules[0]});
  CHECK(one->memory() > 1'000'000);
  CHECK(many->memory() > one->memory());
  CHECK(many->memory() < 64'000'000);
}

}  // namespace
}  // namespace postern
