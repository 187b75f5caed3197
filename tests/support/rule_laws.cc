#include "support/rule_laws.h"

#include <memory>

#include "postern/base/check.h"
#include "postern/rules/explain.h"
#include "support/naive_rules.h"
#include "support/rule_worlds.h"

namespace postern::testing {
namespace {

constexpr std::size_t kSessions = 6;
constexpr std::size_t kCommandsEach = 8;

class World {
 public:
  World(std::shared_ptr<const RuleBook> book, RuleCensus& census)
      : book_(std::move(book)),
        naive_(*book_, WorldNames()),
        set_(RuleSet::Compile(book_, WorldNames()).value()),
        census_(census) {}

  void CheckSession(const SessionFacts& facts, Draw& draw) {
    for (const Stage stage : {Stage::kConnection, Stage::kTls, Stage::kLogin}) {
      CheckSame(set_->Decide(stage, facts), naive_.Decide(stage, facts));
    }
    CheckSame(set_->DecideById(facts), naive_.DecideById(facts));
    const std::shared_ptr<const SessionRules> rules = set_->For(facts);
    POSTERN_CHECK(rules == set_->For(facts));
    CheckEffects(rules.get(), facts, draw);
    DrawnCommand command;
    for (std::size_t i = 0; i < kCommandsEach; ++i) {
      DrawCommand(draw, facts.protocol, command);
      CheckCommand(rules.get(), facts, command.facts);
    }
  }

 private:
  void CheckSame(const Decision& decision, const NaiveDecision& naive) {
    POSTERN_CHECK(!decision.failed);
    POSTERN_CHECK(Plainly(decision) == naive);
    census_.hits += naive.hits.size();
    census_.reports += naive.reports.size();
    census_.refusals += decision.refused() ? 1 : 0;
  }

  void CheckEffects(const SessionRules* rules, const SessionFacts& facts, Draw& draw) {
    const RuleId read_only = naive_.ReadOnly(facts);
    POSTERN_CHECK((rules != nullptr ? rules->read_only_rule() : kNoRule) == read_only);
    census_.read_only += read_only != kNoRule ? 1 : 0;
    const auto hidden = naive_.HiddenCapabilities(facts);
    POSTERN_CHECK(rules != nullptr ? rules->hidden_capabilities() == hidden : hidden.empty());
    for (const std::string& name : hidden) POSTERN_CHECK(rules->HidesCapability(name));
    for (std::size_t i = 0; i < 3; ++i) {
      const std::string_view name = DrawMailbox(draw);
      const bool hides = naive_.HidesMailbox(facts, name);
      POSTERN_CHECK((rules != nullptr && rules->HidesMailbox(name)) == hides);
      census_.hidden += hides ? 1 : 0;
    }
  }

  void CheckCommand(const SessionRules* rules, const SessionFacts& facts,
                    const CommandFacts& command) {
    const NaiveDecision naive = naive_.Judge(facts, command);
    CheckExplained(facts, command, naive);
    if (rules == nullptr || !rules->Concerns(command.command)) {
      POSTERN_CHECK(naive.empty());
      ++census_.skipped;
      return;
    }
    ++census_.judged;
    CommandFacts gathered = command;
    if (!rules->AsksMailbox()) gathered.mailboxes = {};
    if (!rules->AsksArgument()) gathered.argument = {};
    CheckSame(set_->Judge(*rules, gathered), naive);
  }

  // What explain says of the command's rules is what is decided, if the session came so far.
  void CheckExplained(const SessionFacts& facts, const CommandFacts& command,
                      const NaiveDecision& naive) {
    std::vector<RuleId> effects;
    bool refused_before = false;
    for (const RuleVerdict& verdict : Explain(*book_, WorldNames(), facts, &command)) {
      POSTERN_CHECK(verdict.took_effect == verdict.why.empty());
      const Rule& rule = book_->rules[verdict.rule];
      const bool lasts = rule.action == Action::kReadOnly || rule.action == Action::kHide;
      const bool refuses = rule.action == Action::kDeny || rule.action == Action::kDisconnect ||
                           rule.action == Action::kRequireTls;
      if (verdict.stage != Stage::kCommand) {
        refused_before = refused_before || (refuses && verdict.took_effect);
      } else if (verdict.took_effect && !lasts) {
        effects.push_back(verdict.rule);
      }
    }
    POSTERN_CHECK(refused_before ? effects.empty() : effects == naive.hits);
  }

  std::shared_ptr<const RuleBook> book_;
  NaiveRules naive_;
  std::shared_ptr<RuleSet> set_;
  RuleCensus& census_;
};

}  // namespace

void CheckRuleWorld(std::string_view bytes, std::size_t most, RuleCensus& census) {
  Draw draw(bytes);
  auto book = std::make_shared<const RuleBook>(DrawBook(draw, most));
  census.rules += book->rules.size();
  FindUselessRules(*book);
  World world(book, census);
  for (std::size_t i = 0; i < kSessions; ++i) world.CheckSession(DrawSession(draw), draw);
}

}  // namespace postern::testing
