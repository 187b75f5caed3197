#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "postern/rules/rule.h"
#include "rules/command_bits.h"

namespace postern {
namespace {

enum class Slot : std::uint8_t { kNone, kVerdict, kRoute, kRewrite };

Slot SlotOf(Action action) {
  switch (action) {
    case Action::kAllow:
    case Action::kDeny:
    case Action::kDisconnect:
    case Action::kRequireTls:
      return Slot::kVerdict;
    case Action::kRoute:
      return Slot::kRoute;
    case Action::kRewriteUser:
      return Slot::kRewrite;
    case Action::kLimit:
    case Action::kDelay:
    case Action::kReadOnly:
    case Action::kHide:
    case Action::kLog:
      return Slot::kNone;
  }
  return Slot::kNone;
}

const Condition* Find(const std::vector<Condition>& conditions, Fact fact) {
  for (const Condition& condition : conditions) {
    if (condition.fact == fact) return &condition;
  }
  return nullptr;
}

// Whether what meets `narrow` meets `wide`, as far as their texts say.
bool Implies(const Condition& narrow, const Condition& wide) {
  return std::all_of(narrow.any_of.begin(), narrow.any_of.end(), [&wide](const FactValue& value) {
    return std::any_of(wide.any_of.begin(), wide.any_of.end(), [&value](const FactValue& other) {
      return other.text == value.text || other.text == ".*";
    });
  });
}

bool Refuses(const Rule& rule) {
  return rule.action == Action::kDeny || rule.action == Action::kDisconnect;
}

// Whether it takes effect on all that meet its `if`.
bool IsPlain(const Rule& rule) {
  return rule.mode == Rule::Mode::kEnforce && rule.unless.empty() && rule.share >= 10'000 &&
         rule.exemptions.empty();
}

// Whether every session or command that `other` matches is one that `rule` matches.
bool Covers(const Rule& rule, const Rule& other) {
  const bool same_tls = rule.action == Action::kRequireTls && other.action == Action::kRequireTls &&
                        other.minimum <= rule.minimum;
  if (rule.action == Action::kRequireTls && !same_tls) return false;
  return std::all_of(rule.conditions.begin(), rule.conditions.end(), [&](const Condition& wide) {
    const Condition* narrow = Find(other.conditions, wide.fact);
    if (narrow == nullptr) return false;
    // An allowance asks for all mailboxes, the others for any.
    if (wide.fact == Fact::kMailbox && rule.action == Action::kAllow &&
        other.action != Action::kAllow) {
      return false;
    }
    return Implies(*narrow, wide);
  });
}

// What one stage asks may have changed by the next.
bool MayChange(const Rule& rule) {
  return Find(rule.conditions, Fact::kTime) != nullptr ||
         Find(rule.conditions, Fact::kClientId) != nullptr;
}

// The rules that may make others useless, found by a value that they have in common.
class Finder {
 public:
  explicit Finder(const RuleBook& book) : book_(book) {}
  std::vector<std::string> Find();

 private:
  void AddCandidates();
  // The rule because of which this one comes to nothing; null when there is none.
  const Rule* FindCover(std::size_t index) const;
  const Rule* CoverAmong(const std::vector<std::size_t>& candidates, std::size_t index) const;
  bool MakesUseless(std::size_t candidate, std::size_t index) const;

