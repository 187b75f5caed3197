// Judges of [[lookup]], pool.master and pool.probe.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "postern/base/text.h"
#include "server/config_judge.h"

namespace postern {
namespace {

using Type = LookupConfig::Type;

// Which keys mean something, by type; name and type always do.
constexpr std::array<std::string_view, 1> kOfFile{"path"};
constexpr std::array<std::string_view, 5> kOfHttp{"url", "ca", "timeout", "ttl", "stale"};
constexpr std::array<std::string_view, 8> kOfRedis{"url", "command", "user", "password_file",
                                                   "ca",  "timeout", "ttl",  "stale"};

struct Kind {
  std::string_view name;
  std::span<const std::string_view> keys;
  std::string_view required;  // separated by one space
  std::string_view scheme;
  std::string_view tls_scheme;
};

Kind KindOf(Type type) {
  switch (type) {
    case Type::kFile:
      return {"file", kOfFile, "path", "", ""};
    case Type::kHttp:
      return {"http", kOfHttp, "url", "http", "https"};
    case Type::kRedis:
      return {"redis", kOfRedis, "url command", "redis", "rediss"};
  }
  return {};
}

// What is wrong with the part behind the scheme; empty when nothing is.
std::string_view FaultOfRest(std::string_view rest, Type type) {
  const std::size_t slash = std::min(rest.find('/'), rest.size());
  std::string_view host = rest.substr(0, slash);
  const std::string_view path = rest.substr(slash);
  if (host.find('@') != host.npos) {
    return "holds an account; redis takes it from user and password_file";
  }
  const std::size_t colon = host.rfind(':');
  if (colon != host.npos && host.back() != ']') {
    const auto port = ParseNumber(host.substr(colon + 1));
    if (!port || *port == 0 || *port > 65535) return "has no port behind its colon";
    host = host.substr(0, colon);
  }
  if (!IsHostName(host) && !Address::Parse(std::string(host) + ":1").ok()) return "has no host";
  if (type == Type::kRedis && path.size() > 1 && !ParseNumber(path.substr(1))) {
    return "names no database; write its number, as in redis://127.0.0.1:6379/0";
  }
  const bool plain =
      std::all_of(path.begin(), path.end(), [](char c) { return c > ' ' && c < 0x7F; });
  return plain ? "" : "holds a character that does not stand in URLs";
}

void JudgeUrl(const LookupConfig& lookup, const Kind& kind, const KeyPlaces& keys, Place table,
              Problems& problems) {
  const Place place = PlaceIn(keys, "url", table);
  const std::size_t end = std::min(lookup.url.find("://"), lookup.url.size());
  const std::string_view scheme = std::string_view(lookup.url).substr(0, end);
  if (scheme != kind.scheme && scheme != kind.tls_scheme) {
    problems.Error(place, fmt::format("url = {}: a lookup of type \"{}\" speaks {} or {}; write "
                                      "\"{}://host:port/...\"",
                                      TomlQuote(lookup.url), kind.name, kind.scheme,
                                      kind.tls_scheme, kind.scheme));
    return;
  }
  const std::string_view fault =
      FaultOfRest(std::string_view(lookup.url).substr(end + 3), lookup.type);
  if (!fault.empty()) {
    problems.Error(place, fmt::format("url = {}: {}; write \"{}://host:port/...\"",
                                      TomlQuote(lookup.url), fault, scheme));
  }
  if (scheme == kind.scheme && keys.count("ca") != 0) {
    problems.Warn(
        PlaceIn(keys, "ca", table),
        fmt::format("ca does nothing without TLS; write \"{}://...\" or leave the key out",
                    kind.tls_scheme));
  }
}

void JudgeLookup(const LookupConfig& lookup, const KeyPlaces& keys, Place table,
                 Problems& problems) {
  // A type that is missing or wrong was reported already, and the others depend on it.
  if (keys.count("type") == 0) return;
  const Kind kind = KindOf(lookup.type);
  for (const auto& [key, place] : keys) {
    if (key == "type" || key == "name") continue;
    if (std::find(kind.keys.begin(), kind.keys.end(), key) != kind.keys.end()) continue;
    problems.Error(place, fmt::format("{} is not a key of a lookup of type \"{}\"; it has {}", key,
                                      kind.name, fmt::join(kind.keys, ", ")));
  }
  for (const std::string_view key : {"path", "url", "command"}) {
    if (kind.required.find(key) == std::string_view::npos || keys.count(key) != 0) continue;
    problems.Error(table, fmt::format("a lookup of type \"{}\" needs {}; add {} = \"...\"",
                                      kind.name, key, key));
  }
  if (!lookup.url.empty() && lookup.type != Type::kFile) {
    JudgeUrl(lookup, kind, keys, table, problems);
  }
  if (lookup.type == Type::kRedis && keys.count("user") != 0 && keys.count("password_file") == 0) {
    problems.Error(PlaceIn(keys, "user", table),
                   "user is of no use without a password; add password_file = \"...\"");
  }
}

// "http", "http2": what a lookup without a name is called.
void NameLookups(Draft& draft) {
  auto& lookups = draft.config.lookups;
  for (std::size_t i = 0; i < lookups.size(); ++i) {
    if (!lookups[i].name.empty() || draft.lookup_keys[i].count("name") != 0) continue;
    const std::string_view type = KindOf(lookups[i].type).name;
    const auto taken = [&](const std::string& name) {
      return std::any_of(lookups.begin(), lookups.end(),
                         [&](const LookupConfig& each) { return each.name == name; });
    };
    std::string name(type);
    for (int number = 2; taken(name); ++number) name = fmt::format("{}{}", type, number);
    lookups[i].name = std::move(name);
  }
}

}  // namespace

void JudgeLookups(Draft& draft, Problems& problems) {
  NameLookups(draft);
  for (std::size_t i = 0; i < draft.config.lookups.size(); ++i) {
    JudgeLookup(draft.config.lookups[i], draft.lookup_keys[i], draft.lookup_places[i], problems);
  }
}

void JudgeAccounts(const Draft& draft, Problems& problems) {
  const Config& config = draft.config;
  const bool vouched =
      std::any_of(config.lookups.begin(), config.lookups.end(),
                  [](const LookupConfig& each) { return each.type == Type::kHttp; });
  for (std::size_t i = 0; i < config.pools.size(); ++i) {
    const Place table = draft.pool_places[i];
    if (config.pools[i].master && !vouched) {
      problems.Warn(PlaceIn(draft.master_keys[i], "user", table),
                    "the master account is used only for logins that a lookup has vouched for, "
                    "and none does; add a [[lookup]] with type = \"http\"");
    }
    const KeyPlaces& probe = draft.probe_keys[i];
    if (probe.count("user") == probe.count("password_file")) continue;
    const bool has_user = probe.count("user") != 0;
    problems.Error(PlaceIn(probe, has_user ? "user" : "password_file", table),
                   fmt::format("a probe logs in with user and password_file; add {} = \"...\" or "
                               "leave both out",
                               has_user ? "password_file" : "user"));
  }
}

}  // namespace postern
