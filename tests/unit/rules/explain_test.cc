#include "postern/rules/explain.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "unit/rules/rule_fixture.h"

namespace postern {
namespace {

std::vector<RuleVerdict> Explained(std::vector<Rule> rules, const SessionFacts& facts,
                                   const CommandFacts* command = nullptr) {
  return Explain(*BookOf(std::move(rules)), TestNames(), facts, command);
}

std::string WhyNot(Rule rule, const SessionFacts& facts = Ann(),
                   const CommandFacts* command = nullptr) {
  const auto verdicts = Explained({std::move(rule)}, facts, command);
  REQUIRE(verdicts.size() == 1);
  CHECK(verdicts[0].matched == verdicts[0].why.empty());
  return verdicts[0].why;
}

TEST_CASE("The first condition that does not hold is named") {
  CHECK(WhyNot(Make(Action::kDeny, {Where(Fact::kUser, {".*@a", "bob"})})) ==
        "user is ann@legacy.example, not .*@a or bob");
  CHECK(WhyNot(Make(Action::kDeny, {Where(Fact::kClient, "10.0.0.0/8")})) ==
        "client is 192.0.2.7, not 10.0.0.0/8");
  CHECK(WhyNot(Make(Action::kDeny, {Where(Fact::kTlsVersion, "<1.2")})) ==
        "tls_version is 1.2, not <1.2");
  CHECK(WhyNot(Make(Action::kDeny, {Where(Fact::kListener, "pop3s")})) ==
        "listener is imaps, not pop3s");
  CHECK(WhyNot(Make(Action::kDeny, {Where(Fact::kTime, "Sat,Sun")})) ==
        "time is 2026-11-23 12:00 UTC, not Sat,Sun");
  CHECK(WhyNot(Make(Action::kDeny, {Where(Fact::kMechanism, "LOGIN")})) ==
        "mechanism is PLAIN, not LOGIN");
}

TEST_CASE("What is not known is said") {
  SessionFacts facts;
  CHECK(WhyNot(Make(Action::kDeny, {Where(Fact::kClient, "10.0.0.0/8")}), facts) ==
        "client is not known");
  CHECK(WhyNot(Make(Action::kDeny, {Where(Fact::kTime, "Mon")}), facts) == "time is not known");
  CHECK(WhyNot(Make(Action::kDeny, {Where(Fact::kPool, "new")}), facts) ==
        "it is about commands, and none is given");
  Naming noop(imap::CommandKind::kNoop, {});
  CHECK(WhyNot(Make(Action::kDeny, {Where(Fact::kMailbox, "x")}), Ann(), &noop.facts()) ==
        "mailbox is not known");
  CHECK(WhyNot(Make(Action::kReadOnly, {Where(Fact::kPool, "new")})) == "pool is legacy, not new");
}

TEST_CASE("Exceptions of every kind are named") {
  CHECK(WhyNot(Make(Action::kDeny, {}, {Where(Fact::kSni, "imap\\..*")})) ==
        "unless lifts it: sni is imap.example");
  Rule tls = Make(Action::kRequireTls, {});
  CHECK(WhyNot(tls) == "tls_version is 1.2, which is enough");
  Rule shared = Make(Action::kDeny, {});
  shared.share = 1;
  CHECK(WhyNot(shared).find("user is outside the share of 0.01%") == 0);
  Rule exempting = Make(Action::kDeny, {});
  exempting.exemptions.push_back(
      {Where(Fact::kUser, "ann@.*").any_of, Ann().time + 12 * 3600, "ops"});
  CHECK(WhyNot(exempting) == "user is exempt until 2026-11-24 00:00 UTC, says ops");
}

TEST_CASE("Rules that match without effect say why") {
  Rule report = Make(Action::kDeny, {});
  report.mode = Rule::Mode::kReport;
  Naming noop(imap::CommandKind::kNoop, {});
  const auto verdicts = Explained({report, Make(Action::kAllow, {}), Make(Action::kDeny, {}),
                                   Make(Action::kDeny, {Where(Fact::kUser, ".*")}),
                                   Make(Action::kDeny, {Where(Fact::kCommand, "NOOP")})},
                                  Ann(), &noop.facts());
  REQUIRE(verdicts.size() == 5);
  CHECK(verdicts[0].why == "its mode is report: it only counts");
  CHECK(verdicts[1].took_effect);
  CHECK(verdicts[2].why == "an earlier rule already decided this stage: 'allow'");
  CHECK(verdicts[2].matched);
  CHECK(verdicts[3].took_effect);
  CHECK(verdicts[3].stage == Stage::kLogin);
  CHECK(verdicts[4].why == "the session was refused at the stage login by 'deny'");
}

TEST_CASE("Rules are told stage by stage") {
  const auto verdicts = Explained({Make(Action::kDeny, {Where(Fact::kUser, "x")}),
                                   Make(Action::kDeny, {Where(Fact::kClient, "10.0.0.0/8")})},
                                  Ann());
  REQUIRE(verdicts.size() == 2);
  CHECK(verdicts[0].rule == 1);
  CHECK(verdicts[1].rule == 0);
}

}  // namespace
}  // namespace postern
