#include <catch2/catch.hpp>
#include <string>

#include "unit/rules/rule_fixture.h"

namespace postern {
namespace {

std::string Complaint(const Rule& rule) { return CheckRule(rule).message(); }

bool Complains(const Rule& rule, std::string_view about) {
  INFO(Complaint(rule));
  return Complaint(rule).find(about) != std::string::npos;
}

Rule Limit(std::vector<Condition> conditions) {
  Rule rule = Make(Action::kLimit, std::move(conditions));
  rule.sessions = 3;
  return rule;
}

TEST_CASE("A rule's stage is the latest of what it asks and of what its action needs") {
  CHECK(StageOf(Make(Action::kDeny, {})) == Stage::kConnection);
  CHECK(StageOf(Make(Action::kDeny, {Where(Fact::kSni, "x")})) == Stage::kTls);
  CHECK(StageOf(Make(Action::kDeny, {Where(Fact::kSni, "x")}, {Where(Fact::kUser, "a")})) ==
        Stage::kLogin);
  CHECK(StageOf(Make(Action::kDeny, {Where(Fact::kPool, "new")})) == Stage::kCommand);
  CHECK(StageOf(Make(Action::kRequireTls, {})) == Stage::kTls);
  CHECK(StageOf(Make(Action::kRoute, {})) == Stage::kLogin);
  CHECK(StageOf(Make(Action::kRewriteUser, {})) == Stage::kLogin);
  Rule limit = Limit({});
  CHECK(StageOf(limit) == Stage::kLogin);
  limit.per = Rule::Per::kClient;
  CHECK(StageOf(limit) == Stage::kConnection);
  Rule shared = Make(Action::kDeny, {});
  shared.share = 500;
  CHECK(StageOf(shared) == Stage::kLogin);
  Rule exempting = Make(Action::kDeny, {});
  exempting.exemptions.push_back({Where(Fact::kUser, "a").any_of, 0, ""});
  CHECK(StageOf(exempting) == Stage::kLogin);
}

TEST_CASE("What is decided before the commands cannot ask for one") {
  Rule route = Make(Action::kRoute, {Where(Fact::kCommand, "SELECT")});
  route.pool = "new";
  CHECK(Complains(route, "route is decided at the login"));
  CHECK(Complains(Limit({Where(Fact::kMailbox, "x")}), "'mailbox'"));
  CHECK(Complains(Limit({Where(Fact::kPool, "new")}), "'pool' is known only after it"));
  CHECK(Complains(Make(Action::kReadOnly, {Where(Fact::kMailbox, "x")}), "for a whole session"));
  CHECK(Complains(Make(Action::kReadOnly, {}, {Where(Fact::kCommand, "NOOP")}), "'command'"));
  CHECK(CheckRule(Make(Action::kReadOnly, {Where(Fact::kPool, "new")})).ok());
  CHECK(CheckRule(Limit({Where(Fact::kUser, "x")})).ok());
}

TEST_CASE("Actions want their parameters") {
  CHECK(Complains(Make(Action::kRoute, {}), "`pool`"));
  CHECK(Complains(Make(Action::kLimit, {}), "`sessions`"));
  CHECK(Complains(Make(Action::kHide, {}), "`mailboxes` or `capabilities`"));
  CHECK(Complains(Make(Action::kDelay, {}), "`delay`"));
  Rule delay = Make(Action::kDelay, {});
  delay.delay = std::chrono::seconds(31);
  CHECK(Complains(delay, "30s"));
  delay.delay = std::chrono::seconds(30);
  CHECK(CheckRule(delay).ok());
  Rule tls = Make(Action::kRequireTls, {});
  tls.minimum = TlsVersion::kNone;
  CHECK(Complains(tls, "requires nothing"));
}

TEST_CASE("A new name takes only captures that there are") {
  Rule rewrite = Make(Action::kRewriteUser, {Where(Fact::kUser, {"(.*)@old", "(.*)@(.*)"})});
  CHECK(Complains(rewrite, "`to`"));
  rewrite.to = "\\1@new";
  CHECK(CheckRule(rewrite).ok());
  rewrite.to = "\\2@new";
  CHECK(Complains(rewrite, "'(.*)@old' has 1 captures"));
  rewrite.conditions.clear();
  CHECK(Complains(rewrite, "no `user`"));
  rewrite.to = "all";
  CHECK(CheckRule(rewrite).ok());
}

TEST_CASE("Rules that can never match are errors") {
  Rule none = Make(Action::kDeny, {});
  none.share = 0;
  CHECK(Complains(none, "nobody"));
  CHECK(Complains(Make(Action::kDeny, {Where(Fact::kTlsVersion, "<none")}), "never"));
  CHECK(Complains(Make(Action::kDeny, {Where(Fact::kTlsVersion, ">1.3")}), "never"));
  CHECK(Complains(Make(Action::kDeny, {Where(Fact::kSize, "<0")}), "never"));
  const Condition pop3 = Where(Fact::kProtocol, "pop3");
  CHECK(
      Complains(Make(Action::kDeny, {pop3, Where(Fact::kCommand, "FETCH")}), "no command of POP3"));
  CHECK(
      Complains(Make(Action::kDeny, {pop3, Where(Fact::kMailbox, "x")}), "POP3 has no 'mailbox'"));
  CHECK(Complains(Make(Action::kDeny, {Where(Fact::kCommand, "DELE"), Where(Fact::kMailbox, "x")}),
                  "no"));
  CHECK(CheckRule(Make(Action::kDeny, {pop3, Where(Fact::kCommand, "LIST")})).ok());
  const Condition user = Where(Fact::kUser, "ann");
  CHECK(Complains(Make(Action::kDeny, {user}, {user}), "never applies"));
  CHECK(CheckRule(Make(Action::kDeny, {user}, {user, pop3})).ok());
}

std::vector<std::string> Useless(std::vector<Rule> rules) {
  for (std::size_t i = 0; i < rules.size(); ++i) {
    rules[i].place = "a.toml:" + std::to_string(i + 1) + ":1";
  }
  return FindUselessRules(*BookOf(std::move(rules)));
}

TEST_CASE("A rule behind one that decides all of the same is named") {
  const Condition pop3 = Where(Fact::kProtocol, "pop3");
  const Condition both = Where(Fact::kProtocol, {"imap", "pop3"});
  const Condition inside = Where(Fact::kClient, "10.0.0.0/8");
  const auto found = Useless({Make(Action::kDeny, {both}), Make(Action::kAllow, {pop3, inside})});
  REQUIRE(found.size() == 1);
  CHECK(found[0].find("a.toml:2:1: rule 'allow' never decides: 'deny' (a.toml:1:1)") == 0);
  CHECK(Useless({Make(Action::kAllow, {pop3, inside}), Make(Action::kDeny, {both})}).empty());
  CHECK(Useless({Make(Action::kDeny, {pop3}), Make(Action::kAllow, {both})}).empty());
  CHECK(Useless({Make(Action::kDeny, {}), Make(Action::kLog, {})}).empty());
  CHECK(Useless({Make(Action::kDeny, {pop3}, {inside}), Make(Action::kDeny, {pop3})}).empty());
  Rule report = Make(Action::kDeny, {});
  report.mode = Rule::Mode::kReport;
  CHECK(Useless({report, Make(Action::kDeny, {pop3})}).empty());
}

TEST_CASE("A rule of a later stage than a refusal of all that it asks for is never reached") {
  const Condition pop3 = Where(Fact::kProtocol, "pop3");
  const Rule refusal = Make(Action::kDisconnect, {pop3});
  const Rule later = Make(Action::kLog, {pop3, Where(Fact::kUser, "ann")});
  const auto found = Useless({later, refusal});
  REQUIRE(found.size() == 1);
  CHECK(found[0].find("a.toml:1:1: rule 'log' is never reached") == 0);
  CHECK(Useless({Make(Action::kAllow, {Where(Fact::kClient, "10.0.0.0/8")}), refusal, later})
            .empty());
}

TEST_CASE("A rule whose commands never have what it asks for is named") {
  const Condition mailbox = Where(Fact::kMailbox, "INBOX");
  const Condition size = Where(Fact::kSize, ">1MiB");
  const auto of = [](std::initializer_list<std::string_view> verbs, const Condition& other) {
    return Useless({Make(Action::kDeny, {Where(Fact::kCommand, verbs), other})});
  };
  CHECK(of({"NOOP"}, mailbox).size() == 1);
  CHECK(of({"FETCH", "LIST"}, size).size() == 1);
  CHECK(of({"NOOP", "SELECT"}, mailbox).empty());
  CHECK(of({"APPEND"}, size).empty());
  CHECK(Useless({Make(Action::kDeny, {size})}).empty());
  CHECK(Useless({Make(Action::kDeny, {Where(Fact::kClientCert, "x")})}).size() == 1);
}

TEST_CASE("An allowance for all mailboxes does not hide a refusal of any") {
  const Condition shared = Where(Fact::kMailbox, "Shared");
  CHECK(Useless({Make(Action::kAllow, {shared}), Make(Action::kDeny, {shared})}).empty());
  CHECK(Useless({Make(Action::kDeny, {shared}), Make(Action::kAllow, {shared})}).size() == 1);
}

}  // namespace
}  // namespace postern
