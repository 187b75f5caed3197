// Counts allocations of the whole process, for microbenchmarks: `bench_micro` replaces operator
// new. One thread. A relayed frame must not allocate, and this is how that is seen.
#pragma once

#include <benchmark/benchmark.h>

#include <cmath>
#include <cstdint>

namespace postern {

uint64_t AllocationsSoFar();

// From construction to destruction: allocations an iteration, as counter `allocs` of the benchmark.
class AllocationsPerIteration {
 public:
  explicit AllocationsPerIteration(benchmark::State& state)
      : state_(state), before_(AllocationsSoFar()) {}
  ~AllocationsPerIteration() {
    const auto count = static_cast<double>(AllocationsSoFar() - before_);
    // Rounded: the loop of the library itself allocates a few times a run.
    const auto iterations = static_cast<double>(state_.iterations());
    state_.counters["allocs"] = std::round(count / iterations * 100) / 100;
  }
  AllocationsPerIteration(const AllocationsPerIteration&) = delete;
  AllocationsPerIteration& operator=(const AllocationsPerIteration&) = delete;

 private:
  benchmark::State& state_;
  const uint64_t before_;
};

}  // namespace postern
