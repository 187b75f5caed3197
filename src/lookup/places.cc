#include "lookup/places.h"

#include <vector>

#include "postern/base/text.h"

namespace postern {
namespace {

std::string Quoted(std::string_view name) { return JsonQuote(name, 64); }

template <typename Map>
Status Unknown(std::string_view what, std::string_view name, const Map& known) {
  std::vector<std::string_view> names;
  for (const auto& [each, value] : known) names.push_back(each);
  const std::string_view nearest = NearestName(name, names);
  std::string message = std::string(what) + " " + Quoted(name) + " is not configured";
  if (!nearest.empty()) message += ", did you mean " + Quoted(nearest) + "?";
  return Status::Error(std::move(message));
}

}  // namespace

Places::Places(const LookupTargets& targets) {
  for (std::size_t p = 0; p < targets.pools.size(); ++p) {
    const Pool& pool = targets.pools[p];
    if (pool.backends.empty()) continue;
    Target target{static_cast<PoolId>(p), {}};
    for (const BackendId id : pool.backends) {
      const Backend& backend = targets.backends[id];
      target.backends.emplace(backend.name, id);
      pool_of_.emplace(id, target.pool);
      for (std::size_t protocol = 0; protocol < kProtocolCount; ++protocol) {
        if (!backend.serves[protocol]) continue;
        by_address_[protocol].emplace(backend.address[protocol].Text(), Place{target.pool, id});
      }
    }
    by_name_.emplace(pool.name, std::move(target));
  }
}

Result<Place> Places::Named(std::string_view text) const {
  const std::size_t slash = text.find('/');
  const std::string_view pool = text.substr(0, slash);
  const auto target = by_name_.find(std::string(pool));
  if (target == by_name_.end()) return Unknown("pool", pool, by_name_);
  Place place{target->second.pool, kNoBackend};
  if (slash == text.npos) return place;
  const std::string_view name = text.substr(slash + 1);
  const auto backend = target->second.backends.find(std::string(name));
  if (backend == target->second.backends.end()) {
    return Unknown("backend of pool " + Quoted(pool) + ":", name, target->second.backends);
  }
  place.backend = backend->second;
  return place;
}

std::optional<Place> Places::At(Protocol protocol, const Address& address) const {
  const auto& places = by_address_[static_cast<std::size_t>(protocol)];
  const auto found = places.find(address.Text());
  if (found == places.end()) return std::nullopt;
  return found->second;
}

bool Places::Has(Place place) const {
  if (place.backend != kNoBackend) {
    const auto backend = pool_of_.find(place.backend);
    return backend != pool_of_.end() && backend->second == place.pool;
  }
  for (const auto& [name, target] : by_name_) {
    if (target.pool == place.pool) return true;
  }
  return false;
}

}  // namespace postern
