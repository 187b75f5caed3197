#include "metrics/exposition.h"

#include <catch2/catch.hpp>

#include "metrics/process.h"

namespace postern {
namespace {

TEST_CASE("Samples become the text that Prometheus reads") {
  Exposition out(100);
  out.Counters("a_total", "An a.");
  out.Used({{"x", "1"}}, std::uint64_t{0});
  out.Used({{"x", "q\"b\\s\nl"}}, std::uint64_t{7});
  out.Gauges("b", "A b.");
  out.Sample({}, 2.5);
  out.Counters("empty_total", "Nothing.");
  CHECK(out.Text() ==
        "# HELP a_total An a.\n"
        "# TYPE a_total counter\n"
        "a_total{x=\"q\\\"b\\\\s\\nl\"} 7\n"
        "# HELP b A b.\n"
        "# TYPE b gauge\n"
        "b 2.5\n");
}

TEST_CASE("Histograms are cumulative and count what their buckets count") {
  FirstByteHistogram histogram;
  histogram.Observe(std::chrono::milliseconds(1));
  histogram.Observe(std::chrono::milliseconds(300));
  histogram.Observe(std::chrono::seconds(61));
  HistogramSum sum;
  sum.Add(&histogram);
  sum.Add(&histogram);
  Exposition out(100);
  out.Histograms("h", "A histogram.");
  out.Used({{"k", "v"}}, sum);
  out.Used({{"k", "none"}}, HistogramSum());
  CHECK(out.Text() ==
        "# HELP h A histogram.\n"
        "# TYPE h histogram\n"
        "h_count{k=\"v\"} 6\n"
        "h_sum{k=\"v\"} 122.602\n"
        "h_bucket{k=\"v\",le=\"0.001\"} 2\n"
        "h_bucket{k=\"v\",le=\"0.005\"} 2\n"
        "h_bucket{k=\"v\",le=\"0.025\"} 2\n"
        "h_bucket{k=\"v\",le=\"0.1\"} 2\n"
        "h_bucket{k=\"v\",le=\"0.5\"} 4\n"
        "h_bucket{k=\"v\",le=\"2.5\"} 4\n"
        "h_bucket{k=\"v\",le=\"10\"} 4\n"
        "h_bucket{k=\"v\",le=\"60\"} 4\n"
        "h_bucket{k=\"v\",le=\"+Inf\"} 6\n");
}

TEST_CASE("Series beyond the cap are left out whole and counted") {
  Exposition out(3);
  out.Counters("a_total", "An a.");
  out.Sample({{"n", "1"}}, 1.0);
  out.Sample({{"n", "2"}}, 1.0);
  FirstByteHistogram histogram;
  histogram.Observe(std::chrono::milliseconds(1));
  HistogramSum sum;
  sum.Add(&histogram);
  out.Histograms("h", "A histogram.");
  out.Used({}, sum);
  out.Counters("b_total", "A b.");
  out.Sample({{"n", "1"}}, 1.0);
  out.Sample({{"n", "2"}}, 1.0);
  CHECK(out.dropped() == 11 + 1);
  const std::string text = out.Text();
  CHECK(text.find("h_") == std::string::npos);
  CHECK(text.find("b_total{n=\"1\"}") != std::string::npos);
  CHECK(text.find("b_total{n=\"2\"}") == std::string::npos);
}

TEST_CASE("The process has plausible figures") {
  const ProcessState state = ReadProcessState();
  CHECK(state.start_time_seconds > 1'500'000'000);
  CHECK(state.resident_memory_bytes > 100'000);
  CHECK(state.virtual_memory_bytes >= state.resident_memory_bytes);
  CHECK(state.open_fds >= 3);
  CHECK(state.max_fds >= state.open_fds);
}

}  // namespace
}  // namespace postern
