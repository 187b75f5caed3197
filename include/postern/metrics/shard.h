// Shard: every measurement of one worker. Owned by the worker and written on its thread only, with
// plain relaxed stores and no lock; the registry reads it from the admin thread at any time
// (DESIGN 1.4). Labels are enums and indices of configured things: no text from a peer can make a
// series. A series appears on first use; memory grows with the series in use, not with sessions.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>

#include "postern/base/clock.h"
#include "postern/base/close_reason.h"
#include "postern/base/ids.h"
#include "postern/base/mechanism.h"

namespace postern {

enum class CommandResult : std::uint8_t { kOk, kNo, kBad, kErr, kDenied, kLocal, kAborted };
enum class SessionState : std::uint8_t { kHandshake, kLogin, kRelay, kClosing };
enum class LoginResult : std::uint8_t { kOk, kFailed, kUnavailable, kLimit, kAborted };
enum class LoginPhase : std::uint8_t { kLookup, kConnect, kTls, kLogin };
enum class Side : std::uint8_t { kClient, kBackend };
enum class Direction : std::uint8_t { kIn, kOut };
// The named rewrites of DESIGN 2.3.
enum class Rewrite : std::uint8_t {
  kLiteral,
  kSpaces,
  kCapability,
  kId,
  kEnable,
  kMailboxLiteral,
  kExamine,   // SELECT under read-only
  kDeselect,  // a denied SELECT or EXAMINE
  kUnselect,  // CLOSE when read-only arrived after a SELECT
};

enum class Admission : std::uint8_t { kSessions, kMemory };

// What a command's series are labelled with. command is an imap::CommandKind or a
// pop3::CommandKind.
struct CommandLabels {
  Protocol protocol;
  std::uint8_t command;
  PoolId pool = kNoPool;
  BackendId backend = kNoBackend;
};

// Numbers of the configured things; fixed for the life of the process.
struct ShardSize {
  std::size_t listeners = 0;
  std::size_t pools = 0;
  std::size_t backends = 0;
  std::size_t rules = 0;
  std::size_t lookups = 0;
};

// The place of a rule's or a lookup's numbers, which stays with its name over reloads.
using RuleSlot = std::uint16_t;
using LookupSlot = std::uint16_t;
inline constexpr RuleSlot kNoRuleSlot = 0xFFFF;

enum class LookupResult : std::uint8_t { kFound, kUnknown, kRefused, kUnavailable };

class Shard {
 public:
  explicit Shard(const ShardSize& size);
  ~Shard();
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  // A command was read to the end of its first line. Every one ends in exactly one CommandEnded.
  void CommandBegun(Protocol protocol);
  // The durations are observed for results of a backend only (ok no bad err).
  void CommandEnded(const CommandLabels& labels, CommandResult result, Duration total,
                    Duration first_byte);
  // The client's time inside literals; the wait for the backend's `+`; backend reading paused for
  // the client; the dwell of an IDLE.
  void Upload(Protocol protocol, PoolId pool, Duration time);
  void BackendContinue(Protocol protocol, PoolId pool, Duration time);
  void ClientStall(Protocol protocol, PoolId pool, Duration time);
  void Idle(PoolId pool, Duration dwell);

  // A session's life: opened in kHandshake, moved, closed from the state it is in.
  void SessionOpened(Protocol protocol, ListenerId listener);
  void SessionMoved(Protocol protocol, SessionState from, SessionState to);
  void SessionClosed(Protocol protocol, ListenerId listener, SessionState from, CloseReason reason);

  void Login(Protocol protocol, Mechanism mechanism, LoginResult result);
  void LoginPhaseDone(Protocol protocol, PoolId pool, LoginPhase phase, Duration time);
  // version and cipher as in TlsFacts; what is not in the closed lists counts as "other". ok false:
  // the handshake failed, version and cipher may be empty ("none").
  void Handshake(ListenerId listener, std::string_view version, std::string_view cipher,
                 bool resumed, bool ok, Duration time);

  // A login was tried where TLS is required and was not there yet (DESIGN 2.16 and listener.tls).
  void PlaintextAttempt(ListenerId listener);
  // Bytes came behind STARTTLS or STLS; the session was closed.
  void StarttlsInjection(ListenerId listener);

  void Bytes(Protocol protocol, Side side, Direction direction, std::uint64_t count);
  // Client to backend: bytes consumed and not forwarded; bytes of our own sent to the backend.
  void Elided(Protocol protocol, std::uint64_t count);
  void Inserted(Protocol protocol, std::uint64_t count);
  void Rewritten(Protocol protocol, Rewrite kind);

  void BackendSessions(BackendId backend, int change);
  void BackendFailed(BackendId backend, BackendFailure reason);
  // A rule matched: it took effect, or would have (report). A slot beyond the room counts as a
  // dropped series.
  void RuleHit(RuleSlot rule);
  // A match could not be made for want of memory.
  void RuleFailed();
  // A lookup was asked and answered (or did not); what the cache knew counts as a hit instead.
  void Lookup(LookupSlot lookup, LookupResult result, Duration time);
  void LookupCacheHit(LookupSlot lookup);
  // New clients have to wait from now on.
  void AdmissionRejected(Admission reason);
  void LoopTurn(Duration time);

  // Sessions in each SessionState now, of both protocols. Any thread.
  std::array<std::int64_t, 4> SessionsByState() const;

  // The stored numbers, for the registry only.
  struct Data;
  const Data& data() const { return *data_; }

 private:
  std::unique_ptr<Data> data_;
};

}  // namespace postern
