// Rules and lookups.
#include <algorithm>

#include "metrics/collect.h"

namespace postern {

void CollectRules(const Source& source, const ProcessFigures& figures, Exposition& out) {
  out.Counters("postern_rule_hits_total",
               "Matches of a rule that took effect, or would have (mode report).");
  for (std::size_t rule = 0; rule < source.names.rules.size(); ++rule) {
    const MetricNames::Rule& names = source.names.rules[rule];
    std::uint64_t hits = 0;
    for (const Shard::Data* data : source.shards) {
      if (rule < data->rules.size()) hits += data->rules[rule].value();
    }
    out.Used({{"rule", names.name}, {"then", names.then}, {"mode", names.mode}}, hits);
  }
  out.Counters("postern_rule_errors_total", "Matches that could not be made for want of memory.");
  out.Sample({}, source.Sum([](const auto& data) -> auto& { return data.rule_errors; }));
  out.Gauges("postern_rules_memory_bytes", "Memory of the compiled rules of all workers.");
  if (figures.rules_memory) out.Sample({}, figures.rules_memory());
}

void CollectLookups(const Source& source, Exposition& out) {
  std::size_t room = source.names.lookups.size();
  for (const Shard::Data* data : source.shards) room = std::min(room, data->lookups.size());
  if (source.shards.empty()) room = 0;
  out.Counters("postern_lookup_requests_total", "Questions to a lookup, by outcome.");
  for (std::size_t lookup = 0; lookup < room; ++lookup) {
    for (std::size_t result = 0; result < kLookupResultNames.size(); ++result) {
      out.Used({{"lookup", source.names.lookups[lookup]}, {"result", kLookupResultNames[result]}},
               source.Sum([&](const auto& data) -> auto& {
                 return data.lookups[lookup].results[result];
               }));
    }
  }
  out.Histograms("postern_lookup_duration_seconds", "From asking a lookup to its outcome.");
  for (std::size_t lookup = 0; lookup < room; ++lookup) {
    out.Used({{"lookup", source.names.lookups[lookup]}},
             source.SumHistograms([&](const auto& data) -> auto& {
               return data.lookups[lookup].duration;
             }));
  }
  out.Counters("postern_lookup_cache_hits_total", "Questions that a lookup's cache answered.");
  for (std::size_t lookup = 0; lookup < room; ++lookup) {
    out.Used({{"lookup", source.names.lookups[lookup]}}, source.Sum([&](const auto& data) -> auto& {
      return data.lookups[lookup].cache_hits;
    }));
  }
}

}  // namespace postern
