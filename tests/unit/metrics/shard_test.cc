#include "postern/metrics/shard.h"

#include <catch2/catch.hpp>

#include "metrics/shard_data.h"

namespace postern {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr auto kFetch = static_cast<std::uint8_t>(imap::CommandKind::kFetch);
constexpr auto kRetr = static_cast<std::uint8_t>(pop3::CommandKind::kRetr);

// The obvious search that the fast one must agree with.
template <std::size_t N>
std::size_t SlowFind(const Bounds<N>& bounds, std::int64_t value) {
  std::size_t index = 0;
  while (index < N && value > bounds.values()[index]) ++index;
  return index;
}

template <std::size_t N>
void CheckEdges(const Bounds<N>& bounds) {
  for (std::size_t i = 0; i < N; ++i) {
    const std::int64_t bound = bounds.values()[i];
    CHECK(bounds.Find(bound) == i);
    CHECK(bounds.Find(bound + 1) == i + 1);
    CHECK(bounds.Find(bound - 1) == SlowFind(bounds, bound - 1));
  }
  for (int shift = 0; shift < 63; ++shift) {
    const std::int64_t power = std::int64_t{1} << shift;
    for (const std::int64_t value : {power - 1, power, power + 1}) {
      REQUIRE(bounds.Find(value) == SlowFind(bounds, value));
    }
  }
  CHECK(bounds.Find(0) == 0);
  CHECK(bounds.Find(INT64_MAX) == N);
}

TEST_CASE("A value equal to a bound belongs to its bucket") {
  CheckEdges(kCommandBounds);
  CheckEdges(kFirstByteBounds);
  CheckEdges(kDwellBounds);
}

TEST_CASE("The first byte has every second bound of the commands") {
  for (std::size_t i = 0; i < kFirstByteBounds.values().size(); ++i) {
    CHECK(kFirstByteBounds.values()[i] == kCommandBounds.values()[2 * i + 1]);
  }
}

TEST_CASE("A negative time counts as none") {
  CommandHistogram histogram;
  histogram.Observe(nanoseconds(-5));
  CHECK(histogram.count(0) == 1);
  CHECK(histogram.sum_nanoseconds() == 0);
}

TEST_CASE("Only results of a backend are observed") {
  Shard shard({.listeners = 1, .pools = 1, .backends = 1});
  const CommandLabels labels{Protocol::kImap, kFetch, 0, 0};
  for (const CommandResult result :
       {CommandResult::kOk, CommandResult::kNo, CommandResult::kBad, CommandResult::kErr,
        CommandResult::kDenied, CommandResult::kLocal, CommandResult::kAborted}) {
    shard.CommandBegun(Protocol::kImap);
    shard.CommandEnded(labels, result, milliseconds(300), milliseconds(2));
  }
  const Shard::Data& data = shard.data();
  const CommandSeries* series =
      data.commands[0][data.command_slot(kFetch, data.pool_slot(0))].peek();
  REQUIRE(series != nullptr);
  for (const Counter& result : series->results) CHECK(result.value() == 1);
  CHECK(series->duration.count(9) == 4);  // up to 0.5 s
  CHECK(series->duration.sum_nanoseconds() == 4 * 300'000'000u);
  CHECK(series->first_byte.count(1) == 4);  // up to 5 ms
  const CommandHistogram* backend = data.backends[data.backend_slot(0)].command[0].peek();
  REQUIRE(backend != nullptr);
  CHECK(backend->count(9) == 4);
  CHECK(data.begun[0].value() == 7);
}

TEST_CASE("Series come into being on first use and apart from each other") {
  Shard shard({.listeners = 1, .pools = 2, .backends = 3});
  const Shard::Data& data = shard.data();
  shard.CommandEnded({Protocol::kPop3, kRetr, 1, 2}, CommandResult::kOk, seconds(1), seconds(1));
  shard.CommandEnded({Protocol::kPop3, kRetr, kNoPool, kNoBackend}, CommandResult::kLocal, {}, {});
  std::size_t used = 0;
  for (const auto& commands : data.commands) {
    for (const auto& lazy : commands) used += lazy.peek() != nullptr ? 1 : 0;
  }
  CHECK(used == 2);
  CHECK(data.commands[1][data.command_slot(kRetr, data.pool_slot(1))].peek() != nullptr);
  CHECK(data.commands[1][data.command_slot(kRetr, data.pool_slot(kNoPool))].peek() != nullptr);
  CHECK(data.backends[data.backend_slot(2)].command[1].peek() != nullptr);
  CHECK(data.backends[data.backend_slot(0)].command[1].peek() == nullptr);
}

TEST_CASE("A command beyond the list counts as other") {
  Shard shard({.listeners = 1, .pools = 1, .backends = 1});
  shard.CommandEnded({Protocol::kPop3, 200, 0, 0}, CommandResult::kLocal, {}, {});
  CHECK(shard.data().commands[1][shard.data().command_slot(0, shard.data().pool_slot(0))].peek() !=
        nullptr);
}

TEST_CASE("Sessions are in exactly one state") {
  Shard shard({.listeners = 1, .pools = 1, .backends = 1});
  shard.SessionOpened(Protocol::kImap, 0);
  shard.SessionOpened(Protocol::kImap, 0);
  shard.SessionMoved(Protocol::kImap, SessionState::kHandshake, SessionState::kLogin);
  shard.SessionMoved(Protocol::kImap, SessionState::kLogin, SessionState::kRelay);
  shard.SessionClosed(Protocol::kImap, 0, SessionState::kHandshake, CloseReason::kHandshakeFailed);
  const auto& states = shard.data().states[0];
  CHECK(states[0].value() == 0);
  CHECK(states[1].value() == 0);
  CHECK(states[2].value() == 1);
  CHECK(shard.data().listeners[0].opened[0].value() == 2);
  shard.BackendSessions(0, 2);
  shard.BackendSessions(0, -1);
  CHECK(shard.data().backends[shard.data().backend_slot(0)].sessions.value() == 1);
}

TEST_CASE("Rules and lookups beyond the room count as dropped and disturb nobody") {
  Shard shard({.listeners = 1, .pools = 1, .backends = 1, .rules = 2, .lookups = 1});
  shard.RuleHit(1);
  shard.RuleHit(1);
  shard.RuleHit(2);
  shard.RuleHit(kNoRuleSlot);
  shard.RuleFailed();
  shard.Lookup(0, LookupResult::kRefused, milliseconds(300));
  shard.Lookup(1, LookupResult::kFound, milliseconds(300));
  shard.LookupCacheHit(0);
  shard.LookupCacheHit(9);
  const Shard::Data& data = shard.data();
  CHECK(data.rules[0].value() == 0);
  CHECK(data.rules[1].value() == 2);
  CHECK(data.rule_errors.value() == 1);
  CHECK(data.lookups[0].results[2].value() == 1);
  CHECK(data.lookups[0].cache_hits.value() == 1);
  REQUIRE(data.lookups[0].duration.peek() != nullptr);
  CHECK(data.lookups[0].duration.peek()->count(9) == 1);  // up to 0.5 s
  CHECK(data.beyond_room.value() == 4);
}

TEST_CASE("Names of TLS that are not in the lists count as other") {
  Shard shard({.listeners = 1, .pools = 1, .backends = 1});
  shard.Handshake(0, "1.3", "TLS_AES_128_GCM_SHA256", true, true, milliseconds(1));
  shard.Handshake(0, "9.9", "ROT13", false, true, milliseconds(1));
  shard.Handshake(0, "", "", false, false, milliseconds(1));
  const auto& handshakes = shard.data().listeners[0].handshakes;
  CHECK(handshakes[5][2][1][1].value() == 1);
  CHECK(handshakes[0][0][0][1].value() == 1);
  CHECK(handshakes[1][1][0][0].value() == 1);
  CHECK(shard.data().listeners[0].handshake_duration[5].peek() != nullptr);
  CHECK(shard.data().listeners[0].handshake_duration[1].peek() == nullptr);
}

}  // namespace
}  // namespace postern
