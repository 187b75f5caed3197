#include "server/rule_trial.h"

#include <algorithm>

#include "postern/base/text.h"
#include "postern/imap/command.h"
#include "postern/pop3/command.h"
#include "postern/rules/explain.h"
#include "server/rule_session.h"

namespace postern {
namespace {

using Kind = TrialOutcome::Kind;
using Verdict = Decision::Verdict;

// What became of one command.
struct Tried {
  std::optional<TriedCommand> judged;
  bool passed = false;  // the backend has it
  Verdict verdict = Verdict::kNone;
  RuleId rule = kNoRule;  // that refused it, as far as the engine says
  std::vector<RuleId> hits, reports;
};

Tried Try(RuleSet* rules, const SessionFacts& facts, const std::string& line) {
  RuleSession session(rules, facts);
  session.LogIn({});
  RuleHost& host = session.host;
  session.Client(facts.protocol == Protocol::kImap ? "t " + line + "\r\n" : line + "\r\n");
  session.PauseOver();
  Tried tried;
  // The EXAMINE that takes a refused SELECT's place names no mailbox (DESIGN 2.3).
  tried.passed = !host.backend.empty() && host.backend != "t EXAMINE \"\"\r\n";
  tried.judged = host.judged;
  tried.verdict = host.verdict;
  tried.rule = host.verdict_rule != kNoRule ? host.verdict_rule : host.asked_text;
  tried.hits = host.hits;
  tried.reports = host.reports;
  return tried;
}

// Rules that ask for everything of every command and decide nothing.
std::shared_ptr<RuleSet> AskingRules() {
  auto book = std::make_shared<RuleBook>();
  for (const Fact fact : {Fact::kMailbox, Fact::kArgument}) {
    Rule rule;
    rule.name = FactName(fact);
    rule.action = Action::kLog;
    Result<FactValue> value = ParseFactValue(fact, "(?s).*");
    POSTERN_CHECK(value.ok());
    rule.conditions.push_back({fact, {std::move(value.value())}});
    book->rules.push_back(std::move(rule));
  }
  auto rules = RuleSet::Compile(std::move(book), {});
  POSTERN_CHECK(rules.ok());
  return rules.value();
}

void Note(const std::vector<RuleId>& from, std::vector<RuleId>& to) {
  for (const RuleId rule : from) {
    if (std::find(to.begin(), to.end(), rule) == to.end()) to.push_back(rule);
  }
  std::sort(to.begin(), to.end());
}

// As Decision has them: views that die at the next question.
std::vector<RuleId> Copy(std::span<const RuleId> rules) { return {rules.begin(), rules.end()}; }

}  // namespace

std::string_view OutcomeName(Kind kind) {
  switch (kind) {
    case Kind::kAllow:
      return "allow";
    case Kind::kDeny:
      return "deny";
    case Kind::kDisconnect:
      return "disconnect";
    case Kind::kRoute:
      return "route";
  }
  return {};
}

RuleTrial::RuleTrial(std::shared_ptr<RuleSet> rules, RuleNames names)
    : rules_(std::move(rules)), names_(std::move(names)) {}

Result<std::unique_ptr<RuleTrial>> RuleTrial::Make(std::shared_ptr<const RuleBook> book,
                                                   RuleNames names) {
  Result<std::shared_ptr<RuleSet>> rules = RuleSet::Compile(std::move(book), names);
  if (!rules.ok()) return rules.error();
  return std::unique_ptr<RuleTrial>(new RuleTrial(std::move(rules.value()), std::move(names)));
}

// Whoever says nothing of TLS means a session that has it: require-tls is not in the way.
Decision RuleTrial::Decide(Stage stage, SessionFacts facts, bool knows_tls) {
  const Decision decision = rules_->Decide(stage, facts);
  const auto is_tls = [&](RuleId rule) { return book().rules[rule].action == Action::kRequireTls; };
  const bool in_the_way = decision.verdict == Verdict::kTlsTooLow ||
                          std::any_of(decision.reports.begin(), decision.reports.end(), is_tls);
  if (knows_tls || !in_the_way) return decision;
  facts.tls_version = TlsVersion::k13;
  return rules_->Decide(stage, facts);
}

// False: it ends here.
bool RuleTrial::TryStages(const Given& given, SessionFacts& facts, TrialOutcome& outcome) {
  for (const Stage stage : {Stage::kConnection, Stage::kTls, Stage::kLogin}) {
    const Decision decision = Decide(stage, facts, given.tls_version.has_value());
    Note(Copy(decision.hits), outcome.hits);
    Note(Copy(decision.reports), outcome.reports);
    if (decision.refused()) {
      outcome.kind = decision.verdict == Verdict::kDisconnect ? Kind::kDisconnect : Kind::kDeny;
      outcome.rule = decision.verdict_rule;
      return false;
    }
    if (decision.verdict == Verdict::kAllow && outcome.rule == kNoRule) {
      outcome.rule = decision.verdict_rule;
    }
    if (decision.route != kNoRule) outcome.route = decision.route;
    if (decision.rewrite != kNoRule) outcome.rewrite = decision.rewrite;
  }
  return true;
}

void RuleTrial::TryCommand(const Given& given, const SessionFacts& facts, TrialOutcome& outcome) {
  const Tried tried = Try(rules_.get(), facts, given.command);
  Note(tried.hits, outcome.hits);
  Note(tried.reports, outcome.reports);
  const bool refused = tried.verdict == Verdict::kDeny || tried.verdict == Verdict::kDisconnect ||
                       tried.verdict == Verdict::kTlsTooLow;
  if (refused) {
    outcome.kind = tried.verdict == Verdict::kDisconnect ? Kind::kDisconnect : Kind::kDeny;
    outcome.rule = tried.rule;
    return;
  }
  // What the backend never has for want of rules is not refused by them.
  if (tried.passed || !Try(nullptr, facts, given.command).passed) return;
  outcome.kind = Kind::kDeny;
  outcome.rule = tried.rule;
  if (tried.rule == kNoRule) outcome.rule = HidingRule(given, facts);
}

// The first rule that, alone, keeps the command from the backend.
RuleId RuleTrial::HidingRule(const Given& given, const SessionFacts& facts) {
  const std::vector<Rule>& rules = book().rules;
  for (std::size_t i = 0; i < rules.size(); ++i) {
    if (rules[i].action != Action::kHide || rules[i].mode == Rule::Mode::kReport) continue;
    auto alone = std::make_shared<RuleBook>();
    alone->rules.push_back(rules[i]);
    const auto set = RuleSet::Compile(std::move(alone), names_);
    if (!set.ok() || Try(set.value().get(), facts, given.command).passed) continue;
    return static_cast<RuleId>(i);
  }
  return kNoRule;
}

// Rules that add up for the whole session and ask for its pool: no stage before the commands has
// them among its hits.
void RuleTrial::NoteSessionEffects(const SessionFacts& facts, TrialOutcome& outcome) {
  auto late = std::make_shared<RuleBook>();
  std::vector<RuleId> ids;
  for (std::size_t i = 0; i < book().rules.size(); ++i) {
    const Rule& rule = book().rules[i];
    const bool lasts = rule.action == Action::kReadOnly || rule.action == Action::kHide;
    if (!lasts || StageOf(rule) != Stage::kCommand) continue;
    late->rules.push_back(rule);
    ids.push_back(static_cast<RuleId>(i));
  }
  if (ids.empty()) return;
  for (const RuleVerdict& each : Explain(*late, names_, facts, nullptr)) {
    const RuleId id = ids[each.rule];
    if (each.took_effect) Note({id}, outcome.hits);
    const bool report = book().rules[id].mode == Rule::Mode::kReport;
    if (each.matched && report) Note({id}, outcome.reports);
  }
}

TrialOutcome RuleTrial::Run(const Given& given) {
  TrialOutcome outcome;
  SessionFacts facts = SessionFactsOf(given, names_);
  outcome.user = given.user;
  if (!TryStages(given, facts, outcome)) return outcome;
  if (outcome.rewrite != kNoRule) {
    outcome.user = rules_->RewriteUser(outcome.rewrite, given.user);
  }
  if (outcome.route != kNoRule && facts.pool == kNoPool) {
    Given routed;
    routed.pool = book().rules[outcome.route].pool;
    facts.pool = SessionFactsOf(routed, names_).pool;
  }
  if (facts.pool != kNoPool || !given.command.empty()) NoteSessionEffects(facts, outcome);
  if (!given.command.empty()) TryCommand(given, facts, outcome);
  if (outcome.kind == Kind::kAllow && outcome.route != kNoRule) {
    outcome.kind = Kind::kRoute;
    outcome.rule = outcome.route;
  }
  return outcome;
}

std::optional<TriedCommand> RuleTrial::Read(const Given& given) {
  if (given.command.empty()) return {};
  const std::shared_ptr<RuleSet> asking = AskingRules();
  const SessionFacts facts = SessionFactsOf(given, {});
  return Try(asking.get(), facts, given.command).judged;
}

}  // namespace postern
