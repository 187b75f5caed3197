#include "postern/rules/explain.h"

#include <algorithm>
#include <array>

#include "rules/fact_words.h"
#include "rules/ruling.h"

namespace postern {
namespace {

std::string ValuesText(const std::vector<FactValue>& values) {
  std::string out;
  for (const FactValue& value : values) out.append(out.empty() ? "" : " or ").append(value.text);
  return out;
}

std::string Percent(std::uint32_t hundredths) {
  std::string text = std::to_string(hundredths / 100);
  const std::uint32_t rest = hundredths % 100;
  if (rest != 0) text += (rest < 10 ? ".0" : ".") + std::to_string(rest);
  return text + "%";
}

bool Lasts(const Rule& rule) {
  return rule.action == Action::kReadOnly || rule.action == Action::kHide;
}

// Why the rule does not match; empty when it does.
class Doubts {
 public:
  Doubts(const FactWords& words, const SessionFacts& facts, bool command)
      : words_(words), facts_(facts), command_(command) {}

  std::string Of(const Rule& rule) const {
    if (StageOf(rule) == Stage::kCommand && !command_ && !Lasts(rule)) {
      return "it is about commands, and none is given";
    }
    for (const auto doubt : {&Doubts::OfConditions, &Doubts::OfTls, &Doubts::OfUnless,
                             &Doubts::OfShare, &Doubts::OfExemptions}) {
      std::string why = (this->*doubt)(rule);
      if (!why.empty()) return why;
    }
    return {};
  }

 private:
  std::string OfConditions(const Rule& rule) const {
    for (const Condition& condition : rule.conditions) {
      const std::string name(FactName(condition.fact));
      if (!words_.Known(condition.fact)) return name + " is not known";
      if (words_.Holds(condition, rule.action == Action::kAllow)) continue;
      return name + " is " + words_.Text(condition.fact) + ", not " + ValuesText(condition.any_of);
    }
    return {};
  }

  std::string OfTls(const Rule& rule) const {
    if (rule.action != Action::kRequireTls || facts_.tls_version < rule.minimum) return {};
    return "tls_version is " + words_.Text(Fact::kTlsVersion) + ", which is enough";
  }

  std::string OfUnless(const Rule& rule) const {
    std::string facts;
    for (const Condition& condition : rule.unless) {
      if (!words_.Holds(condition, rule.action != Action::kAllow)) return {};
      facts += (facts.empty() ? "" : " and ") + std::string(FactName(condition.fact)) + " is " +
               words_.Text(condition.fact);
    }
    return facts.empty() ? facts : "unless lifts it: " + facts;
  }

  std::string OfShare(const Rule& rule) const {
    if (rule.share >= 10'000) return {};
    if (facts_.user.empty()) return "user is not known";
    const std::uint32_t at = ShareOf(facts_.user);
    if (at < rule.share) return {};
    return "user is outside the share of " + Percent(rule.share) + ": would be in from " +
           Percent(at + 1) + " on";
  }

  std::string OfExemptions(const Rule& rule) const {
    for (const Exemption& exemption : rule.exemptions) {
      if (exemption.until != 0 && words_.time() >= exemption.until) continue;
      if (!words_.UserMatches(exemption.users)) continue;
      return "user is exempt" +
             (exemption.until == 0 ? "" : " until " + TimeText(exemption.until)) +
             (exemption.owner.empty() ? "" : ", says " + exemption.owner);
    }
    return {};
  }

  const FactWords& words_;
  const SessionFacts& facts_;
  bool command_;
};

// What was decided so far.
class Course {
 public:
  explicit Course(const RuleBook& book) : book_(book) {}

  void BeginStage(Stage stage) {
    if (refusal_ == kNoRule && decision_.refused()) {
      refusal_ = decision_.verdict_rule;
      refused_at_ = stage_;
    }
    stage_ = stage;
    decision_ = {};
  }

  // Fills in whether a rule that matches takes effect, or why not.
  void Take(RuleVerdict& verdict) {
    const Rule& rule = book_.rules[verdict.rule];
    if (refusal_ != kNoRule) {
      verdict.why = "the session was refused at the stage " + std::string(StageName(refused_at_)) +
                    " by '" + book_.rules[refusal_].name + "'";
      return;
    }
    const RuleId before = Slot(rule.action);
    if (before != kNoRule) {
      verdict.why =
          "an earlier rule already decided this stage: '" + book_.rules[before].name + "'";
      return;
    }
    if (rule.mode == Rule::Mode::kReport) {
      verdict.why = "its mode is report: it only counts";
      return;
    }
    verdict.took_effect = true;
    Fill(rule.action, verdict.rule);
  }

 private:
  RuleId Slot(Action action) const {
    if (action == Action::kRoute) return decision_.route;
    if (action == Action::kRewriteUser) return decision_.rewrite;
    return VerdictOf(action) == Decision::Verdict::kNone ? kNoRule : decision_.verdict_rule;
  }

  void Fill(Action action, RuleId id) {
    if (action == Action::kRoute) decision_.route = id;
    if (action == Action::kRewriteUser) decision_.rewrite = id;
    if (VerdictOf(action) == Decision::Verdict::kNone) return;
    decision_.verdict = VerdictOf(action);
    decision_.verdict_rule = id;
  }

  const RuleBook& book_;
  Stage stage_ = Stage::kConnection;
  Stage refused_at_ = Stage::kConnection;
  Decision decision_;
  RuleId refusal_ = kNoRule;
};

}  // namespace

std::vector<RuleVerdict> Explain(const RuleBook& book, const RuleNames& names,
                                 const SessionFacts& facts, const CommandFacts* command) {
  const FactWords words(names, facts, command);
  const Doubts doubts(words, facts, command != nullptr);
  Course course(book);
  std::vector<RuleVerdict> verdicts;
  for (const Stage stage : {Stage::kConnection, Stage::kTls, Stage::kLogin, Stage::kCommand}) {
    course.BeginStage(stage);
    for (std::size_t i = 0; i < book.rules.size(); ++i) {
      if (StageOf(book.rules[i]) != stage) continue;
      RuleVerdict verdict;
      verdict.rule = static_cast<RuleId>(i);
      verdict.stage = stage;
      verdict.why = doubts.Of(book.rules[i]);
      verdict.matched = verdict.why.empty();
      if (verdict.matched) course.Take(verdict);
      verdicts.push_back(std::move(verdict));
    }
  }
  return verdicts;
}

}  // namespace postern
