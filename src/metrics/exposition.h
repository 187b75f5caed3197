// Exposition: collects families of samples for one scrape and turns them into text. A value of one
// scrape, one thread. Knows prometheus-cpp and nothing of mail.
#pragma once

#include <prometheus/metric_family.h>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "metrics/histogram.h"

namespace postern {

// A histogram's numbers, added up over the workers.
struct HistogramSum {
  template <const auto& kBounds>
  void Add(const Histogram<kBounds>* histogram) {
    if (histogram == nullptr) return;
    counts.resize(histogram->kBuckets);
    bounds.assign(histogram->bounds().begin(), histogram->bounds().end());
    for (std::size_t i = 0; i < counts.size(); ++i) counts[i] += histogram->count(i);
    sum_nanoseconds += histogram->sum_nanoseconds();
  }
  std::uint64_t count() const;

  std::vector<std::uint64_t> counts;  // each bucket's own; the last is what is above all bounds
  std::vector<std::int64_t> bounds;   // nanoseconds
  std::uint64_t sum_nanoseconds = 0;
};

class Exposition {
 public:
  struct Label {
    std::string_view name;
    std::string_view value;
  };
  using Labels = std::initializer_list<Label>;

  // No more series than most come out; a family's later ones are left out first, and counted.
  explicit Exposition(std::size_t most) : most_(most) {}

  // The samples that follow belong to this family.
  void Counters(std::string_view name, std::string_view help);
  void Gauges(std::string_view name, std::string_view help);
  void Histograms(std::string_view name, std::string_view help);

  void Sample(Labels labels, double value);
  void Sample(Labels labels, std::uint64_t value) { Sample(labels, static_cast<double>(value)); }
  // Nothing for zero: a counter's series appears on first use.
  void Used(Labels labels, std::uint64_t value) {
    if (value > 0) Sample(labels, value);
  }
  // Nothing when nothing was observed.
  void Used(Labels labels, const HistogramSum& sum);

  std::size_t dropped() const { return dropped_; }
  // The exposition format, version 0.0.4. Families without samples do not show.
  std::string Text();

 private:
  void Begin(std::string_view name, std::string_view help, prometheus::MetricType type);
  // A new metric of the current family; null when it would be series too many.
  prometheus::ClientMetric* Add(Labels labels, std::size_t series);

  const std::size_t most_;
  std::size_t series_ = 0;
  std::size_t dropped_ = 0;
  std::vector<prometheus::MetricFamily> families_;
};

}  // namespace postern
