#include "simulation/sim_rules.h"

#include <utility>

#include "postern/base/check.h"

namespace postern::testing {
namespace {

Condition Is(Fact fact, std::initializer_list<std::string> texts) {
  Condition condition;
  condition.fact = fact;
  for (const std::string& text : texts) {
    Result<FactValue> value = ParseFactValue(fact, text);
    POSTERN_CHECK(value.ok());
    condition.any_of.push_back(std::move(value.value()));
  }
  return condition;
}

Rule Make(Action action, std::vector<Condition> conditions) {
  Rule rule;
  rule.action = action;
  rule.conditions = std::move(conditions);
  rule.text = "so says the rule";
  return rule;
}

// Whom a rule is about: one user in some.
Condition SomeUsers(Random& random) {
  return Is(Fact::kUser, {".*" + std::to_string(random.Below(10))});
}

Condition SomeClients(Random& random) {
  return Is(
      Fact::kClient,
      {random.Pick<const char*>({"192.0.2.0/28", "192.0.2.128/25", "10.9.0.0/16", "10.8.0.0/17"})});
}

Rule ArrivalRule(Random& random) {
  Rule rule = Make(random.Pick({Action::kDeny, Action::kDisconnect, Action::kDelay, Action::kLimit,
                                Action::kLimit, Action::kLog, Action::kAllow}),
                   {SomeClients(random)});
  rule.per = Rule::Per::kClient;
  return rule;
}

Rule LoginRule(Random& random) {
  Rule rule = Make(random.Pick({Action::kDeny, Action::kDisconnect, Action::kDelay, Action::kLimit,
                                Action::kReadOnly, Action::kReadOnly, Action::kHide, Action::kHide,
                                Action::kRoute, Action::kLog, Action::kRequireTls}),
                   {SomeUsers(random)});
  if (rule.action == Action::kHide && random.Chance(50)) {
    rule.capabilities = {random.Pick<const char*>({"IDLE", "ENABLE", "UIDPLUS", "TOP"})};
  } else if (rule.action == Action::kHide) {
    rule.mailboxes = Is(Fact::kMailbox, {"a/b", "Sent mail"}).any_of;
  }
  if (rule.action == Action::kRoute) rule.pool = "pool";
  if (rule.action == Action::kRoute && random.Chance(50)) rule.backend = "mail1";
  if (random.Chance(20)) rule.conditions.push_back(Is(Fact::kMechanism, {"PLAIN", "USER"}));
  if (random.Chance(10)) rule.conditions.push_back(Is(Fact::kClientId, {"sim.*"}));
  return rule;
}

Rule CommandRule(Random& random) {
  Rule rule =
      Make(random.Pick({Action::kDeny, Action::kDeny, Action::kDeny, Action::kDelay, Action::kDelay,
                        Action::kDisconnect, Action::kLog, Action::kAllow}),
           {Is(Fact::kCommand,
               {random.Pick<const char*>({"FETCH", "SEARCH", "APPEND", "SELECT", "STATUS", "NOOP",
                                          "RETR", "LIST", "IDLE", "UIDL", "LOGOUT", "CREATE"})})});
  if (random.Chance(40)) rule.conditions.push_back(SomeUsers(random));
  if (random.Chance(30)) rule.conditions.push_back(Is(Fact::kMailbox, {"INBOX", ".*box"}));
  if (random.Chance(10)) rule.conditions.push_back(Is(Fact::kSize, {">1000"}));
  if (random.Chance(10)) rule.conditions.push_back(Is(Fact::kPool, {"pool"}));
  return rule;
}

void AddRule(RuleBook& book, Random& random, Rule rule) {
  rule.name = "rule " + std::to_string(book.rules.size());
  rule.delay = std::chrono::milliseconds(random.Pick<int>({1, 200, 3000}));
  rule.sessions = static_cast<std::uint32_t>(random.Between(1, 3));
  if (random.Chance(50)) rule.full = Rule::Full::kEndOldestIdle;
  if (random.Chance(10)) rule.mode = Rule::Mode::kReport;
  if (random.Chance(10)) rule.share = 5000;
  if (CheckRule(rule).ok()) book.rules.push_back(std::move(rule));
}

}  // namespace

SimRules::SimRules(Random& random, Sabotage sabotage)
    : any_(random.Chance(50)), sabotage_(sabotage) {
  if (any_ && random.Chance(50)) {
    forbidden_ = {random.Pick<const char*>({"STORE", "EXPUNGE", "APPEND", "DELETE", "FETCH"}),
                  random.Pick<const char*>({"DELE", "TOP", "RETR"})};
  }
}

std::shared_ptr<RuleSet> SimRules::Make(Random& random) const {
  auto book = std::make_shared<RuleBook>();
  for (const std::string& verb : forbidden_) {
    Rule rule = testing::Make(Action::kDeny, {Is(Fact::kCommand, {verb})});
    rule.name = "never " + verb;
    if (sabotage_ == Sabotage::kLostRule) continue;
    book->rules.push_back(std::move(rule));
  }
  const std::size_t count = any_ ? random.Below(8) : 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t kind = random.Below(10);
    AddRule(*book, random,
            kind < 2   ? ArrivalRule(random)
            : kind < 6 ? LoginRule(random)
                       : CommandRule(random));
  }
  auto set = RuleSet::Compile(book, {{"imap0", "imap1", "imap2", "imap3", "imap4", "pop30", "pop31",
                                      "pop32", "pop33", "pop34"},
                                     {"pool"}});
  POSTERN_CHECK(set.ok());
  return std::move(set.value());
}

void SimLookup::Ask(LookupQuestion question, std::function<void(LookupAnswer)> done) {
  auto answer = std::make_shared<LookupAnswer>();
  const bool good = question.password.Reveal().find("s3cret") != std::string_view::npos;
  const std::size_t kind = random_.Below(10);
  if (kind < 5) {
    answer->kind = LookupAnswer::Kind::kFound;
    answer->pool = 0;
  } else if (kind < 7 && !good) {
    answer->kind = LookupAnswer::Kind::kRefused;
    answer->text = "not with this password";
    answer->wait = std::chrono::seconds(random_.Below(4));
  } else if (kind < 8) {
    answer->kind = LookupAnswer::Kind::kUnavailable;
  }
  const Duration wait = std::chrono::milliseconds(random_.Pick<int>({0, 5, 400, 2000}));
  timeline_.After(wait, [answer, done = std::move(done)] { done(std::move(*answer)); });
}

}  // namespace postern::testing
