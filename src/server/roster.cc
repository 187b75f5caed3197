#include "server/roster.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <tuple>
#include <utility>

namespace postern {
namespace {

constexpr std::size_t kSpareListeners = 16;
constexpr std::size_t kSparePools = 32;
constexpr std::size_t kSpareBackends = 256;
constexpr std::size_t kSpareRules = 4096;
constexpr std::size_t kSpareLookups = 16;

std::string_view ModeName(Rule::Mode mode) {
  return mode == Rule::Mode::kReport ? "report" : "enforce";
}

// The index of the first that matches, or the size.
template <typename Items, typename Match>
std::size_t IndexOf(const Items& items, Match match) {
  return static_cast<std::size_t>(std::find_if(items.begin(), items.end(), match) - items.begin());
}

std::size_t IndexOfName(const std::vector<std::string>& names, const std::string& name) {
  return IndexOf(names, [&](const std::string& other) { return other == name; });
}

std::size_t IndexOfBackend(const MetricNames& names, PoolId pool, const std::string& name) {
  return IndexOf(names.backends, [&](const MetricNames::Backend& other) {
    return other.pool == pool && other.name == name;
  });
}

}  // namespace

Roster::Roster(const Config& config)
    : capacity_{config.listeners.size() + kSpareListeners, config.pools.size() + kSparePools,
                config.backends.size() + kSpareBackends, config.rules->rules.size() + kSpareRules,
                config.lookups.size() + kSpareLookups} {}

Status Roster::Add(const Config& config) {
  MetricNames names = names_;
  const auto add = [](std::vector<std::string>& all, const std::string& name) {
    if (IndexOfName(all, name) == all.size()) all.push_back(name);
  };
  for (const ListenerConfig& listener : config.listeners) add(names.listeners, listener.name);
  for (const PoolConfig& pool : config.pools) add(names.pools, pool.name);
  for (const BackendConfig& backend : config.backends) {
    const auto pool =
        static_cast<PoolId>(IndexOfName(names.pools, config.pools[backend.pool].name));
    if (IndexOfBackend(names, pool, backend.name) < names.backends.size()) continue;
    names.backends.push_back({backend.name, pool});
  }
  for (const LookupConfig& lookup : config.lookups) {
    if (IndexOfName(names.lookups, lookup.name) == names.lookups.size()) {
      names.lookups.push_back(lookup.name);
    }
  }
  AddRules(*config.rules, names);
  if (names.lookups.size() > capacity_.lookups || names.listeners.size() > capacity_.listeners ||
      names.pools.size() > capacity_.pools || names.backends.size() > capacity_.backends) {
    return Status::Error(
        "more listeners, pools, backends or lookups were named since the start than there is room "
        "for; "
        "restart to make room");
  }
  names_ = std::move(names);
  return {};
}

ListenerId Roster::listener(const std::string& name) const {
  return static_cast<ListenerId>(IndexOfName(names_.listeners, name));
}

PoolId Roster::pool(const std::string& name) const {
  return static_cast<PoolId>(IndexOfName(names_.pools, name));
}

LookupSlot Roster::lookup(const std::string& name) const {
  return static_cast<LookupSlot>(IndexOfName(names_.lookups, name));
}

std::vector<RuleSlot> Roster::RuleSlots(const RuleBook& book) const {
  // Of views: std::tuple(rule.name, ...) would be one of copies, and the key what it leaves behind.
  using Key = std::tuple<std::string_view, std::string_view, std::string_view>;
  std::map<Key, RuleSlot> known;
  for (std::size_t i = 0; i < names_.rules.size(); ++i) {
    const MetricNames::Rule& rule = names_.rules[i];
    known.emplace(Key(rule.name, rule.then, rule.mode), static_cast<RuleSlot>(i));
  }
  std::vector<RuleSlot> slots;
  for (const Rule& rule : book.rules) {
    const auto found = known.find(Key(rule.name, ActionName(rule.action), ModeName(rule.mode)));
    slots.push_back(found == known.end() ? kNoRuleSlot : found->second);
  }
  return slots;
}

// Beyond the room a rule still works; its hits are counted as dropped.
void Roster::AddRules(const RuleBook& book, MetricNames& names) const {
  const std::vector<RuleSlot> slots = RuleSlots(book);
  for (std::size_t i = 0; i < slots.size(); ++i) {
    if (slots[i] != kNoRuleSlot || names.rules.size() >= capacity_.rules) continue;
    const Rule& rule = book.rules[i];
    names.rules.push_back(
        {rule.name, std::string(ActionName(rule.action)), std::string(ModeName(rule.mode))});
  }
}

BackendId Roster::backend(PoolId pool, const std::string& name) const {
  return static_cast<BackendId>(IndexOfBackend(names_, pool, name));
}

}  // namespace postern
