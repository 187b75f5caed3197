// Places: where lookups may send a user: the configured pools and backends by name and by address.
// Immutable; any thread. Knows nothing of users or of health.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "postern/base/address.h"
#include "postern/base/ids.h"
#include "postern/base/status.h"
#include "postern/lookup/lookups.h"

namespace postern {

struct Place {
  PoolId pool = kNoPool;
  BackendId backend = kNoBackend;  // kNoBackend: any of the pool
  bool operator==(const Place&) const = default;
};

class Places {
 public:
  // Pools without backends, and backends that no pool lists, are gone from the configuration and
  // are not found.
  explicit Places(const LookupTargets& targets);
  // "pool" or "pool/backend". The error names what is not known, and the nearest name that is.
  Result<Place> Named(std::string_view text) const;
  // The backend that serves the protocol at this address; of several the first in the
  // configuration.
  std::optional<Place> At(Protocol protocol, const Address& address) const;
  // Whether the place is one still: an answer may be older than the configuration.
  bool Has(Place place) const;

 private:
  struct Target {
    PoolId pool;
    std::unordered_map<std::string, BackendId> backends;
  };
  std::unordered_map<std::string, Target> by_name_;
  std::unordered_map<BackendId, PoolId> pool_of_;
  std::unordered_map<std::string, Place> by_address_[kProtocolCount];
};

}  // namespace postern
