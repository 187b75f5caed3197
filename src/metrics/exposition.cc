#include "metrics/exposition.h"

#include <prometheus/text_serializer.h>

#include <limits>
#include <numeric>
#include <sstream>

namespace postern {
namespace {

double ToSeconds(std::int64_t nanoseconds) { return static_cast<double>(nanoseconds) / 1e9; }

}  // namespace

std::uint64_t HistogramSum::count() const {
  return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
}

void Exposition::Begin(std::string_view name, std::string_view help, prometheus::MetricType type) {
  families_.push_back({std::string(name), std::string(help), type, {}});
}

void Exposition::Counters(std::string_view name, std::string_view help) {
  Begin(name, help, prometheus::MetricType::Counter);
}

void Exposition::Gauges(std::string_view name, std::string_view help) {
  Begin(name, help, prometheus::MetricType::Gauge);
}

void Exposition::Histograms(std::string_view name, std::string_view help) {
  Begin(name, help, prometheus::MetricType::Histogram);
}

prometheus::ClientMetric* Exposition::Add(Labels labels, std::size_t series) {
  if (series_ + series > most_) {
    dropped_ += series;
    return nullptr;
  }
  series_ += series;
  prometheus::ClientMetric& metric = families_.back().metric.emplace_back();
  for (const Label& label : labels) {
    metric.label.push_back({std::string(label.name), std::string(label.value)});
  }
  return &metric;
}

void Exposition::Sample(Labels labels, double value) {
  prometheus::ClientMetric* metric = Add(labels, 1);
  if (metric == nullptr) return;
  if (families_.back().type == prometheus::MetricType::Counter) {
    metric->counter.value = value;
  } else {
    metric->gauge.value = value;
  }
}

void Exposition::Used(Labels labels, const HistogramSum& sum) {
  if (sum.count() == 0) return;
  // The buckets, their sum and their count are a series each.
  prometheus::ClientMetric* metric = Add(labels, sum.counts.size() + 2);
  if (metric == nullptr) return;
  std::uint64_t cumulative = 0;
  for (std::size_t i = 0; i < sum.counts.size(); ++i) {
    cumulative += sum.counts[i];
    const double bound =
        i < sum.bounds.size() ? ToSeconds(sum.bounds[i]) : std::numeric_limits<double>::infinity();
    metric->histogram.bucket.push_back({cumulative, bound});
  }
  metric->histogram.sample_count = cumulative;
  metric->histogram.sample_sum = static_cast<double>(sum.sum_nanoseconds) / 1e9;
}

std::string Exposition::Text() {
  std::erase_if(families_, [](const auto& family) { return family.metric.empty(); });
  std::ostringstream out;
  prometheus::TextSerializer().Serialize(out, families_);
  return out.str();
}

}  // namespace postern
