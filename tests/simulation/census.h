// Census: what a run has met, over all of its worlds: how sessions ended, what commands came to,
// how much was held at most. A simulation that meets nothing proves nothing. One thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "metrics/shard_data.h"

namespace postern::testing {

class Census {
 public:
  // A world is over.
  void Add(const Shard::Data& data, std::uint64_t steps, std::int64_t most_held);
  // Lines for people.
  std::string Text() const;
  // Names of what a long enough run meets and this one did not; empty when there is none.
  std::string Missing() const;

 private:
  using Counts = std::array<std::uint64_t, kCloseReasonCount>;
  std::uint64_t steps_ = 0;
  std::int64_t most_held_ = 0;
  std::array<Counts, kProtocolCount> ends_{};
  std::array<std::array<std::uint64_t, kResultNames.size()>, kProtocolCount> results_{};
  std::array<std::array<std::uint64_t, kLoginResultNames.size()>, kProtocolCount> logins_{};
  std::array<std::uint64_t, kBackendFailureCount> failures_{};
};

}  // namespace postern::testing
