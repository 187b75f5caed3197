// The families of DESIGN 1.4, each summed over the shards into an Exposition. For the registry
// only.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "metrics/exposition.h"
#include "metrics/shard_data.h"
#include "postern/metrics/registry.h"

namespace postern {

// What a scrape reads.
struct Source {
  const MetricNames& names;
  const std::vector<const Shard::Data*>& shards;
  std::size_t workers;  // so many shards, from the first, are workers'

  // Label values; the first slot is "none".
  std::string_view pool(std::size_t slot) const {
    return slot == 0 ? "none" : std::string_view(names.pools[slot - 1]);
  }
  std::string_view backend(std::size_t slot) const {
    return slot == 0 ? "none" : std::string_view(names.backends[slot - 1].name);
  }
  std::string_view pool_of_backend(std::size_t slot) const {
    return slot == 0 ? "none" : pool(names.backends[slot - 1].pool + 1u);
  }

  // The sum over the shards of what read(data) gives: a counter or a number.
  template <typename Read>
  std::uint64_t Sum(Read read) const {
    std::uint64_t sum = 0;
    for (const Shard::Data* data : shards) sum += read(*data).value();
    return sum;
  }
  // The same for a Lazy histogram.
  template <typename Read>
  HistogramSum SumHistograms(Read read) const {
    HistogramSum sum;
    for (const Shard::Data* data : shards) sum.Add(read(*data).peek());
    return sum;
  }
};

void CollectCommands(const Source& source, Exposition& out);
void CollectTransfers(const Source& source, Exposition& out);
void CollectSessions(const Source& source, Exposition& out);
void CollectLogins(const Source& source, Exposition& out);
void CollectHandshakes(const Source& source, Exposition& out);
void CollectExposure(const Source& source, Exposition& out);
void CollectBytes(const Source& source, Exposition& out);
void CollectBackends(const Source& source, const ProcessFigures& figures, Exposition& out);
void CollectRules(const Source& source, const ProcessFigures& figures, Exposition& out);
void CollectLookups(const Source& source, Exposition& out);
void CollectWorkers(const Source& source, Exposition& out);
void CollectProcess(const Source& source, const ProcessFigures& figures, Exposition& out);

}  // namespace postern
