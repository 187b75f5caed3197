#include "postern/server/config.h"

#include <fmt/format.h>

#include "postern/base/text.h"
#include "server/config_judge.h"
#include "server/config_reader.h"
#include "server/load_rules.h"
#include "server/text_file.h"

namespace postern {
namespace {

constexpr Duration kLeastImapIdle = std::chrono::minutes(30);  // RFC 9051 §5.4
constexpr Duration kLeastPop3Idle = std::chrono::minutes(10);  // RFC 1939 §3

// Reports the second and later bearers of a name.
template <typename Items>
void CheckNames(const Items& items, const std::vector<Place>& places, std::string_view what,
                Problems& problems) {
  for (std::size_t i = 0; i < items.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (items[i].name.empty() || items[i].name != items[j].name) continue;
      problems.Error(places[i], fmt::format("a second {} is named \"{}\"; names must differ", what,
                                            items[i].name));
      break;
    }
  }
}

// Whether there is no such list of tables. One that is something else was reported already.
bool Lacks(const toml::table& root, std::string_view name) {
  const toml::node* node = root.get(name);
  return node == nullptr || (node->is_array() && node->as_array()->empty());
}

void CheckPresence(const toml::table& root, Problems& problems) {
  if (Lacks(root, "listener")) {
    problems.Error({}, "no listener; add a [[listener]] with name, protocol and address");
  }
  if (Lacks(root, "pool")) {
    problems.Error({}, "no pool; add a [[pool]] with a [[pool.backend]]");
  }
  if (!root.contains("routing")) {
    problems.Error({}, "no routing; add [routing] with pool = \"...\"");
  }
}

void CheckCounts(const Draft& draft, Problems& problems) {
  const Config& config = draft.config;
  for (std::size_t i = 0; i < config.pools.size(); ++i) {
    if (!config.pools[i].backends.empty()) continue;
    problems.Error(draft.pool_places[i],
                   fmt::format("pool \"{}\" has no backend; add a [[pool.backend]] below it",
                               config.pools[i].name));
  }
}

void CheckListeners(const Draft& draft, Problems& problems) {
  const auto& listeners = draft.config.listeners;
  CheckNames(listeners, draft.listener_places, "listener", problems);
  for (std::size_t i = 0; i < listeners.size(); ++i) {
    if (listeners[i].name == "admin") {
      problems.Error(draft.listener_places[i],
                     "the name \"admin\" is the admin listener's in logs; choose another");
    }
    if (listeners[i].address.port() == 0) continue;
    const std::string address = listeners[i].address.Text();
    if (address == draft.config.admin_address) {
      problems.Error(draft.listener_places[i],
                     fmt::format("{} is admin.address too; choose another port", address));
    }
    for (std::size_t j = 0; j < i; ++j) {
      if (address != listeners[j].address.Text()) continue;
      problems.Error(draft.listener_places[i],
                     fmt::format("{} is listener \"{}\"'s address too; choose another port",
                                 address, listeners[j].name));
    }
  }
}

void CheckBackends(const Draft& draft, Problems& problems) {
  const Config& config = draft.config;
  for (const PoolConfig& pool : config.pools) {
    std::vector<BackendConfig> backends;
    std::vector<Place> places;
    for (const BackendId id : pool.backends) {
      backends.push_back(config.backends[id]);
      places.push_back(draft.backend_places[id]);
    }
    CheckNames(backends, places, fmt::format("backend of pool \"{}\"", pool.name), problems);
  }
  for (std::size_t i = 0; i < config.backends.size(); ++i) {
    const BackendConfig& backend = config.backends[i];
    for (const Protocol protocol : {Protocol::kImap, Protocol::kPop3}) {
      if (protocol == Protocol::kImap ? backend.has_imap : backend.has_pop3) continue;
      for (const ListenerConfig& listener : config.listeners) {
        if (listener.protocol != protocol) continue;
        problems.Error(draft.backend_places[i],
                       fmt::format("backend \"{}\" has no {} address, but listener \"{}\" serves "
                                   "it; add {} = \"host:port\"",
                                   backend.name, ProtocolName(protocol), listener.name,
                                   ProtocolName(protocol)));
        break;
      }
    }
  }
}

void CheckPools(Draft& draft, Problems& problems) {
  Config& config = draft.config;
  CheckNames(config.pools, draft.pool_places, "pool", problems);
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < config.pools.size(); ++i) {
    if (config.pools[i].name == "none") {
      problems.Error(draft.pool_places[i],
                     "the name \"none\" means \"not routed yet\" in metrics; choose another");
    }
    if (config.pools[i].name == draft.routing_pool) config.routing_pool = static_cast<PoolId>(i);
    names.push_back(config.pools[i].name);
  }
  if (draft.routing_pool.empty() || config.pools.empty()) return;
  if (config.pools[config.routing_pool].name == draft.routing_pool) return;
  const std::string_view near = NearestName(draft.routing_pool, names);
  problems.Error(
      draft.routing_pool_place,
      fmt::format("pool = \"{}\": no pool has this name; {} \"{}\"{}", draft.routing_pool,
                  near.empty() ? "there is" : "did you mean",
                  near.empty() ? fmt::format("{}", fmt::join(names, "\", \"")) : std::string(near),
                  near.empty() ? "" : "?"));
}

