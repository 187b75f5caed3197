#include "server/check_lookups.h"

#include "postern/lookup/lookups.h"

namespace postern {

void CheckUserFiles(const Config& config, ConfigErrors& errors) {
  LookupTargets targets;
  for (const PoolConfig& from : config.pools) {
    Pool& pool = targets.pools.emplace_back();
    pool.name = from.name;
    pool.backends = from.backends;
  }
  for (const BackendConfig& from : config.backends) {
    targets.backends.emplace_back().name = from.name;
  }
  for (const LookupConfig& lookup : config.lookups) {
    if (lookup.type != LookupConfig::Type::kFile) continue;
    const Status status = CheckUserFile(lookup.path, targets);
    if (!status.ok()) errors.errors.push_back(lookup.place + ": " + status.message());
  }
}

}  // namespace postern
