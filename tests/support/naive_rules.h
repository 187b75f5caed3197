// NaiveRules: what a rule book decides, rule by rule and pattern by pattern, as DESIGN 1.3 says it
// and in no other way. Slow and obvious; the measure for RuleSet.
#pragma once

#include <re2/re2.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "postern/rules/rule.h"
#include "postern/rules/rule_set.h"

namespace postern::testing {

struct NaiveDecision {
  Decision::Verdict verdict = Decision::Verdict::kNone;
  RuleId verdict_rule = kNoRule;
  RuleId route = kNoRule;
  RuleId rewrite = kNoRule;
  Duration delay{};
  std::vector<RuleId> hits;
  std::vector<RuleId> reports;

  bool empty() const { return hits.empty() && reports.empty(); }
  bool operator==(const NaiveDecision&) const = default;
};
// The same of a rule set's decision.
NaiveDecision Plainly(const Decision& decision);

class NaiveRules {
 public:
  NaiveRules(const RuleBook& book, const RuleNames& names) : book_(book), names_(names) {}

  // Not for kCommand.
  NaiveDecision Decide(Stage stage, const SessionFacts& facts);
  NaiveDecision DecideById(const SessionFacts& facts);
  NaiveDecision Judge(const SessionFacts& facts, const CommandFacts& command);
  // The first rule that makes the session read-only.
  RuleId ReadOnly(const SessionFacts& facts);
  std::vector<std::string> HiddenCapabilities(const SessionFacts& facts);
  bool HidesMailbox(const SessionFacts& facts, std::string_view name);

 private:
  bool Matches(const Rule& rule, const SessionFacts& facts, const CommandFacts* command);
  bool Holds(const Condition& condition, bool every, const SessionFacts& facts,
             const CommandFacts* command);
  bool Exempt(const Rule& rule, const SessionFacts& facts, std::int64_t time);
  bool AnyPattern(const std::vector<FactValue>& values, Fact fact, const std::string& text);
  bool Match(const std::string& pattern, Fact fact, const std::string& text);
  void Take(NaiveDecision& decision, RuleId id);
  bool InEffect(const Rule& rule, const SessionFacts& facts);

  const RuleBook& book_;
  const RuleNames& names_;
  std::map<std::pair<Fact, std::string>, std::unique_ptr<re2::RE2>> compiled_;
};

}  // namespace postern::testing
