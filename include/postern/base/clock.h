// Instants and durations. Latencies and deadlines are monotonic; wall clock time is for logs only.
#pragma once

#include <chrono>

namespace postern {

using Duration = std::chrono::nanoseconds;
using Instant = std::chrono::time_point<std::chrono::steady_clock, Duration>;

// The monotonic clock. About 25 ns; any thread. Engines do not call it: they ask their host.
inline Instant MonotonicNow() { return std::chrono::steady_clock::now(); }

}  // namespace postern
