#include "server/roster.h"

#include <algorithm>
#include <utility>

namespace postern {
namespace {

constexpr std::size_t kSpareListeners = 16;
constexpr std::size_t kSparePools = 32;
constexpr std::size_t kSpareBackends = 256;

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
                config.backends.size() + kSpareBackends} {}

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
  if (names.listeners.size() > capacity_.listeners || names.pools.size() > capacity_.pools ||
      names.backends.size() > capacity_.backends) {
    return Status::Error(
        "more listeners, pools or backends were named since the start than there is room for; "
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

BackendId Roster::backend(PoolId pool, const std::string& name) const {
  return static_cast<BackendId>(IndexOfBackend(names_, pool, name));
}

}  // namespace postern
