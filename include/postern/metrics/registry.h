// Registry: sums the shards of all workers into Prometheus text when scraped. Owned by the server,
// used on the admin thread; never touches a worker's loop. The only place that knows
// prometheus-cpp.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "postern/metrics/shard.h"

namespace postern {

// Names of the configured things, by index; a backend with its pool.
struct MetricNames {
  std::vector<std::string> listeners;
  std::vector<std::string> pools;
  struct Backend {
    std::string name;
    PoolId pool;
  };
  std::vector<Backend> backends;
  std::vector<std::string> certificates;
  struct Rule {
    std::string name;
    std::string then;
    std::string mode;
  };
  std::vector<Rule> rules;           // by RuleSlot
  std::vector<std::string> lookups;  // by LookupSlot
};

// Figures that no worker owns, asked at each scrape on the admin thread.
struct ProcessFigures {
  std::function<bool(BackendId)> backend_up;
  std::function<std::string_view(BackendId)> backend_state;  // up, failing, down, draining
  std::function<std::int64_t(std::size_t certificate)> certificate_not_after;  // seconds since 1970
  std::function<std::uint64_t()> log_dropped;
  // Reloads that were applied, and refused.
  std::function<std::uint64_t()> reloads_applied;
  std::function<std::uint64_t()> reloads_refused;
  std::function<std::uint64_t()> rules_memory;  // bytes of all compiled rule sets
  std::string version;                          // labels of postern_build_info
  std::string tls_library;
};

class Registry {
 public:
  Registry(MetricNames names, ProcessFigures figures);
  ~Registry();
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  // After a reload: what was configured later comes behind what was there before.
  void SetNames(MetricNames names);
  // Before the first scrape; the shards outlive the registry. The index is the worker label.
  void AddShard(const Shard& shard);
  // One of a thread that has no sessions: behind the workers'.
  void AddSideShard(const Shard& shard);
  // The exposition text (version 0.0.4), whole.
  std::string Scrape() const;

 private:
  struct Inner;
  std::unique_ptr<Inner> inner_;
};

}  // namespace postern
