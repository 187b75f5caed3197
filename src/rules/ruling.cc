#include "rules/ruling.h"

#include <algorithm>

namespace postern {
namespace {

bool Refuses(Action action) {
  const Decision::Verdict verdict = VerdictOf(action);
  return verdict != Decision::Verdict::kNone && verdict != Decision::Verdict::kAllow;
}

}  // namespace

Decision::Verdict VerdictOf(Action action) {
  switch (action) {
    case Action::kAllow:
      return Decision::Verdict::kAllow;
    case Action::kDeny:
      return Decision::Verdict::kDeny;
    case Action::kDisconnect:
      return Decision::Verdict::kDisconnect;
    case Action::kRequireTls:
      return Decision::Verdict::kTlsTooLow;
    case Action::kRoute:
    case Action::kRewriteUser:
    case Action::kLimit:
    case Action::kDelay:
    case Action::kReadOnly:
    case Action::kHide:
    case Action::kLog:
      return Decision::Verdict::kNone;
  }
  return Decision::Verdict::kNone;
}

Ruling::Ruling(std::size_t rules) {
  hits_.reserve(rules);
  reports_.reserve(rules);
}

void Ruling::Begin() {
  decision_ = {};
  hits_.clear();
  reports_.clear();
}

RuleId* Ruling::SlotOf(Action action) {
  if (VerdictOf(action) != Decision::Verdict::kNone) return &decision_.verdict_rule;
  if (action == Action::kRoute) return &decision_.route;
  return action == Action::kRewriteUser ? &decision_.rewrite : nullptr;
}

void Ruling::Take(const CompiledRule& rule, const Rule& written, Answer answer) {
  if (answer == Answer::kNo) return;
  if (answer == Answer::kUnknown) return TakeUnknown(rule);
  const RuleId* slot = SlotOf(rule.action);
  if (slot != nullptr && *slot != kNoRule) return;
  if (rule.report) {
    reports_.push_back(rule.id);
    return;
  }
  TakeEffect(rule, written);
}

// It may have refused: then it does.
void Ruling::TakeUnknown(const CompiledRule& rule) {
  decision_.failed = true;
  if (rule.report || !Refuses(rule.action) || decision_.verdict_rule != kNoRule) return;
  decision_.verdict = Decision::Verdict::kDeny;
  decision_.verdict_rule = rule.id;
}

void Ruling::TakeEffect(const CompiledRule& rule, const Rule& written) {
  hits_.push_back(rule.id);
  if (RuleId* slot = SlotOf(rule.action); slot != nullptr) *slot = rule.id;
  if (VerdictOf(rule.action) != Decision::Verdict::kNone) {
    decision_.verdict = VerdictOf(rule.action);
  }
  if (rule.action == Action::kDelay) {
    decision_.delay = std::min(kMaxRuleDelay, decision_.delay + written.delay);
  }
}

Decision Ruling::Finish() {
  decision_.hits = hits_;
  decision_.reports = reports_;
  return decision_;
}

}  // namespace postern
