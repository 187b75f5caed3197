#include <algorithm>
#include <string>

#include "postern/rules/rule.h"
#include "rules/pattern.h"

namespace postern {
namespace {

const Condition* Find(const std::vector<Condition>& conditions, Fact fact) {
  for (const Condition& condition : conditions) {
    if (condition.fact == fact) return &condition;
  }
  return nullptr;
}

bool SameValues(const Condition& a, const Condition& b) {
  const auto holds = [&b](const FactValue& value) {
    return std::any_of(b.any_of.begin(), b.any_of.end(),
                       [&value](const FactValue& other) { return other.text == value.text; });
  };
  return a.fact == b.fact && std::all_of(a.any_of.begin(), a.any_of.end(), holds);
}

std::string Quoted(std::string_view name) { return "'" + std::string(name) + "'"; }

// The first fact of a command that the rule asks for, `pool` aside where it may stand.
const Condition* CommandFact(const Rule& rule, bool pool_may) {
  for (const auto* conditions : {&rule.conditions, &rule.unless}) {
    for (const Condition& condition : *conditions) {
      const bool pool = condition.fact == Fact::kPool;
      if (StageOf(condition.fact) == Stage::kCommand && !(pool && pool_may)) return &condition;
    }
  }
  return nullptr;
}

Status CheckStage(const Rule& rule) {
  const std::string_view action = ActionName(rule.action);
  const bool at_login = rule.action == Action::kRoute || rule.action == Action::kRewriteUser ||
                        rule.action == Action::kLimit;
  const bool lasts = rule.action == Action::kReadOnly || rule.action == Action::kHide;
  if (!at_login && !lasts) return {};
  const Condition* late = CommandFact(rule, lasts);
  if (late == nullptr) return {};
  return Status::Error(std::string(action) + " is decided " +
                       (lasts ? "for a whole session" : "at the login or before") + ": " +
                       Quoted(FactName(late->fact)) + " is known only " +
                       (late->fact == Fact::kPool ? "after it" : "of each command"));
}

// The highest \N of the text.
int HighestCapture(std::string_view to) {
  int highest = 0;
  for (std::size_t i = 0; i + 1 < to.size(); ++i) {
    if (to[i] != '\\') continue;
    ++i;
    if (to[i] >= '0' && to[i] <= '9') highest = std::max(highest, to[i] - '0');
  }
  return highest;
}

Status CheckRewrite(const Rule& rule) {
  if (rule.to.empty()) return Status::Error("rewrite-user needs `to`, the new name");
  const int highest = HighestCapture(rule.to);
  const Condition* users = Find(rule.conditions, Fact::kUser);
  if (users == nullptr) {
    if (highest == 0) return {};
    return Status::Error("`to` has \\" + std::to_string(highest) +
                         ", but there is no `user` in `if` whose captures it could be");
  }
  for (const FactValue& user : users->any_of) {
    const auto compiled = CompilePattern(user.text, TextKind::kFolded);
    if (!compiled.ok()) return compiled.error();
    const int groups = compiled.value()->NumberOfCapturingGroups();
    if (highest <= groups) continue;
    return Status::Error("`to` has \\" + std::to_string(highest) + ", but " + Quoted(user.text) +
                         " has " + std::to_string(groups) + " captures");
  }
  return {};
}

Status CheckParameters(const Rule& rule) {
  switch (rule.action) {
    case Action::kRoute:
      return rule.pool.empty() ? Status::Error("route needs `pool`") : Status();
    case Action::kRewriteUser:
      return CheckRewrite(rule);
    case Action::kLimit:
      return rule.sessions > 0 ? Status()
                               : Status::Error(
                                     "limit needs `sessions`, at least 1; to refuse all, "
                                     "use deny");
    case Action::kDelay:
      return rule.delay > Duration::zero() && rule.delay <= kMaxRuleDelay
                 ? Status()
                 : Status::Error("delay needs `delay`, more than 0s and at most 30s");
    case Action::kHide:
      return rule.capabilities.empty() && rule.mailboxes.empty()
                 ? Status::Error("hide needs `mailboxes` or `capabilities`")
                 : Status();
    case Action::kRequireTls:
      return rule.minimum == TlsVersion::kNone
                 ? Status::Error("require-tls with `minimum = \"none\"` requires nothing")
                 : Status();
    case Action::kAllow:
    case Action::kDeny:
    case Action::kDisconnect:
    case Action::kReadOnly:
    case Action::kLog:
      return {};
  }
  return {};
}

bool Has(const Condition* condition, Protocol protocol) {
  if (condition == nullptr) return true;
  return std::any_of(condition->any_of.begin(), condition->any_of.end(),
                     [protocol](const FactValue& value) {
                       const auto* other = std::get_if<Protocol>(&value.what);
                       return other != nullptr && *other == protocol;
                     });
}

bool AnyCommandOf(const Condition& condition, Protocol protocol) {
  return std::any_of(
      condition.any_of.begin(), condition.any_of.end(), [protocol](const FactValue& value) {
        const auto* command = std::get_if<CommandValue>(&value.what);
        if (command == nullptr) return false;
        return protocol == Protocol::kImap ? command->imap.has_value() : command->pop3.has_value();
      });
}

// Whether a session of this protocol can have all that is asked for.
Status CheckProtocol(const Rule& rule, Protocol protocol) {
  const Condition* command = Find(rule.conditions, Fact::kCommand);
  const std::string name = protocol == Protocol::kImap ? "IMAP" : "POP3";
  if (command != nullptr && !AnyCommandOf(*command, protocol)) {
    return Status::Error(Quoted(command->any_of.front().text) + " is no command of " + name);
  }
  if (protocol == Protocol::kImap) return {};
  for (const Fact fact : {Fact::kMailbox, Fact::kSize, Fact::kClientId}) {
    if (Find(rule.conditions, fact) == nullptr) continue;
    return Status::Error(name + " has no " + Quoted(FactName(fact)));
  }
  return {};
}

Status CheckProtocols(const Rule& rule) {
  const Condition* protocols = Find(rule.conditions, Fact::kProtocol);
  Status first;
  for (const Protocol protocol : {Protocol::kImap, Protocol::kPop3}) {
    if (!Has(protocols, protocol)) continue;
    Status possible = CheckProtocol(rule, protocol);
    if (possible.ok()) return possible;
    if (first.ok()) first = std::move(possible);
  }
  return first;
}

// A bound that no value meets.
bool IsNever(Fact fact, const Bound& bound) {
  if (bound.comparison == Bound::Comparison::kLess) return bound.number == 0;
  return fact == Fact::kTlsVersion && bound.comparison == Bound::Comparison::kMore &&
         bound.number >= static_cast<std::uint64_t>(TlsVersion::k13);
}

Status CheckValues(const Rule& rule) {
  for (const auto* conditions : {&rule.conditions, &rule.unless}) {
    for (const Condition& condition : *conditions) {
      if (condition.any_of.empty()) {
        return Status::Error(Quoted(FactName(condition.fact)) + " has no value: it is never met");
      }
      for (const FactValue& value : condition.any_of) {
        const auto* bound = std::get_if<Bound>(&value.what);
        if (bound == nullptr || !IsNever(condition.fact, *bound)) continue;
        return Status::Error(std::string(FactName(condition.fact)) + " is never " +
                             Quoted(value.text));
      }
    }
  }
  return {};
}

// All that lifts the rule is what it asks for.
Status CheckUnless(const Rule& rule) {
  if (rule.unless.empty()) return {};
  const bool same =
      std::all_of(rule.unless.begin(), rule.unless.end(), [&rule](const Condition& lifting) {
        const Condition* asked = Find(rule.conditions, lifting.fact);
        return asked != nullptr && lifting.fact != Fact::kMailbox && SameValues(*asked, lifting);
      });
  return same ? Status::Error("`unless` holds whenever `if` does: the rule never applies")
              : Status();
}

}  // namespace

Status CheckRule(const Rule& rule) {
  if (rule.share == 0) return Status::Error("a share of nobody: the rule never applies");
  if (rule.share > 10'000) return Status::Error("share is at most 100%");
  for (const auto check : {CheckStage, CheckParameters, CheckValues, CheckProtocols, CheckUnless}) {
    if (Status status = check(rule); !status.ok()) return status;
  }
  return {};
}

}  // namespace postern
