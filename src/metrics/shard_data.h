// Shard::Data: where a shard keeps its numbers, and the closed lists of label values. For the
// shard, which writes, and the registry, which reads; the tables have their final size from the
// start.
#pragma once

#include <array>
#include <string_view>
#include <vector>

#include "metrics/histogram.h"
#include "postern/imap/command.h"
#include "postern/metrics/shard.h"
#include "postern/pop3/command.h"

namespace postern {

// By the value of the enum.
inline constexpr std::array<std::string_view, kProtocolCount> kProtocolNames{"imap", "pop3"};
inline constexpr std::array<std::string_view, 7> kResultNames{"ok",     "no",    "bad",    "err",
                                                              "denied", "local", "aborted"};
inline constexpr std::array<std::string_view, 4> kStateNames{"handshake", "login", "relay",
                                                             "closing"};
inline constexpr std::array<std::string_view, 5> kLoginResultNames{"ok", "failed", "unavailable",
                                                                   "limit", "aborted"};
inline constexpr std::array<std::string_view, 4> kPhaseNames{"lookup", "connect", "tls", "login"};
inline constexpr std::array<std::string_view, 2> kSideNames{"client", "backend"};
inline constexpr std::array<std::string_view, 2> kDirectionNames{"in", "out"};
inline constexpr std::array<std::string_view, 9> kRewriteNames{
    "literal",         "spaces",  "capability", "id",      "enable",
    "mailbox_literal", "examine", "deselect",   "unselect"};
inline constexpr std::array<std::string_view, kBackendFailureCount> kFailureNames{
    "connect", "timeout", "greeting", "protocol", "closed", "tls"};

inline constexpr std::array<std::string_view, 4> kBackendStateNames{"up", "failing", "down",
                                                                    "draining"};
inline constexpr std::array<std::string_view, 2> kAdmissionNames{"sessions", "memory"};
inline constexpr std::array<std::string_view, 4> kLookupResultNames{"found", "unknown", "refused",
                                                                    "unavailable"};

// "other" for what is not in the list; "none" when a handshake failed before it was agreed on.
inline constexpr std::array<std::string_view, 6> kVersionNames{"other", "none", "1.0",
                                                               "1.1",   "1.2",  "1.3"};
inline constexpr std::array<std::string_view, 15> kCipherNames{
    "other", "none", "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384",
    "TLS_CHACHA20_POLY1305_SHA256", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    // Only with tls.allow_obsolete.
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA"};

inline constexpr std::array<std::size_t, kProtocolCount> kCommandCounts{imap::kCommandCount,
                                                                        pop3::kCommandCount};

template <std::size_t N, typename T = Counter>
using PerProtocol = std::array<std::array<T, N>, kProtocolCount>;

// All about one command towards one pool. On cache lines of its own: other workers' are neighbours.
struct alignas(64) CommandSeries {
  std::array<Counter, kResultNames.size()> results;
  CommandHistogram duration;
  FirstByteHistogram first_byte;
};

// All about a protocol towards a pool.
struct PoolSeries {
  Lazy<DwellHistogram> upload;
  Lazy<CommandHistogram> backend_continue;
  Lazy<DwellHistogram> client_stall;
  std::array<Lazy<CommandHistogram>, kPhaseNames.size()> login_phases;
};

struct ListenerSeries {
  std::array<Counter, kProtocolCount> opened;
  PerProtocol<kCloseReasonCount> closed;
  // By version, cipher, resumed, ok.
  using Handshakes =
      std::array<std::array<std::array<std::array<Counter, 2>, 2>, kCipherNames.size()>,
                 kVersionNames.size()>;
  Handshakes handshakes;
  std::array<Lazy<CommandHistogram>, kVersionNames.size()> handshake_duration;
  Counter plaintext_attempts;
  Counter starttls_injections;
};

struct BackendSeries {
  std::array<Lazy<CommandHistogram>, kProtocolCount> command;
  Counter sessions;  // a gauge
  std::array<Counter, kBackendFailureCount> failures;
};

struct LookupSeries {
  std::array<Counter, kLookupResultNames.size()> results;
  Lazy<CommandHistogram> duration;
  Counter cache_hits;
};

struct alignas(64) Shard::Data {
  explicit Data(const ShardSize& sizes)
      : size(sizes),
        commands{std::vector<Lazy<CommandSeries>>(kCommandCounts[0] * pool_slots()),
                 std::vector<Lazy<CommandSeries>>(kCommandCounts[1] * pool_slots())},
        pools{std::vector<PoolSeries>(pool_slots()), std::vector<PoolSeries>(pool_slots())},
        idle(pool_slots()),
        listeners(sizes.listeners),
        backends(sizes.backends + 1),
        rules(sizes.rules),
        lookups(sizes.lookups) {}

  // The first slot stands for "none".
  std::size_t pool_slots() const { return size.pools + 1; }
  std::size_t pool_slot(PoolId pool) const { return pool == kNoPool ? 0 : pool + 1u; }
  std::size_t backend_slot(BackendId backend) const {
    return backend == kNoBackend ? 0 : backend + 1u;
  }
  // Index into commands[protocol].
  std::size_t command_slot(std::size_t command, std::size_t slot) const {
    return command * pool_slots() + slot;
  }

  const ShardSize size;
  std::array<Counter, kProtocolCount> begun;
  std::array<std::vector<Lazy<CommandSeries>>, kProtocolCount> commands;
  std::array<std::vector<PoolSeries>, kProtocolCount> pools;
  std::vector<Lazy<DwellHistogram>> idle;
  std::vector<ListenerSeries> listeners;
  std::vector<BackendSeries> backends;
  std::vector<Counter> rules;  // hits
  std::vector<LookupSeries> lookups;

  PerProtocol<kStateNames.size()> states;  // gauges
  PerProtocol<kMechanismCount, std::array<Counter, kLoginResultNames.size()>> logins;
  PerProtocol<2, std::array<Counter, 2>> bytes;  // by side and direction
  std::array<Counter, kProtocolCount> elided;
  std::array<Counter, kProtocolCount> inserted;
  PerProtocol<kRewriteNames.size()> rewrites;
  std::array<Counter, kAdmissionNames.size()> admission_rejected;
  Counter rule_errors;
  Counter beyond_room;  // what a rule or lookup without a slot would have counted
  CommandHistogram loop_turn;
};

}  // namespace postern
