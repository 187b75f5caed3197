#include "server/rule_host.h"

#include <utility>

#include "postern/engine/rule_text.h"

namespace postern {

RuleHost::RuleHost(RuleSet* rules, const SessionFacts& known) : facts(known), set_(rules) {
  plan_.listeners.resize(1);
  PoolPlan pool;
  pool.forward_id = false;
  plan_.pools.assign(1, pool);
  address_ = known.client.family() == AF_UNSPEC ? "192.0.2.1" : known.client.HostText();
}

ClientFacts RuleHost::client_facts() const {
  ClientFacts known;
  known.secure = secure;
  known.address = address_;
  known.local_address = "192.0.2.1";
  known.session = "0-0-1";
  return known;
}

void RuleHost::ConnectBackend(const Credentials& credentials, Mechanism mechanism) {
  wants_backend = true;
  user_ = credentials.login_name();
  facts.user = user_;
  facts.mechanism = mechanism;
}

void RuleHost::LoggedIn() { logged_in = true; }

void RuleHost::UseRules() {
  before_ = std::move(session_rules);
  session_rules = set_ == nullptr ? nullptr : set_->For(facts);
}

Decision RuleHost::Judge(const CommandFacts& command) {
  TriedCommand tried;
  tried.command = command.command;
  for (const std::string_view mailbox : command.mailboxes) tried.mailboxes.emplace_back(mailbox);
  tried.argument = command.argument;
  tried.size = command.size;
  judged = std::move(tried);
  CommandFacts with_time = command;
  with_time.time = facts.time;
  const Decision decision = set_->Judge(*session_rules, with_time);
  hits.insert(hits.end(), decision.hits.begin(), decision.hits.end());
  reports.insert(reports.end(), decision.reports.begin(), decision.reports.end());
  verdict = decision.verdict;
  verdict_rule = decision.verdict_rule;
  return decision;
}

std::string_view RuleHost::RuleText(RuleId rule) {
  asked_text = rule;
  return RefusalText(set_->rule(rule));
}

std::optional<Refusal> RuleHost::LearnClientId(std::string_view name, std::string_view version) {
  client_name_ = name;
  client_version_ = version;
  facts.client_name = client_name_;
  facts.client_version = client_version_;
  if (set_ == nullptr || !logged_in) return {};
  const bool asked = session_rules != nullptr && session_rules->AsksClientId();
  UseRules();
  if (!asked) return {};
  const Decision decision = set_->DecideById(facts);
  if (!decision.refused()) return {};
  return Refusal{Trouble::kAuthorization, RuleText(decision.verdict_rule), true, false};
}

std::optional<Refusal> RuleHost::RefusalAt(Stage stage) {
  if (set_ == nullptr) return {};
  const Decision decision = set_->Decide(stage, facts);
  if (!decision.refused()) return {};
  verdict = decision.verdict;
  const Trouble trouble =
      verdict == Decision::Verdict::kTlsTooLow ? Trouble::kTlsRequired : Trouble::kAuthorization;
  const bool last = verdict == Decision::Verdict::kDisconnect;
  return Refusal{trouble, RuleText(decision.verdict_rule), last, false};
}

void RuleHost::Finish(CloseReason reason, Ending) { finished = reason; }

}  // namespace postern
