#include "server/rule_tests.h"

#include <fmt/format.h>

#include <algorithm>

#include "postern/base/text.h"
#include "server/config_values.h"
#include "server/rule_trial.h"

namespace postern {
namespace {

using Kind = TrialOutcome::Kind;

bool AddsUp(Action action) {
  return action == Action::kLimit || action == Action::kDelay || action == Action::kReadOnly ||
         action == Action::kHide || action == Action::kLog;
}

void AddName(std::vector<std::string>& names, const std::string& name) {
  const bool known = std::any_of(names.begin(), names.end(),
                                 [&](const std::string& each) { return EqualsNoCase(each, name); });
  if (!name.empty() && !known) names.push_back(name);
}

// One test and what came of it.
class Verifier {
 public:
  Verifier(const RuleBook& book, const RuleTest& test, const TrialOutcome& outcome)
      : book_(book), test_(test), expect_(test.expect), outcome_(outcome) {}
  // Empty when all is as expected.
  std::string Failure() const;

 private:
  const std::string& NameOf(RuleId rule) const { return book_.rules[rule].name; }
  bool Refused() const {
    return outcome_.kind == Kind::kDeny || outcome_.kind == Kind::kDisconnect;
  }
  bool ThenHolds() const;
  // The rule of the expected action that took effect without refusing; any when no rule is named.
  bool HasHit(Action action) const;
  std::vector<std::string> Also() const;
  std::string Got() const;
  std::string Wanted() const;

  const RuleBook& book_;
  const RuleTest& test_;
  const RuleTest::Expectation& expect_;
  const TrialOutcome& outcome_;
};

bool Verifier::HasHit(Action action) const {
  return std::any_of(outcome_.hits.begin(), outcome_.hits.end(), [&](RuleId rule) {
    return book_.rules[rule].action == action &&
           (expect_.rule.empty() || NameOf(rule) == expect_.rule);
  });
}

bool Verifier::ThenHolds() const {
  const bool rule_holds =
      expect_.rule.empty() || (outcome_.rule != kNoRule && NameOf(outcome_.rule) == expect_.rule);
  if (expect_.then == OutcomeName(outcome_.kind)) return rule_holds;
  // The action of the rule that refused, where it has another name: require-tls, read-only, hide.
  const Action action = FindAction(expect_.then).value_or(Action::kAllow);
  if (Refused()) {
    return rule_holds && outcome_.rule != kNoRule && book_.rules[outcome_.rule].action == action;
  }
  return (AddsUp(action) || action == Action::kRewriteUser) && HasHit(action);
}

std::vector<std::string> Verifier::Also() const {
  std::vector<std::string> names;
  for (const RuleId rule : outcome_.hits) {
    if (AddsUp(book_.rules[rule].action) && rule != outcome_.rule) names.push_back(NameOf(rule));
  }
  return names;
}

// All that are wanted are there; an empty list wants none at all.
bool Holds(const std::optional<std::vector<std::string>>& wanted,
           const std::vector<std::string>& names) {
  if (!wanted || wanted->empty()) return !wanted || names.empty();
  return std::all_of(wanted->begin(), wanted->end(), [&](const std::string& each) {
    return std::find(names.begin(), names.end(), each) != names.end();
  });
}

std::string ListOf(std::vector<std::string> names) {
  std::sort(names.begin(), names.end());
  return ListText(names);
}

std::string Verifier::Got() const {
  std::string text = fmt::format("then = \"{}\"", OutcomeName(outcome_.kind));
  if (outcome_.rule != kNoRule) text += ", rule = " + TomlQuote(NameOf(outcome_.rule));
  if (outcome_.route != kNoRule && !Refused()) {
    const Rule& route = book_.rules[outcome_.route];
    text += ", pool = " + TomlQuote(route.pool);
    if (!route.backend.empty()) text += ", backend = " + TomlQuote(route.backend);
  }
  if (outcome_.rewrite != kNoRule) text += ", user = " + TomlQuote(outcome_.user);
  if (!Also().empty() || expect_.also) text += ", also = " + ListOf(Also());
  std::vector<std::string> reports;
  for (const RuleId rule : outcome_.reports) reports.push_back(NameOf(rule));
  if (!reports.empty() || expect_.reports) text += ", reports = " + ListOf(reports);
  return text;
}

std::string Verifier::Wanted() const {
  std::string text = fmt::format("then = \"{}\"", expect_.then);
  const auto add = [&](std::string_view key, const std::string& value) {
    if (!value.empty()) text += fmt::format(", {} = {}", key, TomlQuote(value));
  };
  add("rule", expect_.rule);
  add("pool", expect_.pool);
  add("backend", expect_.backend);
  add("user", expect_.user);
  if (expect_.also) text += ", also = " + ListOf(*expect_.also);
  if (expect_.reports) text += ", reports = " + ListOf(*expect_.reports);
  return text;
}

std::string Verifier::Failure() const {
  static const Rule kNone;
  const Rule& route = outcome_.route == kNoRule || Refused() ? kNone : book_.rules[outcome_.route];
  std::vector<std::string> reports;
  for (const RuleId rule : outcome_.reports) reports.push_back(NameOf(rule));
  const bool good = ThenHolds() &&  //
                    (expect_.pool.empty() || expect_.pool == route.pool) &&
                    (expect_.backend.empty() || expect_.backend == route.backend) &&
                    (expect_.user.empty() || expect_.user == outcome_.user) &&
                    Holds(expect_.also, Also()) && Holds(expect_.reports, reports);
  if (good) return {};
  return fmt::format("{}: test {} fails: expected {}; got {}", test_.place, TomlQuote(test_.name),
                     Wanted(), Got());
}

}  // namespace

RuleNames NamesIn(const RulesRead& read) {
  RuleNames names;
  const auto add = [&](const std::vector<Condition>& conditions) {
    for (const Condition& condition : conditions) {
      if (condition.fact != Fact::kListener && condition.fact != Fact::kPool) continue;
      for (const FactValue& value : condition.any_of) {
        AddName(condition.fact == Fact::kListener ? names.listeners : names.pools, value.text);
      }
    }
  };
  for (const Rule& rule : read.book->rules) {
    add(rule.conditions);
    add(rule.unless);
    AddName(names.pools, rule.pool);
  }
  for (const RuleTest& test : read.tests) {
    AddName(names.listeners, test.given.listener);
    AddName(names.pools, test.given.pool);
  }
  return names;
}

std::vector<std::string> RunRuleTests(const RulesRead& read) {
  std::vector<std::string> failures;
  const auto trial = RuleTrial::Make(read.book, NamesIn(read));
  if (!trial.ok()) return {trial.error().message()};
  for (const RuleTest& test : read.tests) {
    const TrialOutcome outcome = trial.value()->Run(test.given);
    std::string failure = Verifier(*read.book, test, outcome).Failure();
    if (!failure.empty()) failures.push_back(std::move(failure));
  }
  return failures;
}

}  // namespace postern
