// Pop3Engine: what the rules say of commands and capabilities, and the end that an operator wants.

#include <utility>

#include "engine/pop3_text.h"
#include "postern/engine/pop3_engine.h"

namespace postern {

pop3::Names Pop3Engine::hidden() const {
  const SessionRules* const rules = host_.rules();
  if (rules == nullptr) return {};
  return rules->hidden_capabilities();
}

bool Pop3Engine::IsHidden(pop3::CommandKind kind) const {
  const std::string_view capability = pop3::Traits(kind).capability;
  if (capability.empty()) return false;
  const SessionRules* const rules = host_.rules();
  return rules != nullptr && rules->HidesCapability(capability);
}

// Once a command: what was held has been judged before it was held.
Pop3Engine::Ruling Pop3Engine::AskRules(const pop3::Command& command) {
  if (held_) return std::exchange(held_, {})->ruling;
  const SessionRules* const rules = host_.rules();
  if (rules == nullptr) return {};
  Duration delay{};
  Ruling ruling = Judge(command, *rules, &delay);
  if (ruling.verdict == Ruling::Verdict::kPass && rules->read_only() &&
      pop3::Traits(command.kind).changes) {
    ruling = {Ruling::Verdict::kDeny,
              pop3::DenialLine(Trouble::kNoPermission, host_.RuleText(rules->read_only_rule()))};
  }
  if (delay <= Duration{}) return ruling;
  held_ = std::make_unique<Held>(Held{std::move(ruling)});
  host_.Pause(delay);
  return {Ruling::Verdict::kHold, {}};
}

Pop3Engine::Ruling Pop3Engine::Judge(const pop3::Command& command, const SessionRules& rules,
                                     Duration* delay) {
  const auto kind = static_cast<std::uint8_t>(command.kind);
  if (!rules.Concerns(kind)) return {};
  CommandFacts facts;
  facts.command = kind;
  facts.argument = command.rest;
  const Decision decision = host_.Judge(facts);
  *delay = decision.delay;
  switch (decision.verdict) {
    case Decision::Verdict::kNone:
    case Decision::Verdict::kAllow:
      return {};
    case Decision::Verdict::kDeny:
      return {Ruling::Verdict::kDeny,
              pop3::DenialLine(Trouble::kNoPermission, host_.RuleText(decision.verdict_rule))};
    case Decision::Verdict::kDisconnect:
      return {Ruling::Verdict::kDisconnect,
              pop3::DenialLine(Trouble::kNoPermission, host_.RuleText(decision.verdict_rule))};
    case Decision::Verdict::kTlsTooLow:
      return {Ruling::Verdict::kDeny,
              pop3::DenialLine(Trouble::kTlsRequired, host_.RuleText(decision.verdict_rule))};
  }
  return {};
}

void Pop3Engine::OnPauseOver() {
  if (held_) held_->over = true;
}

// Nothing is deleted by that: there is no QUIT. A reply that the client is reading is read to its
// end.
void Pop3Engine::Kick(CloseReason why) {
  const bool limit = why == CloseReason::kLimit;
  const pop3::Complaint& words = limit ? pop3::kReplaced : pop3::kKicked;
  if (!logged_in()) return EndBeforeLogin(why, words);
  if (!reply_cut()) return Break(why, words);
  state_ = State::kEnding;
  ending_ = why;
  kicked_ = &words;
}

}  // namespace postern
