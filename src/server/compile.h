// What of a configuration takes long to make ready: rule sets, one for each worker, and lookups
// with their files. Ordered on the main thread, which knows the ids, and made on the loader's.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "postern/base/status.h"
#include "postern/gateway/setup.h"
#include "postern/lookup/lookups.h"
#include "postern/rules/rule_set.h"
#include "postern/server/config.h"

namespace postern {

// All that compiling needs; a value that refers to nothing of the main thread's but the lookup
// thread, which outlives it.
struct CompileOrder {
  std::shared_ptr<const RuleBook> book;
  RuleNames names;
  std::size_t workers = 0;
  std::vector<LookupConfig> lookups;
  std::vector<LookupSlot> lookup_slots;
  LookupTargets targets;
  LookupThread* lookup_thread = nullptr;
  std::vector<std::optional<MasterConfig>> masters;  // by PoolId
};

struct Compiled {
  std::vector<std::shared_ptr<RuleSet>> rules;  // one a worker
  std::shared_ptr<Lookup> lookup;
  std::vector<std::shared_ptr<const MasterAccount>> masters;
};

// Takes tens of milliseconds for a thousand rules and seconds for a million lines. Any thread.
Result<Compiled> Compile(const CompileOrder& order);

}  // namespace postern
