#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "postern/pop3/command.h"
#include "support/rule_set_tester.h"
#include "unit/rules/rule_fixture.h"

namespace postern {
namespace {

using imap::CommandKind;
using Verdict = Decision::Verdict;

Verdict Named(RuleSet& set, CommandKind kind, std::initializer_list<std::string_view> mailboxes) {
  Naming command(kind, mailboxes);
  return Judged(set, Ann(), command.facts());
}

std::shared_ptr<RuleSet> Failing(std::vector<Rule> rules) {
  CompileOptions options;
  options.matches_fail = true;
  return RuleSetTester::Compile(BookOf(std::move(rules)), TestNames(), options).value();
}

TEST_CASE("A session without a rule about it has nothing at all") {
  const auto set =
      SetOf({Make(Action::kDeny, {Where(Fact::kUser, "bob"), Where(Fact::kCommand, "NOOP")}),
             Make(Action::kReadOnly, {Where(Fact::kDomain, "archive")})});
  CHECK(set->For(Ann()) == nullptr);
  CHECK(SetOf({})->For(Ann()) == nullptr);
  CHECK(SetOf({})->empty());
}

TEST_CASE("Only the commands that a rule may match concern a session") {
  const auto set = SetOf({Make(Action::kDeny, {Where(Fact::kCommand, {"FETCH", "DELE"})}),
                          Make(Action::kDeny, {Where(Fact::kMailbox, "x")})});
  const auto rules = set->For(Ann());
  REQUIRE(rules != nullptr);
  CHECK(rules->Concerns(KindNumber(CommandKind::kFetch)));
  CHECK(rules->Concerns(KindNumber(CommandKind::kSelect)));
  CHECK(rules->Concerns(KindNumber(CommandKind::kCopy)));
  CHECK_FALSE(rules->Concerns(KindNumber(CommandKind::kNoop)));
  CHECK_FALSE(rules->Concerns(KindNumber(CommandKind::kStore)));
  CHECK(rules->AsksMailbox());
  CHECK_FALSE(rules->AsksArgument());
  SessionFacts pop3 = Ann();
  pop3.protocol = Protocol::kPop3;
  const auto of_pop3 = set->For(pop3);
  REQUIRE(of_pop3 != nullptr);
  CHECK(of_pop3->Concerns(static_cast<std::uint8_t>(pop3::CommandKind::kDele)));
  CHECK_FALSE(of_pop3->Concerns(static_cast<std::uint8_t>(pop3::CommandKind::kRetr)));
  CHECK_FALSE(of_pop3->AsksMailbox());
}

TEST_CASE("A rule about a pool is one about every command") {
  const auto set = SetOf({Make(Action::kDeny, {Where(Fact::kPool, "legacy")})});
  const auto rules = set->For(Ann());
  REQUIRE(rules != nullptr);
  for (std::size_t i = 0; i < imap::kCommandCount; ++i) {
    CHECK(rules->Concerns(static_cast<std::uint8_t>(i)));
  }
  SessionFacts elsewhere = Ann();
  elsewhere.pool = 1;
  CHECK(set->For(elsewhere) == nullptr);
  elsewhere.pool = kNoPool;
  CHECK(set->For(elsewhere) == nullptr);
}

TEST_CASE("Sessions for which the rules are the same share them") {
  const auto set = SetOf({Make(Action::kDeny, {Where(Fact::kCommand, "NOOP")})});
  SessionFacts bob = Ann();
  bob.user = "bob@new.example";
  const auto of_ann = set->For(Ann());
  CHECK(of_ann == set->For(bob));
  bob.protocol = Protocol::kPop3;
  CHECK(of_ann != set->For(bob));
  // A thousand sessions come and go.
  for (std::size_t i = 0; i < 1000; ++i) {
    const std::string user = "user" + std::to_string(i);
    bob.user = user;
    REQUIRE(set->For(bob) != nullptr);
  }
}

TEST_CASE("What concerns a session outlives the set's other owners") {
  auto set = SetOf({Make(Action::kHide, {})});
  Rule hide = Make(Action::kHide, {});
  hide.mailboxes = Where(Fact::kMailbox, "Secret").any_of;
  set = SetOf({hide});
  const auto rules = set->For(Ann());
  set.reset();
  CHECK(rules->HidesMailbox("Secret/child"));
}

TEST_CASE("No second mailbox and no spelling dodges a refusal") {
  const auto set = SetOf({Make(Action::kDeny, {Where(Fact::kMailbox, "Entw\xC3\xBCrfe")}),
                          Make(Action::kDeny, {Where(Fact::kMailbox, "inbox")})});
  for (const std::string_view name :
       {"Entw\xC3\xBCrfe", "Entw&APw-rfe", "Entw\xFCrfe", "Entw\xC3\xBCrfe/", "inbox", "InBoX"}) {
    CAPTURE(name);
    CHECK(Named(*set, CommandKind::kSelect, {name}) == Verdict::kDeny);
    CHECK(Named(*set, CommandKind::kRename, {"other", name}) == Verdict::kDeny);
    CHECK(Named(*set, CommandKind::kRename, {name, "other"}) == Verdict::kDeny);
  }
  CHECK(Named(*set, CommandKind::kSelect, {"Entwurfe"}) == Verdict::kNone);
  CHECK(Named(*set, CommandKind::kSelect, {"inboxes"}) == Verdict::kNone);
}

TEST_CASE("A name that is not UTF-8 does not open what is denied") {
  const auto set = SetOf({Make(Action::kDeny, {Where(Fact::kMailbox, "Secret.*")})});
  CHECK(Named(*set, CommandKind::kSelect, {"Secret\xFF"}) == Verdict::kDeny);
  CHECK(Named(*set, CommandKind::kSelect, {"Secret\n\xC3"}) == Verdict::kDeny);
}

TEST_CASE("More mailboxes than can be judged are refused where one might be") {
  const auto set = SetOf({Make(Action::kDeny, {Where(Fact::kMailbox, "Secret")})});
  const std::vector<std::string_view> names(5000, "x");
  Naming list(CommandKind::kList, {});
  list.facts().mailboxes = names;
  const auto rules = set->For(Ann());
  const Decision decision = set->Judge(*rules, list.facts());
  CHECK(decision.failed);
  CHECK(decision.verdict == Verdict::kDeny);
}

TEST_CASE("Unless lifts a refusal only when every mailbox is spared and an allowance wants all") {
  const auto deny = SetOf(
      {Make(Action::kDeny, {Where(Fact::kCommand, "RENAME")}, {Where(Fact::kMailbox, "Mine.*")})});
  CHECK(Named(*deny, CommandKind::kRename, {"Mine/a", "Mine/b"}) == Verdict::kNone);
  CHECK(Named(*deny, CommandKind::kRename, {"Mine/a", "b"}) == Verdict::kDeny);
  CHECK(Named(*deny, CommandKind::kRename, {}) == Verdict::kDeny);
  const auto allow = SetOf({Make(Action::kAllow, {Where(Fact::kMailbox, "Mine.*")}),
                            Make(Action::kDeny, {Where(Fact::kCommand, "RENAME")})});
  CHECK(Named(*allow, CommandKind::kRename, {"Mine/a", "Mine/b"}) == Verdict::kAllow);
  CHECK(Named(*allow, CommandKind::kRename, {"Mine/a", "b"}) == Verdict::kDeny);
}

TEST_CASE("Arguments sizes and times are those of the command") {
  const auto set =
      SetOf({Make(Action::kDeny,
                  {Where(Fact::kCommand, "STORE"), Where(Fact::kArgument, ".*\\\\Deleted.*")}),
             Make(Action::kDeny, {Where(Fact::kSize, ">10")}),
             Make(Action::kDeny,
                  {Where(Fact::kCommand, "NOOP"), Where(Fact::kTime, "Mon 13:00-14:00")})});
  Naming store(CommandKind::kStore, {});
  store.facts().argument = "1 +FLAGS (\\Deleted)";
  CHECK(Judged(*set, Ann(), store.facts()) == Verdict::kDeny);
  store.facts().argument = "1 +FLAGS (\\Seen)";
  CHECK(Judged(*set, Ann(), store.facts()) == Verdict::kNone);
  Naming append(CommandKind::kAppend, {"x"});
  CHECK(Judged(*set, Ann(), append.facts()) == Verdict::kNone);
  append.facts().size = 11;
  CHECK(Judged(*set, Ann(), append.facts()) == Verdict::kDeny);
  Naming noop(CommandKind::kNoop, {});
  CHECK(Judged(*set, Ann(), noop.facts()) == Verdict::kNone);
  noop.facts().time += 3600;
  CHECK(Judged(*set, Ann(), noop.facts()) == Verdict::kDeny);
}

TEST_CASE("Read-only holds from the stage on at which it is known") {
  Rule by_user = Make(Action::kReadOnly, {Where(Fact::kUser, "ann@.*")});
  const auto set = SetOf({by_user, Make(Action::kReadOnly, {Where(Fact::kPool, "new")})});
  CHECK(set->For(Ann())->read_only_rule() == 0);
  SessionFacts bob = Ann();
  bob.user = "bob";
  CHECK(set->For(bob) == nullptr);
  bob.pool = 1;
  CHECK(set->For(bob)->read_only_rule() == 1);
  const auto hits = [](const Decision& decision) {
    return std::vector<RuleId>(decision.hits.begin(), decision.hits.end());
  };
  CHECK(hits(set->Decide(Stage::kLogin, Ann())) == std::vector<RuleId>{0});
  CHECK(hits(set->Decide(Stage::kCommand, bob)) == std::vector<RuleId>{1});
  by_user.mode = Rule::Mode::kReport;
  CHECK(SetOf({by_user})->For(Ann()) == nullptr);
}

TEST_CASE("Hidden names are put together and their children hidden too") {
  Rule first = Make(Action::kHide, {});
  first.capabilities = {"IDLE", "MOVE"};
  first.mailboxes = Where(Fact::kMailbox, {"Shared", "[A-Z]+[.]x"}).any_of;
  Rule second = Make(Action::kHide, {Where(Fact::kUser, "ann@.*")});
  second.capabilities = {"MOVE", "ACL"};
  Rule other = Make(Action::kHide, {Where(Fact::kUser, "bob")});
  other.mailboxes = Where(Fact::kMailbox, "Bobs").any_of;
  const auto rules = SetOf({first, second, other})->For(Ann());
  REQUIRE(rules != nullptr);
  CHECK(rules->hidden_capabilities() == std::vector<std::string>{"ACL", "IDLE", "MOVE"});
  CHECK(rules->HidesCapability("acl"));
  CHECK_FALSE(rules->HidesCapability("ACLS"));
  for (const std::string_view name : {"Shared", "Shared/a", "Shared.a", "Shared\\a", "Shared/a/b",
                                      "Shared/", "ABC.x", "ABC.x/y", "/Shared"}) {
    CAPTURE(name);
    CHECK(rules->HidesMailbox(name));
  }
  for (const std::string_view name : {"SharedX", "a/Shared", "Bobs", "ABC.xy", "", "share"}) {
    CAPTURE(name);
    CHECK_FALSE(rules->HidesMailbox(name));
  }
}

TEST_CASE("A match that fails for want of memory closes what it might have closed") {
  const Condition user = Where(Fact::kUser, "a[n]n@.*");
  Rule hide = Make(Action::kHide, {});
  hide.mailboxes = Where(Fact::kMailbox, "S[e]cret").any_of;
  const auto set = Failing({Make(Action::kLog, {user}), Make(Action::kDisconnect, {user}), hide,
                            Make(Action::kReadOnly, {user}),
                            Make(Action::kDeny, {Where(Fact::kMailbox, "[x]")})});
  const Decision login = set->Decide(Stage::kLogin, Ann());
  CHECK(login.failed);
  CHECK(login.verdict == Verdict::kDeny);
  CHECK(login.verdict_rule == 1);
  CHECK(login.hits.empty());
  const auto rules = set->For(Ann());
  REQUIRE(rules != nullptr);
  CHECK(rules->read_only_rule() == 3);
  CHECK(rules->HidesMailbox("anything"));
  Naming select(CommandKind::kSelect, {"anything"});
  const Decision command = set->Judge(*rules, select.facts());
  CHECK(command.failed);
  CHECK(command.verdict_rule == 4);
}

TEST_CASE("A failed match undoes nothing that is certain") {
  const Condition user = Where(Fact::kUser, "a[n]n@.*");
  const Condition other = Where(Fact::kProtocol, "pop3");
  // Another condition says no; an earlier rule decides; a refusal behind a failed one stays.
  CHECK_FALSE(Failing({Make(Action::kDeny, {user, other})})->Decide(Stage::kLogin, Ann()).failed);
  const auto allowed =
      Failing({Make(Action::kAllow, {Where(Fact::kUser, "ann@.*")}), Make(Action::kDeny, {user})});
  CHECK(allowed->Decide(Stage::kLogin, Ann()).verdict == Verdict::kAllow);
  const auto unsure =
      Failing({Make(Action::kAllow, {user}), Make(Action::kDeny, {Where(Fact::kUser, "ann@.*")})});
  CHECK(unsure->Decide(Stage::kLogin, Ann()).verdict == Verdict::kDeny);
  // What is known of a session only in part stays so for its commands.
  const auto later = Failing({Make(Action::kDeny, {user, Where(Fact::kCommand, "NOOP")}),
                              Make(Action::kDeny, {Where(Fact::kCommand, "CHECK")}, {user})});
  Naming noop(CommandKind::kNoop, {});
  CHECK(Judged(*later, Ann(), noop.facts()) == Verdict::kDeny);
  Naming check(CommandKind::kCheck, {});
  CHECK(Judged(*later, Ann(), check.facts()) == Verdict::kDeny);
}

TEST_CASE("Too little memory to compile refuses the rules") {
  CompileOptions options;
  options.max_mem = 2000;
  const auto set = RuleSetTester::Compile(
      BookOf({Make(Action::kDeny, {Where(Fact::kUser, "(a|b){100}(c|d){100}")})}), TestNames(),
      options);
  REQUIRE_FALSE(set.ok());
  CHECK(set.error().message().find("need more memory") != std::string::npos);
}

}  // namespace
}  // namespace postern