  const RuleBook& book_;
  std::vector<Stage> stages_;
  std::vector<bool> behind_allow_;  // an allow of its stage may come before it
  std::vector<std::size_t> unconditional_;
  std::map<std::pair<Fact, std::string_view>, std::vector<std::size_t>> by_value_;
};

void Finder::AddCandidates() {
  std::array<bool, 4> allowed{};
  for (std::size_t i = 0; i < book_.rules.size(); ++i) {
    const Rule& rule = book_.rules[i];
    stages_.push_back(StageOf(rule));
    bool& allow = allowed[static_cast<std::size_t>(stages_.back())];
    behind_allow_.push_back(allow);
    allow = allow || (rule.action == Action::kAllow && rule.mode == Rule::Mode::kEnforce);
    if (!IsPlain(rule) || SlotOf(rule.action) == Slot::kNone) continue;
    if (rule.conditions.empty()) {
      unconditional_.push_back(i);
      continue;
    }
    const Condition& first = rule.conditions.front();
    for (const FactValue& value : first.any_of) by_value_[{first.fact, value.text}].push_back(i);
  }
}

bool Finder::MakesUseless(std::size_t candidate, std::size_t index) const {
  const Rule& rule = book_.rules[candidate];
  const Rule& other = book_.rules[index];
  if (candidate == index || !Covers(rule, other)) return false;
  if (stages_[candidate] == stages_[index]) {
    return candidate < index && SlotOf(rule.action) == SlotOf(other.action);
  }
  return stages_[candidate] < stages_[index] && Refuses(rule) && !behind_allow_[candidate] &&
         !MayChange(rule);
}

const Rule* Finder::CoverAmong(const std::vector<std::size_t>& candidates,
                               std::size_t index) const {
  for (const std::size_t candidate : candidates) {
    if (MakesUseless(candidate, index)) return &book_.rules[candidate];
  }
  return nullptr;
}

const Rule* Finder::FindCover(std::size_t index) const {
  const Rule* cover = CoverAmong(unconditional_, index);
  for (const Condition& condition : book_.rules[index].conditions) {
    if (condition.any_of.empty()) continue;
    const std::string_view first = condition.any_of.front().text;
    for (const std::string_view text : {first, std::string_view(".*")}) {
      if (cover != nullptr) return cover;
      const auto found = by_value_.find({condition.fact, text});
      if (found != by_value_.end()) cover = CoverAmong(found->second, index);
    }
  }
  return cover;
}

// The fact of a command that the rule asks for and that no command it names has.
std::optional<Fact> FindLacking(const Rule& rule) {
  const Condition* commands = Find(rule.conditions, Fact::kCommand);
  if (commands == nullptr) return {};
  for (const Fact fact : {Fact::kMailbox, Fact::kSize}) {
    if (Find(rule.conditions, fact) == nullptr) continue;
    const bool carried = std::any_of(commands->any_of.begin(), commands->any_of.end(),
                                     [fact](const FactValue& value) {
                                       const auto* command = std::get_if<CommandValue>(&value.what);
                                       return command == nullptr || Carries(*command, fact);
                                     });
    if (!carried) return fact;
  }
  return {};
}

std::vector<std::string> Finder::Find() {
  AddCandidates();
  std::vector<std::string> sentences;
  for (std::size_t i = 0; i < book_.rules.size(); ++i) {
    const Rule& rule = book_.rules[i];
    if (postern::Find(rule.conditions, Fact::kClientCert) != nullptr) {
      sentences.push_back(rule.place + ": rule '" + rule.name +
                          "' never matches: client_cert is not known, no listener asks clients for "
                          "certificates");
      continue;
    }
    if (const std::optional<Fact> lacking = FindLacking(rule)) {
      sentences.push_back(rule.place + ": rule '" + rule.name +
                          "' never matches: no command that it names has a " +
                          std::string(FactName(*lacking)));
      continue;
    }
    const Rule* cover = FindCover(i);
    if (cover == nullptr) continue;
    const bool decides = StageOf(*cover) == stages_[i];
    sentences.push_back(rule.place + ": rule '" + rule.name + "' " +
                        (decides ? "never decides" : "is never reached") + ": '" + cover->name +
                        "' (" + cover->place + ") " +
                        (decides ? "decides before it whenever it matches"
                                 : "refuses at an earlier stage all that it could match"));
  }
  return sentences;
}

}  // namespace

std::vector<std::string> FindUselessRules(const RuleBook& book) { return Finder(book).Find(); }

}  // namespace postern
