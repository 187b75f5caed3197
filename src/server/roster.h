// Roster: the ids of listeners, pools and backends, which stay with their names as long as the
// process lives: sessions and metrics of before a reload keep meaning what they meant. Owned by the
// fleet; main thread.
#pragma once

#include <string>
#include <vector>

#include "postern/metrics/registry.h"
#include "postern/metrics/shard.h"
#include "postern/server/config.h"

namespace postern {

class Roster {
 public:
  // Places for what this configuration names, and room for what reloads may add.
  explicit Roster(const Config& config);
  const ShardSize& capacity() const { return capacity_; }

  // Gives ids to what is new. The error says that there is no room left; nothing is changed then.
  Status Add(const Config& config);
  ListenerId listener(const std::string& name) const;
  PoolId pool(const std::string& name) const;
  BackendId backend(PoolId pool, const std::string& name) const;
  LookupSlot lookup(const std::string& name) const;
  // Where each of these rules is counted, by RuleId; a rule that is not known has no place.
  std::vector<RuleSlot> RuleSlots(const RuleBook& book) const;

  // By id; without the certificates.
  const MetricNames& names() const { return names_; }

 private:
  void AddRules(const RuleBook& book, MetricNames& names) const;

  ShardSize capacity_;
  MetricNames names_;
};

}  // namespace postern
