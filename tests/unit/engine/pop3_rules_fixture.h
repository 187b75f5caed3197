// RuledVisit: a POP3 visit that lives by rules, and short words for rules.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pop3_fixture.h"

namespace postern::testing {

inline FactValue ValueOf(Fact fact, std::string_view text) {
  Result<FactValue> value = ParseFactValue(fact, text);
  POSTERN_CHECK(value.ok());
  return std::move(value.value());
}

// Conditions as in a rule file: {"command", "DELE"}.
struct Given {
  std::string_view fact, value;
};

inline Rule MakeRule(std::string name, Action action, std::initializer_list<Given> given = {},
                     std::string text = {}) {
  Rule rule;
  rule.name = std::move(name);
  rule.action = action;
  rule.text = std::move(text);
  for (const Given& one : given) {
    const Fact fact = *FindFact(one.fact);
    rule.conditions.push_back({fact, {ValueOf(fact, one.value)}});
  }
  return rule;
}

inline Rule DelayOf(std::string name, std::initializer_list<Given> given, Duration delay) {
  Rule rule = MakeRule(std::move(name), Action::kDelay, given);
  rule.delay = delay;
  return rule;
}

inline Rule Hiding(std::vector<std::string> capabilities) {
  Rule rule = MakeRule("hide", Action::kHide, {{"protocol", "pop3"}});
  rule.capabilities = std::move(capabilities);
  return rule;
}

inline Rule ReadOnly() {
  return MakeRule("keep", Action::kReadOnly, {{"protocol", "pop3"}}, "nothing is changed here");
}

// As a reload does it.
inline void UsePop3Rules(FakeHost& host, std::vector<Rule> rules) {
  host.rule_facts.protocol = Protocol::kPop3;
  host.rule_facts.user = "bob";
  host.rule_facts.pool = 0;
  host.UseRules(std::move(rules));
}

class RuledVisit : public Pop3Visit {
 public:
  explicit RuledVisit(std::vector<Rule> rules) { Use(std::move(rules)); }
  void Use(std::vector<Rule> rules) { UsePop3Rules(host, std::move(rules)); }
};

}  // namespace postern::testing
