// Backends: the configured pools and what is known of their backends' health. The lists are
// immutable; the health is a few relaxed atomics per backend, written when a connect fails or a
// login goes through, never per command. One object for the process, shared by all workers;
// outlives them.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "postern/base/clock.h"
#include "postern/base/ids.h"
#include "postern/net/address.h"

namespace postern {

// A failed backend is not tried again before this.
inline constexpr Duration kRetryAfter = std::chrono::seconds(5);
// The first choice and one failover (DESIGN 1.2, timeouts.connect).
inline constexpr std::size_t kMaxCandidates = 2;

struct Backend {
  std::string name;
  PoolId pool = 0;
  bool serves[kProtocolCount] = {false, false};
  Address address[kProtocolCount];
};

struct Pool {
  std::string name;
  std::vector<BackendId> backends;
};

// The backends to try for a login, best first.
struct Candidates {
  BackendId id[kMaxCandidates] = {kNoBackend, kNoBackend};
  std::size_t count = 0;
};

class Backends {
 public:
  Backends(std::vector<Pool> pools, std::vector<Backend> backends);

  const Backend& backend(BackendId id) const { return backends_[id]; }
  const Pool& pool(PoolId id) const { return pools_[id]; }
  std::size_t pool_count() const { return pools_.size(); }
  std::size_t backend_count() const { return backends_.size(); }

  // Rendezvous hash of the user (ASCII letters in lower case) over the pool's backends that serve
  // the protocol and did not fail within kRetryAfter: when a backend goes, only its own users move.
  // Any thread.
  Candidates Choose(PoolId pool, Protocol protocol, std::string_view user, Instant now) const;
  // What became of a connection. Any thread.
  void Failed(BackendId id, Instant now);
  void Succeeded(BackendId id);
  // False from a failure to the next success. Any thread.
  bool up(BackendId id) const;

 private:
  struct Health {
    std::atomic<std::int64_t> retry_at{0};  // nanoseconds of the monotonic clock; 0: up
  };
  std::vector<Pool> pools_;
  std::vector<Backend> backends_;
  std::vector<std::uint64_t> seeds_;
  std::vector<Health> health_;
};

}  // namespace postern
