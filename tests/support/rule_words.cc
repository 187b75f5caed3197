#include "support/rule_words.h"

#include <algorithm>
#include <string>
#include <vector>

#include "postern/base/check.h"

namespace postern::testing {
namespace {

// Up to the next space outside apostrophes, which are left out.
std::string TakeWord(std::string_view& words) {
  std::string word;
  bool quoted = false;
  std::size_t i = 0;
  for (; i < words.size() && (quoted || words[i] != ' '); ++i) {
    if (words[i] == '\'') {
      quoted = !quoted;
    } else {
      word.push_back(words[i]);
    }
  }
  words.remove_prefix(std::min(i + 1, words.size()));
  return word;
}

FactValue Value(Fact fact, const std::string& text) {
  Result<FactValue> value = ParseFactValue(fact, text);
  POSTERN_CHECK(value.ok());
  value.value().place = "test:1:1";
  return std::move(value.value());
}

void AddCondition(std::vector<Condition>& conditions, std::string_view name,
                  const std::string& text) {
  const std::optional<Fact> fact = FindFact(name);
  POSTERN_CHECK(fact);
  const auto same = [&](const Condition& condition) { return condition.fact == *fact; };
  auto found = std::find_if(conditions.begin(), conditions.end(), same);
  if (found == conditions.end()) found = conditions.insert(found, Condition{*fact, {}});
  found->any_of.push_back(Value(*fact, text));
}

bool SetParameter(Rule& rule, std::string_view name, const std::string& text) {
  if (name == "name") {
    rule.name = text;
  } else if (name == "text") {
    rule.text = text;
  } else if (name == "mode") {
    rule.mode = text == "report" ? Rule::Mode::kReport : Rule::Mode::kEnforce;
  } else if (name == "delay") {
    rule.delay = std::chrono::seconds(std::stoi(text));
  } else if (name == "minimum") {
    rule.minimum = *FindTlsVersion(text);
  } else if (name == "mailboxes") {
    rule.mailboxes.push_back(Value(Fact::kMailbox, text));
  } else if (name == "capabilities") {
    rule.capabilities.push_back(text);
  } else {
    return false;
  }
  return true;
}

}  // namespace

Rule RuleInWords(std::string_view words) {
  Rule rule;
  rule.place = "test:1:1";
  const std::string then = TakeWord(words);
  const std::optional<Action> action = FindAction(then);
  POSTERN_CHECK(action);
  rule.action = *action;
  rule.name = then;
  while (!words.empty()) {
    const std::string word = TakeWord(words);
    const std::size_t equals = word.find('=');
    POSTERN_CHECK(equals != word.npos);
    const std::string_view name = std::string_view(word).substr(0, equals);
    const std::string text = word.substr(equals + 1);
    if (SetParameter(rule, name, text)) continue;
    if (name.starts_with("unless.")) {
      AddCondition(rule.unless, name.substr(7), text);
    } else {
      AddCondition(rule.conditions, name, text);
    }
  }
  return rule;
}

}  // namespace postern::testing
