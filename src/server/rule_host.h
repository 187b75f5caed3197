// RuleHost: an engine with a world made of text, which asks a real rule set. For trials of single
// commands and for conversations played by `postern test`. Nothing is sent anywhere; one thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "postern/engine/engine.h"
#include "postern/engine/engine_context.h"
#include "postern/rules/rule_set.h"
#include "server/rule_trial.h"

namespace postern {

class RuleHost final : public EngineHost {
 public:
  // rules may be null and outlives the host, as does what facts are views of.
  RuleHost(RuleSet* rules, const SessionFacts& facts);

  void ToClient(std::string_view bytes) override { client += bytes; }
  void ToBackend(std::string_view bytes) override { backend += bytes; }
  bool ClientHasRoom() const override { return true; }
  bool BackendHasRoom() const override { return true; }
  void ConnectBackend(const Credentials& credentials, Mechanism mechanism) override;
  const BackendAccount* backend_account() override { return nullptr; }
  void RejectBackend(BackendFailure) override { backend_failed = true; }
  void DropBackend(std::optional<BackendFailure>) override {}
  void StartTls(Side side) override { tls_asked = side; }
  bool ClientSpeaksFor(std::string_view, std::uint16_t) override { return true; }
  ClientFacts client_facts() const override;
  std::optional<Refusal> Admit() override { return {}; }
  void LoggedIn() override;
  void LoginFailed(std::string_view, std::string_view, std::string_view) override {}
  void SlowCommand(std::string_view, Duration, Duration) override {}
  const SessionRules* rules() override { return session_rules.get(); }
  Decision Judge(const CommandFacts& command) override;
  std::string_view RuleText(RuleId rule) override;
  void Pause(Duration) override { paused = true; }
  std::optional<Refusal> LearnClientId(std::string_view name, std::string_view version) override;
  const CommonOffer& common_offer() const override { return offer_; }
  void Finish(CloseReason reason, Ending ending) override;
  Instant now() const override { return Instant{} + std::chrono::hours(1); }
  Duration client_stall() const override { return {}; }
  const Plan& plan() const override { return plan_; }

  // The rules before the login refuse it, for this reason; nothing: they do not.
  std::optional<Refusal> RefusalAt(Stage stage);
  // From now on rules() are those of the session with all that is known.
  void UseRules();

  // Written and asked for by the engine.
  std::string client, backend;
  bool wants_backend = false;
  bool backend_failed = false;
  bool logged_in = false;
  bool paused = false;
  std::optional<Side> tls_asked;
  std::optional<CloseReason> finished;
  // What rules said of the command before.
  std::optional<TriedCommand> judged;
  std::vector<RuleId> hits, reports;
  Decision::Verdict verdict = Decision::Verdict::kNone;
  RuleId verdict_rule = kNoRule;
  RuleId asked_text = kNoRule;  // whose words were asked for
  // Changed by whoever plays.
  SessionFacts facts;
  bool secure = true;
  std::shared_ptr<const SessionRules> session_rules;

 private:
  RuleSet* set_;
  std::shared_ptr<const SessionRules> before_;  // the engine may still look at them
  Plan plan_;
  CommonOffer offer_;
  std::string user_, client_name_, client_version_, address_;
};

}  // namespace postern
