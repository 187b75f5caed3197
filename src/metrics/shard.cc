#include "postern/metrics/shard.h"

#include <algorithm>

#include "metrics/shard_data.h"

namespace postern {
namespace {

template <typename Enum>
constexpr std::size_t Index(Enum value) {
  return static_cast<std::size_t>(value);
}

static_assert(kResultNames.size() == Index(CommandResult::kAborted) + 1);
static_assert(kStateNames.size() == Index(SessionState::kClosing) + 1);
static_assert(kLoginResultNames.size() == Index(LoginResult::kAborted) + 1);
static_assert(kPhaseNames.size() == Index(LoginPhase::kLogin) + 1);
static_assert(kRewriteNames.size() == Index(Rewrite::kUnselect) + 1);
static_assert(kLookupResultNames.size() == Index(LookupResult::kUnavailable) + 1);
static_assert(kAdmissionNames.size() == Index(Admission::kMemory) + 1);
static_assert(kFailureNames.size() == Index(BackendFailure::kTls) + 1);

// Results that came from a backend; only these have durations that mean something.
bool FromBackend(CommandResult result) {
  switch (result) {
    case CommandResult::kOk:
    case CommandResult::kNo:
    case CommandResult::kBad:
    case CommandResult::kErr:
      return true;
    case CommandResult::kDenied:
    case CommandResult::kLocal:
    case CommandResult::kAborted:
      return false;
  }
  return false;
}

// The place of a name in a closed list: 0 ("other") when it is not there, 1 ("none") when it is
// empty.
template <typename List>
std::size_t NameIndex(const List& names, std::string_view name) {
  if (name.empty()) return 1;
  const auto found = std::find(names.begin(), names.end(), name);
  return found == names.end() ? 0 : static_cast<std::size_t>(found - names.begin());
}

}  // namespace

Shard::Shard(const ShardSize& size) : data_(std::make_unique<Data>(size)) {}
Shard::~Shard() = default;

void Shard::CommandBegun(Protocol protocol) { data_->begun[Index(protocol)].Add(); }

void Shard::CommandEnded(const CommandLabels& labels, CommandResult result, Duration total,
                         Duration first_byte) {
  const std::size_t protocol = Index(labels.protocol);
  // A value beyond the list would be a mistake of ours; it must not become another command's
  // number.
  const std::size_t command = labels.command < kCommandCounts[protocol] ? labels.command : 0;
  const std::size_t slot = data_->command_slot(command, data_->pool_slot(labels.pool));
  CommandSeries& series = data_->commands[protocol][slot].Get();
  series.results[Index(result)].Add();
  if (!FromBackend(result)) return;
  series.duration.Observe(total);
  series.first_byte.Observe(first_byte);
  const std::size_t backend = data_->backend_slot(labels.backend);
  data_->backends[backend].command[protocol].Get().Observe(total);
}

void Shard::Upload(Protocol protocol, PoolId pool, Duration time) {
  data_->pools[Index(protocol)][data_->pool_slot(pool)].upload.Get().Observe(time);
}

void Shard::BackendContinue(Protocol protocol, PoolId pool, Duration time) {
  data_->pools[Index(protocol)][data_->pool_slot(pool)].backend_continue.Get().Observe(time);
}

void Shard::ClientStall(Protocol protocol, PoolId pool, Duration time) {
  data_->pools[Index(protocol)][data_->pool_slot(pool)].client_stall.Get().Observe(time);
}

void Shard::Idle(PoolId pool, Duration dwell) {
  data_->idle[data_->pool_slot(pool)].Get().Observe(dwell);
}

void Shard::SessionOpened(Protocol protocol, ListenerId listener) {
  data_->listeners[listener].opened[Index(protocol)].Add();
  data_->states[Index(protocol)][Index(SessionState::kHandshake)].Add();
}

void Shard::SessionMoved(Protocol protocol, SessionState from, SessionState to) {
  data_->states[Index(protocol)][Index(from)].Subtract();
  data_->states[Index(protocol)][Index(to)].Add();
}

void Shard::SessionClosed(Protocol protocol, ListenerId listener, SessionState from,
                          CloseReason reason) {
  data_->states[Index(protocol)][Index(from)].Subtract();
  data_->listeners[listener].closed[Index(protocol)][Index(reason)].Add();
}

std::array<std::int64_t, 4> Shard::SessionsByState() const {
  std::array<std::int64_t, 4> sum{};
  for (const auto& states : data_->states) {
    for (std::size_t i = 0; i < sum.size(); ++i) {
      sum[i] += static_cast<std::int64_t>(states[i].value());
    }
  }
  return sum;
}

void Shard::Login(Protocol protocol, Mechanism mechanism, LoginResult result) {
  data_->logins[Index(protocol)][Index(mechanism)][Index(result)].Add();
}

void Shard::LoginPhaseDone(Protocol protocol, PoolId pool, LoginPhase phase, Duration time) {
  PoolSeries& series = data_->pools[Index(protocol)][data_->pool_slot(pool)];
  series.login_phases[Index(phase)].Get().Observe(time);
}

void Shard::Handshake(ListenerId listener, std::string_view version, std::string_view cipher,
                      bool resumed, bool ok, Duration time) {
  ListenerSeries& series = data_->listeners[listener];
  const std::size_t version_index = NameIndex(kVersionNames, version);
  const std::size_t cipher_index = NameIndex(kCipherNames, cipher);
  series.handshakes[version_index][cipher_index][resumed ? 1 : 0][ok ? 1 : 0].Add();
  // How long a failure took says more about the client's patience than about us.
  if (ok) series.handshake_duration[version_index].Get().Observe(time);
}

void Shard::PlaintextAttempt(ListenerId listener) {
  data_->listeners[listener].plaintext_attempts.Add();
}

void Shard::StarttlsInjection(ListenerId listener) {
  data_->listeners[listener].starttls_injections.Add();
}

void Shard::Bytes(Protocol protocol, Side side, Direction direction, std::uint64_t count) {
  data_->bytes[Index(protocol)][Index(side)][Index(direction)].Add(count);
}

void Shard::Elided(Protocol protocol, std::uint64_t count) {
  data_->elided[Index(protocol)].Add(count);
}

void Shard::Inserted(Protocol protocol, std::uint64_t count) {
  data_->inserted[Index(protocol)].Add(count);
}

void Shard::Rewritten(Protocol protocol, Rewrite kind) {
  data_->rewrites[Index(protocol)][Index(kind)].Add();
}

void Shard::BackendSessions(BackendId backend, int change) {
  // Sign extension makes a negative change wrap to the right sum.
  data_->backends[data_->backend_slot(backend)].sessions.Add(static_cast<std::uint64_t>(change));
}

void Shard::BackendFailed(BackendId backend, BackendFailure reason) {
  data_->backends[data_->backend_slot(backend)].failures[Index(reason)].Add();
}

void Shard::RuleHit(RuleSlot rule) {
  (rule < data_->rules.size() ? data_->rules[rule] : data_->beyond_room).Add();
}

void Shard::RuleFailed() { data_->rule_errors.Add(); }

void Shard::Lookup(LookupSlot lookup, LookupResult result, Duration time) {
  if (lookup >= data_->lookups.size()) {
    data_->beyond_room.Add();
    return;
  }
  LookupSeries& series = data_->lookups[lookup];
  series.results[Index(result)].Add();
  series.duration.Get().Observe(time);
}

void Shard::LookupCacheHit(LookupSlot lookup) {
  (lookup < data_->lookups.size() ? data_->lookups[lookup].cache_hits : data_->beyond_room).Add();
}

void Shard::AdmissionRejected(Admission reason) { data_->admission_rejected[Index(reason)].Add(); }

void Shard::LoopTurn(Duration time) { data_->loop_turn.Observe(time); }

}  // namespace postern
