// Routes: the configured pools and backends, and who of them is to be tried for a login. Immutable;
// any thread. What is known of the backends' health is in BackendHealth.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "postern/base/address.h"
#include "postern/base/clock.h"
#include "postern/base/ids.h"
#include "postern/engine/plan.h"
#include "postern/gateway/backend_health.h"

namespace postern {

// The first choice and one failover (DESIGN 1.2, timeouts.connect).
inline constexpr std::size_t kMaxCandidates = 2;

struct Backend {
  std::string name;
  PoolId pool = 0;
  // By protocol. An address of no family is a name that was not resolved yet.
  bool serves[kProtocolCount] = {false, false};
  Address address[kProtocolCount];
  // The name its certificate must be for, and SNI.
  std::string tls_name[kProtocolCount];
};

enum class Balance : std::uint8_t { kUser, kLeast };

struct Pool {
  std::string name;
  std::vector<BackendId> backends;
  PoolTls tls = PoolTls::kNone;
  bool forward_proxy2 = false;
  Balance balance = Balance::kUser;
};

// The backends to try for a login, best first.
struct Candidates {
  BackendId id[kMaxCandidates] = {kNoBackend, kNoBackend};
  std::size_t count = 0;
};

class Routes {
 public:
  // By PoolId and BackendId. Backends that no pool lists are gone from the configuration; sessions
  // of theirs may still run.
  Routes(std::vector<Pool> pools, std::vector<Backend> backends, PoolId routing_pool);

  const Backend& backend(BackendId id) const { return backends_[id]; }
  const Pool& pool(PoolId id) const { return pools_[id]; }
  const std::vector<Pool>& pools() const { return pools_; }
  const std::vector<Backend>& backends() const { return backends_; }
  // Where sessions go when nothing else says so.
  PoolId routing_pool() const { return routing_pool_; }

  // Where a login may go.
  struct Wish {
    PoolId pool = kNoPool;
    BackendId backend = kNoBackend;  // only this one, if it can be had
    Protocol protocol = Protocol::kImap;
    std::string_view user;  // ASCII letters count as in lower case
  };
  // Never a backend that is down or draining, nor one whose name is not resolved. balance = user:
  // rendezvous hash over the pool's backends: when one goes, only its own users move, and they come
  // back over its slow start, each at a moment of its own. balance = least: the backends with the
  // fewest sessions; one in its slow start counts as if it had more. A wish for one backend gets it
  // also within kRetryAfter of a failure, and never another.
  Candidates Choose(const BackendHealth& health, const Wish& wish, Instant now) const;

 private:
  struct Rank;
  bool CanBeHad(const BackendHealth& health, const Wish& wish, BackendId id, Instant now) const;
  Rank RankOf(const BackendHealth& health, const Wish& wish, std::uint64_t key, BackendId id,
              Instant now) const;

  std::vector<Pool> pools_;
  std::vector<Backend> backends_;
  std::vector<std::uint64_t> seeds_;
  PoolId routing_pool_;
};

}  // namespace postern
