// A shard that measures nothing: linked into `bench_postern_no_metrics` instead of
// src/metrics/shard.cc, so that what metrics cost is the difference between two binaries of one
// build. Never part of the product. What the gateway reads for other reasons (the clock, the
// commands in flight) stays.

#include "metrics/shard_data.h"
#include "postern/metrics/shard.h"

namespace postern {

Shard::Shard(const ShardSize& size) : data_(std::make_unique<Data>(size)) {}
Shard::~Shard() = default;

void Shard::CommandBegun(Protocol) {}
void Shard::CommandEnded(const CommandLabels&, CommandResult, Duration, Duration) {}
void Shard::Upload(Protocol, PoolId, Duration) {}
void Shard::BackendContinue(Protocol, PoolId, Duration) {}
void Shard::ClientStall(Protocol, PoolId, Duration) {}
void Shard::Idle(PoolId, Duration) {}
void Shard::SessionOpened(Protocol, ListenerId) {}
void Shard::SessionMoved(Protocol, SessionState, SessionState) {}
void Shard::SessionClosed(Protocol, ListenerId, SessionState, CloseReason) {}
void Shard::Login(Protocol, Mechanism, LoginResult) {}
void Shard::LoginPhaseDone(Protocol, PoolId, LoginPhase, Duration) {}
void Shard::Handshake(ListenerId, std::string_view, std::string_view, bool, bool, Duration) {}
void Shard::PlaintextAttempt(ListenerId) {}
void Shard::StarttlsInjection(ListenerId) {}
void Shard::Bytes(Protocol, Side, Direction, std::uint64_t) {}
void Shard::Elided(Protocol, std::uint64_t) {}
void Shard::Inserted(Protocol, std::uint64_t) {}
void Shard::Rewritten(Protocol, Rewrite) {}
void Shard::BackendSessions(BackendId, int) {}
void Shard::BackendFailed(BackendId, BackendFailure) {}
void Shard::RuleHit(RuleSlot) {}
void Shard::RuleFailed() {}
void Shard::Lookup(LookupSlot, LookupResult, Duration) {}
void Shard::LookupCacheHit(LookupSlot) {}
void Shard::AdmissionRejected(Admission) {}
void Shard::LoopTurn(Duration) {}
std::array<std::int64_t, 4> Shard::SessionsByState() const { return {}; }

}  // namespace postern
