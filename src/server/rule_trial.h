// RuleTrial: what a rule book comes to for an imagined session. The stages are decided by a real
// rule set and the command goes through a real engine, so that a trial cannot differ from what
// sessions get. Owns nothing outside; one thread at a time.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "postern/base/status.h"
#include "postern/rules/rule_set.h"
#include "server/given.h"

namespace postern {

struct TrialOutcome {
  enum class Kind : std::uint8_t { kAllow, kDeny, kDisconnect, kRoute };
  Kind kind = Kind::kAllow;
  // Which refused, or routed, or allowed; kNoRule: none said anything.
  RuleId rule = kNoRule;
  RuleId route = kNoRule;
  RuleId rewrite = kNoRule;
  // All that took effect up to there, in file order: also the above, and those that add up.
  std::vector<RuleId> hits;
  std::vector<RuleId> reports;
  std::string user;  // for lookups and the backend: after rewriting
};
// "allow", "deny", "disconnect", "route".
std::string_view OutcomeName(TrialOutcome::Kind kind);

// A command line as the engine understood it.
struct TriedCommand {
  std::uint8_t command = 0;
  std::vector<std::string> mailboxes;
  std::string argument;
  std::optional<std::uint64_t> size;
};

class RuleTrial {
 public:
  // The error has a place: a pattern is too large.
  static Result<std::unique_ptr<RuleTrial>> Make(std::shared_ptr<const RuleBook> book,
                                                 RuleNames names);

  TrialOutcome Run(const Given& given);
  // What rules may ask of given.command; nothing when there is none or it is no command.
  static std::optional<TriedCommand> Read(const Given& given);

  const RuleNames& names() const { return names_; }
  const RuleBook& book() const { return rules_->book(); }

 private:
  RuleTrial(std::shared_ptr<RuleSet> rules, RuleNames names);
  Decision Decide(Stage stage, SessionFacts facts, bool knows_tls);
  bool TryStages(const Given& given, SessionFacts& facts, TrialOutcome& outcome);
  void TryCommand(const Given& given, const SessionFacts& facts, TrialOutcome& outcome);
  RuleId HidingRule(const Given& given, const SessionFacts& facts);
  void NoteSessionEffects(const SessionFacts& facts, TrialOutcome& outcome);

  std::shared_ptr<RuleSet> rules_;
  RuleNames names_;
};

}  // namespace postern
