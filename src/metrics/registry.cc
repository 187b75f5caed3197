#include "postern/metrics/registry.h"

#include <atomic>

#include "metrics/collect.h"

namespace postern {
namespace {

// Prometheus' memory is the reason: more series than this are a mistake, not a measurement.
constexpr std::size_t kMaxSeries = 100'000;

}  // namespace

struct Registry::Inner {
  MetricNames names;
  ProcessFigures figures;
  std::vector<const Shard::Data*> shards;  // of the workers, then the others
  std::size_t workers = 0;
  std::atomic<std::uint64_t> dropped{0};  // series left out, over all scrapes
};

Registry::Registry(MetricNames names, ProcessFigures figures) : inner_(std::make_unique<Inner>()) {
  inner_->names = std::move(names);
  inner_->figures = std::move(figures);
}

Registry::~Registry() = default;

void Registry::SetNames(MetricNames names) { inner_->names = std::move(names); }

void Registry::AddShard(const Shard& shard) {
  AddSideShard(shard);
  ++inner_->workers;
}

void Registry::AddSideShard(const Shard& shard) { inner_->shards.push_back(&shard.data()); }

std::string Registry::Scrape() const {
  const Source source{inner_->names, inner_->shards, inner_->workers};
  // One is kept for the series that says how many are missing.
  Exposition out(kMaxSeries - 1);
  CollectProcess(source, inner_->figures, out);
  CollectWorkers(source, out);
  CollectSessions(source, out);
  CollectLogins(source, out);
  CollectHandshakes(source, out);
  CollectExposure(source, out);
  CollectBackends(source, inner_->figures, out);
  CollectRules(source, inner_->figures, out);
  CollectLookups(source, out);
  CollectBytes(source, out);
  CollectCommands(source, out);
  CollectTransfers(source, out);
  Exposition end(1);
  end.Counters(
      "postern_series_dropped_total",
      "Series left out of scrapes because there were more than 100,000, and what rules and "
      "lookups beyond the room for them would have counted.");
  const std::uint64_t beyond =
      source.Sum([](const auto& data) -> auto& { return data.beyond_room; });
  end.Sample({}, inner_->dropped.fetch_add(out.dropped()) + out.dropped() + beyond);
  return out.Text() + end.Text();
}

}  // namespace postern
