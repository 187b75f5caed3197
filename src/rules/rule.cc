#include "postern/rules/rule.h"

#include <algorithm>
#include <array>

#include "postern/base/text.h"

namespace postern {
namespace {

// By the value of the enum.
constexpr std::array<std::string_view, kActionCount> kActions{
    "allow", "deny",  "disconnect", "require-tls", "route", "rewrite-user",
    "limit", "delay", "read-only",  "hide",        "log"};

// What the action itself needs to be known.
Stage LeastStage(const Rule& rule) {
  switch (rule.action) {
    case Action::kRequireTls:
      return Stage::kTls;
    case Action::kRoute:
    case Action::kRewriteUser:
      return Stage::kLogin;
    case Action::kLimit:
      return rule.per == Rule::Per::kUser ? Stage::kLogin : Stage::kConnection;
    case Action::kAllow:
    case Action::kDeny:
    case Action::kDisconnect:
    case Action::kDelay:
    case Action::kReadOnly:
    case Action::kHide:
    case Action::kLog:
      return Stage::kConnection;
  }
  return Stage::kConnection;
}

Stage LatestOf(const std::vector<Condition>& conditions) {
  Stage latest = Stage::kConnection;
  for (const Condition& condition : conditions) {
    latest = std::max(latest, StageOf(condition.fact));
  }
  return latest;
}

}  // namespace

std::string_view ActionName(Action action) { return kActions[static_cast<std::size_t>(action)]; }

std::optional<Action> FindAction(std::string_view name) {
  for (std::size_t i = 0; i < kActions.size(); ++i) {
    if (kActions[i] == name) return static_cast<Action>(i);
  }
  return {};
}

bool Bound::Holds(std::uint64_t other) const {
  switch (comparison) {
    case Comparison::kLess:
      return other < number;
    case Comparison::kAtMost:
      return other <= number;
    case Comparison::kEqual:
      return other == number;
    case Comparison::kAtLeast:
      return other >= number;
    case Comparison::kMore:
      return other > number;
  }
  return false;
}

Stage StageOf(const Rule& rule) {
  const bool by_user = rule.share < 10'000 || !rule.exemptions.empty();
  return std::max({LatestOf(rule.conditions), LatestOf(rule.unless), LeastStage(rule),
                   by_user ? Stage::kLogin : Stage::kConnection});
}

}  // namespace postern
