// Routes: the configured pools and backends, immutable; and BackendHealth: what is known of them,
// a few relaxed atomics per backend, written when a connect fails or a login goes through, never
// per command. Health is one object for the process and outlives every reload; its indices are the
// BackendIds, which stay with a backend's name.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "postern/base/address.h"
#include "postern/base/clock.h"
#include "postern/base/ids.h"
#include "postern/engine/plan.h"

namespace postern {

// A failed backend is not tried again before this.
inline constexpr Duration kRetryAfter = std::chrono::seconds(5);
// Sessions that may wait for one backend to greet them (SECURITY R-07).
inline constexpr std::uint32_t kMaxConnecting = 1000;
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

class BackendHealth {
 public:
  explicit BackendHealth(std::size_t capacity) : retry_at_(capacity), connecting_(capacity) {}
  std::size_t capacity() const { return retry_at_.size(); }

  // A session came to the backend, or left it. Any thread.
  void SessionOpened(BackendId id);
  void SessionClosed(BackendId id);
  // What became of a connection. Any thread.
  void Failed(BackendId id, Instant now);
  void Succeeded(BackendId id);
  // False from a failure to the next success. Any thread.
  bool up(BackendId id) const;
  // False for kRetryAfter behind a failure. Any thread.
  bool rested(BackendId id, Instant now) const;

  // One of kMaxConnecting places in front of a backend, held from the dial to its greeting: a
  // backend that is slow to greet keeps no more than these waiting. Any thread.
  class Place {
   public:
    Place(BackendHealth& health, BackendId id);
    ~Place();
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    bool taken() const { return taken_; }

   private:
    std::atomic<std::uint32_t>& count_;
    bool taken_;
  };

 private:
  // Nanoseconds of the monotonic clock; 0: up.
  std::vector<std::atomic<std::int64_t>> retry_at_;
  std::vector<std::atomic<std::uint32_t>> connecting_;
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
  // balance = user: rendezvous hash over the pool's backends that can be had: when a backend goes,
  // only its own users move, and they come back over its slow start. balance = least: the backend
  // with the fewest sessions. Any thread.
  Candidates Choose(const BackendHealth& health, const Wish& wish, Instant now) const;

 private:
  std::vector<Pool> pools_;
  std::vector<Backend> backends_;
  std::vector<std::uint64_t> seeds_;
  PoolId routing_pool_;
};

}  // namespace postern