// Lookups may name any pool, and rules are not known yet.
void WarnUnused(const Draft& draft, Problems& problems) {
  if (!draft.config.lookups.empty() || !draft.config.rule_files.empty()) return;
  for (std::size_t i = 0; i < draft.config.pools.size(); ++i) {
    if (i == draft.config.routing_pool) continue;
    problems.Warn(draft.pool_places[i],
                  fmt::format("pool \"{}\" is not used; routing.pool is \"{}\" and there are no "
                              "lookups and rules",
                              draft.config.pools[i].name, draft.routing_pool));
  }
}

void CheckIdle(const Draft& draft, Problems& problems) {
  if (draft.config.allow_short_idle) return;
  const Plan::Timeouts& timeouts = draft.config.plan.timeouts;
  const auto check = [&](std::string_view key, Duration value, Duration least, Place place) {
    if (value >= least) return;
    problems.Error(place, fmt::format("{} = \"{}\": the RFC asks for at least \"{}\"; raise it or "
                                      "say allow_short_idle = true",
                                      key, DurationText(value), DurationText(least)));
  };
  check("imap_idle", timeouts.imap_idle, kLeastImapIdle, draft.imap_idle_place);
  check("pop3_idle", timeouts.pop3_idle, kLeastPop3Idle, draft.pop3_idle_place);
}

}  // namespace

Config ParseConfig(std::string_view text, const std::string& path, ConfigErrors& errors) {
  Problems problems(path);
  Draft draft;
  try {
    const toml::table root = toml::parse(text, std::string_view(path));
    draft = ReadTables(root, problems);
    CheckPresence(root, problems);
    CheckCounts(draft, problems);
    CheckListeners(draft, problems);
    CheckBackends(draft, problems);
    CheckPools(draft, problems);
    CheckIdle(draft, problems);
    if (Lacks(root, "certificate")) JudgeNoCertificate(draft, problems);
    JudgeClientTls(draft, problems);
    JudgePools(draft, problems);
    CheckNames(draft.config.lookups, draft.lookup_places, "lookup", problems);
    JudgeLookups(draft, problems);
    JudgeAccounts(draft, problems);
    WarnUnused(draft, problems);
  } catch (const toml::parse_error& error) {
    problems.Error(PlaceOf(error.source()),
                   std::string(error.description()) + "; this is not TOML");
  }
  problems.MoveTo(errors);
  draft.config.file = path;
  return std::move(draft.config);
}

Config LoadConfig(const std::string& path, ConfigErrors& errors) {
  const Result<std::string> text = ReadTextFile(path);
  if (!text.ok()) {
    errors.errors.push_back(
        fmt::format("{}:1:1: {}; name a file with -c", path, text.error().message()));
    return {};
  }
  Config config = ParseConfig(text.value(), path, errors);
  LoadRules(config, errors);
  return config;
}

}  // namespace postern
