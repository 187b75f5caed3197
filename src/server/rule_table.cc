#include "server/rule_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "postern/base/text.h"
#include "server/rule_conditions.h"

namespace postern {
namespace {

using Actions = std::uint16_t;
constexpr Actions Of(Action action) {
  return static_cast<Actions>(1u << static_cast<unsigned>(action));
}
constexpr Actions kAll = 0xFFFF;
// Those that may say something to the client.
constexpr Actions kRefusing = Of(Action::kDeny) | Of(Action::kDisconnect) |
                              Of(Action::kRequireTls) | Of(Action::kLimit) | Of(Action::kReadOnly) |
                              Of(Action::kHide);
constexpr std::size_t kMostText = 200;  // one line of an answer

// ---- values

// "5%", "0.25%": hundredths of a percent.
std::optional<std::uint32_t> ParseShare(std::string_view text) {
  if (!text.ends_with('%')) return std::nullopt;
  text.remove_suffix(1);
  const std::size_t dot = std::min(text.find('.'), text.size());
  const auto whole = ParseNumber(text.substr(0, dot));
  if (!whole || *whole > 100) return std::nullopt;
  std::uint32_t share = static_cast<std::uint32_t>(*whole) * 100;
  if (dot < text.size()) {
    const std::string_view digits = text.substr(dot + 1);
    if (digits.empty() || digits.size() > 2) return std::nullopt;
    std::uint32_t unit = 10;
    for (const char c : digits) {
      if (c < '0' || c > '9') return std::nullopt;
      share += unit * static_cast<std::uint32_t>(c - '0');
      unit = 1;
    }
  }
  if (share == 0 || share > 10'000) return std::nullopt;
  return share;
}

void ReadShare(Value& value, Rule& rule) {
  std::string text;
  value.Text(text);
  if (text.empty()) return;
  const auto share = ParseShare(text);
  if (!share) return value.Reject("not a share; write a percentage, as in \"5%\" or \"0.25%\"");
  rule.share = *share;
}

void ReadMinimum(Value& value, Rule& rule) {
  int choice = 0;
  value.Choice({"1.0", "1.1", "1.2", "1.3"}, choice);
  rule.minimum = static_cast<TlsVersion>(choice + static_cast<int>(TlsVersion::k10));
}

void ReadCapabilities(Value& value, Rule& rule) {
  value.Each("a capability", true, [&](const std::string& text) -> Status {
    if (text.empty() || text.find_first_of(" \"\\(){}\r\n") != text.npos) {
      return Status::Error("not a capability; write it as backends do, as in \"IDLE\"");
    }
    rule.capabilities.push_back(ToUpper(text));
    return {};
  });
  if (rule.capabilities.empty()) value.Reject("names no capability; name one");
}

void ReadThen(Value& value, Rule& rule) {
  std::string text;
  value.Text(text);
  if (text.empty()) return;
  const auto action = FindAction(text);
  if (action) {
    rule.action = *action;
    return;
  }
  std::vector<std::string_view> known;
  for (std::size_t i = 0; i < kActionCount; ++i)
    known.push_back(ActionName(static_cast<Action>(i)));
  value.Reject("not an action; " + NameHint(text, known));
}

// ---- keys

struct RuleKey {
  std::string_view name;
  Actions actions;  // to which it belongs
  void (*set)(Value& value, Rule& rule);
};

// clang-format off
constexpr std::array<RuleKey, 14> kKeys{{
  {"name", kAll, [](Value& v, Rule& r) { ReadLine(v, r.name, kMostName); }},
  {"then", kAll, ReadThen},
  {"text", kRefusing, [](Value& v, Rule& r) { ReadLine(v, r.text, kMostText); }},
  {"mode", kAll, [](Value& v, Rule& r) { v.Choice({"enforce", "report"}, r.mode); }},
  {"share", kAll, ReadShare},
  {"pool", Of(Action::kRoute), [](Value& v, Rule& r) { v.Name(r.pool); }},
  {"backend", Of(Action::kRoute), [](Value& v, Rule& r) { v.Name(r.backend); }},
  {"to", Of(Action::kRewriteUser), [](Value& v, Rule& r) { ReadLine(v, r.to, kMostName); }},
  {"minimum", Of(Action::kRequireTls), ReadMinimum},
  {"sessions", Of(Action::kLimit), [](Value& v, Rule& r) { v.Count(r.sessions, 1, 10'000'000); }},
  {"per", Of(Action::kLimit), [](Value& v, Rule& r) { v.Choice({"user", "client"}, r.per); }},
  {"full", Of(Action::kLimit),
   [](Value& v, Rule& r) { v.Choice({"refuse", "end-oldest-idle"}, r.full); }},
  {"delay", Of(Action::kDelay), [](Value& v, Rule& r) { v.Time(r.delay, std::chrono::milliseconds(1)); }},
  {"capabilities", Of(Action::kHide), ReadCapabilities},
}};
// clang-format on

// The keys without which an action says nothing.
struct Need {
  Action action;
  std::string_view key;
  std::string_view example;
};
constexpr std::array<Need, 5> kNeeds{{{Action::kRoute, "pool", "\"...\""},
                                      {Action::kRewriteUser, "to", "'\\1@example.org'"},
                                      {Action::kRequireTls, "minimum", "\"1.2\""},
                                      {Action::kLimit, "sessions", "10"},
                                      {Action::kDelay, "delay", "\"2s\""}}};

std::vector<std::string_view> KnownKeys() {
  std::vector<std::string_view> known{"if", "unless", "exempt", "mailboxes"};
  for (const RuleKey& key : kKeys) known.push_back(key.name);
  return known;
}

// Which actions the key belongs to; none: not a key of rules.
Actions ActionsOf(std::string_view name) {
  if (name == "if" || name == "unless" || name == "exempt") return kAll;
  if (name == "mailboxes") return Of(Action::kHide);
  for (const RuleKey& key : kKeys) {
    if (key.name == name) return key.actions;
  }
  return 0;
}

void ReadKey(std::string_view name, const toml::node& node, const TableReading& reading,
             Rule& rule) {
  Value value(name, node, reading.problems);
  if (name == "if") return ReadConditions(name, node, reading, rule.conditions);
  if (name == "unless") return ReadConditions(name, node, reading, rule.unless);
  if (name == "exempt") return ReadExemptions(node, reading, rule);
  if (name == "mailboxes") return ReadFactValues(value, Fact::kMailbox, reading, rule.mailboxes);
  for (const RuleKey& key : kKeys) {
    if (key.name == name) key.set(value, rule);
  }
}

// Keys of other actions, and what this one needs. Of an action that is known.
void CheckParameters(const toml::table& table, const Rule& rule, Problems& problems) {
  const std::string_view action = ActionName(rule.action);
  for (const auto& [name, node] : table) {
    const Actions actions = ActionsOf(name.str());
    if (actions == 0 || (actions & Of(rule.action)) != 0) continue;
    problems.Error(
        PlaceOf(name.source()),
        fmt::format("{} means nothing with then = \"{}\"; leave it out", name.str(), action));
  }
  for (const Need& need : kNeeds) {
    if (need.action != rule.action || table.contains(need.key)) continue;
    problems.Error(PlaceOf(table.source()), fmt::format("then = \"{}\" needs {}; add {} = {}",
                                                        action, need.key, need.key, need.example));
  }
  if (rule.action == Action::kHide && !table.contains("capabilities") &&
      !table.contains("mailboxes")) {
    problems.Error(PlaceOf(table.source()),
                   "then = \"hide\" needs something to hide; add mailboxes = ['...'] or "
                   "capabilities = [\"...\"]");
  }
}

}  // namespace

std::string NameHint(std::string_view word, const std::vector<std::string_view>& known) {
  const std::string_view near = NearestName(word, known);
  if (!near.empty()) return fmt::format("did you mean \"{}\"?", near);
  return fmt::format("known are {}", fmt::join(known, ", "));
}

void RejectKey(const toml::key& key, std::string_view where,
               const std::vector<std::string_view>& known, Problems& problems) {
  problems.Error(PlaceOf(key.source()), fmt::format("unknown key \"{}\" in {}; {}", key.str(),
                                                    where, NameHint(key.str(), known)));
}

Rule ReadRuleTable(const toml::table& table, const TableReading& reading) {
  Problems& problems = reading.problems;
  Rule rule;
  rule.place = problems.Locate(PlaceOf(table.source()));
  const std::size_t mistakes = problems.errors();
  for (const auto& [name, node] : table) {
    if (ActionsOf(name.str()) == 0) {
      RejectKey(name, "[[rule]]", KnownKeys(), problems);
    } else {
      ReadKey(name.str(), node, reading, rule);
    }
  }
  if (!table.contains("name")) {
    problems.Error(PlaceOf(table.source()), "[[rule]] has no name; add name = \"...\"");
  }
  if (!table.contains("then")) {
    problems.Error(PlaceOf(table.source()),
                   "[[rule]] has no then; add then = \"deny\" or another action");
  }
  if (problems.errors() != mistakes) return rule;
  CheckParameters(table, rule, problems);
  if (rule.action == Action::kRoute) CheckRoute(table, rule, reading);
  if (problems.errors() != mistakes) return rule;
  const Status status = CheckRule(rule);
  if (!status.ok()) problems.Error(PlaceOf(table.source()), status.message());
  return rule;
}

}  // namespace postern
