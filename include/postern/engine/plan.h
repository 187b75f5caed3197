// Plan: what the engines ask of the configuration. Immutable; a worker holds one at a time and
// swaps it between turns, so an engine asks its host in each call and keeps no reference.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "postern/base/clock.h"
#include "postern/base/ids.h"
#include "postern/base/mechanism.h"

namespace postern {

// How a listener comes to TLS (listener.tls).
enum class ListenerTls : std::uint8_t {
  kImplicit,  // from the first byte
  kStarttls,  // by STARTTLS or STLS; no login before
  kRefuse,    // never; every login is told to use TLS
  kNone,      // plain text for trusted clients; the others as with kRefuse
};

// How a pool's backends are spoken to (pool.tls).
enum class PoolTls : std::uint8_t { kNone, kStarttls, kImplicit };

struct ListenerPlan {
  ListenerTls tls = ListenerTls::kImplicit;
  MechanismSet mechanisms = kAllMechanisms;
};

struct PoolPlan {
  PoolTls tls = PoolTls::kNone;
  // Further verbs and capabilities its backends are trusted with (pool.pass_commands,
  // pool.pass_capabilities); upper case.
  std::vector<std::string> pass_commands;
  std::vector<std::string> pass_capabilities;
  // What the engine says to the backend of the client's address; PROXY v2 is the session's.
  bool forward_id = true;
  bool forward_xclient = false;
};

// What the backends have in common that clients may be told before the login (DESIGN 2.8). Empty
// until probes have found out.
struct CommonOffer {
  std::vector<std::string> imap;  // capabilities that may pass, that every pool has
  bool pop3_utf8 = false;
};

struct Plan {
  std::string name = "postern";  // gateway.name, in greetings
  struct Timeouts {
    Duration handshake = std::chrono::seconds(10);
    Duration login = std::chrono::seconds(180);
    Duration connect = std::chrono::seconds(10);
    Duration imap_idle = std::chrono::minutes(35);
    Duration pop3_idle = std::chrono::minutes(10);
  } timeouts;
  struct Limits {
    std::size_t sessions = 0;  // 0: what the descriptor limit allows
    std::uint32_t login_attempts = 3;
    std::uint64_t append = 0;  // octets of the largest APPEND literal; 0: no limit of ours
  } limits;
  Duration slow = std::chrono::seconds(1);  // log.slow
  // By ListenerId and PoolId. What is gone from the configuration keeps its place while sessions
  // may use it.
  std::vector<ListenerPlan> listeners;
  std::vector<PoolPlan> pools;

  // Tests and tools make plans without lists; the defaults stand for what is not there.
  ListenerPlan listener(ListenerId id) const {
    return id < listeners.size() ? listeners[id] : ListenerPlan{};
  }
  PoolPlan pool(PoolId id) const { return id < pools.size() ? pools[id] : PoolPlan{}; }
  // Of a pool, without a copy. Views of the plan.
  std::span<const std::string> pass_commands(PoolId id) const {
    if (id >= pools.size()) return {};
    return pools[id].pass_commands;
  }
  std::span<const std::string> pass_capabilities(PoolId id) const {
    if (id >= pools.size()) return {};
    return pools[id].pass_capabilities;
  }
};

}  // namespace postern
