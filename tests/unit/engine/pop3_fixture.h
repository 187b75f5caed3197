// Pop3Visit: one client's visit at a Pop3Engine, with verbs for tests. At its end the laws of
// DESIGN 1.4 hold.
#pragma once

#include <catch2/catch.hpp>
#include <cstdint>
#include <string>
#include <string_view>

#include "metrics/shard_data.h"
#include "postern/base/text.h"
#include "postern/engine/limits.h"
#include "postern/engine/pop3_engine.h"
#include "support/fake_host.h"
#include "support/for_every_split.h"

namespace postern::testing {

inline constexpr std::string_view kGreeting = "+OK postern ready\r\n";
inline constexpr std::string_view kFullCapa =
    "+OK\r\nTOP\r\nUIDL\r\nPIPELINING\r\nUSER\r\nSASL PLAIN\r\n.\r\n";

inline std::string Plain(std::string_view user, std::string_view password,
                         std::string_view authzid = {}) {
  return Base64Encode(std::string(authzid) + '\0' + std::string(user) + '\0' +
                      std::string(password));
}

class Pop3Visit : public FakeSession<Pop3Engine> {
 public:
  Pop3Visit() {
    Start();
    CHECK(host.TakeClient() == kGreeting);
  }
  ~Pop3Visit() { CheckLaws(); }

  // To the moment at which the backend has greeted and told its capabilities.
  void MeetBackend(std::string_view capa = kFullCapa) {
    BackendConnected();
    Backend("+OK hello\r\n");
    CHECK(ToBackend() == "CAPA\r\n");
    Backend(capa);
  }
  // To the relay, and forgets what was written.
  void LogIn(std::string_view capa = kFullCapa) {
    Client("USER bob\r\nPASS secret\r\n");
    MeetBackend(capa);
    CHECK(ToBackend() == "USER bob\r\n");
    Backend("+OK\r\n");
    CHECK(ToBackend() == "PASS secret\r\n");
    Backend("+OK in\r\n");
    CHECK(host.TakeClient() == "+OK\r\n+OK in\r\n");
    CHECK(host.logged_in);
    host.client_writes = host.backend_writes = 0;
  }
  void Client(const Split& split) {
    for (std::size_t i = 0; i < split.size(); ++i) FakeSession::Client(split[i]);
  }
  void Backend(const Split& split) {
    for (std::size_t i = 0; i < split.size(); ++i) FakeSession::Backend(split[i]);
  }
  using FakeSession::Backend;
  using FakeSession::Client;

  std::string ToClient() { return host.TakeClient(); }
  std::string ToBackend() {
    const std::string bytes = host.TakeBackend();
    to_backend_ += bytes.size();
    return bytes;
  }

  const Shard::Data& data() const { return shard.data(); }
  std::uint64_t Logins(Mechanism mechanism, LoginResult result) const {
    return data().logins[kPop3][Index(mechanism)][Index(result)].value();
  }
  // Commands of a kind that ended with a result, towards pool 0 or towards none.
  std::uint64_t Ended(pop3::CommandKind kind, CommandResult result, bool routed = true) const {
    const CommandSeries* series = Series(kind, routed ? 0 : kNoPool);
    return series == nullptr ? 0 : series->results[Index(result)].value();
  }
  // The seconds that pool 0's commands of a kind have taken in all.
  double Seconds(pop3::CommandKind kind) const {
    const CommandSeries* series = Series(kind, 0);
    return series == nullptr ? -1 : static_cast<double>(series->duration.sum_nanoseconds()) / 1e9;
  }
  double FirstByteSeconds(pop3::CommandKind kind) const {
    const CommandSeries* series = Series(kind, 0);
    return series == nullptr ? -1 : static_cast<double>(series->first_byte.sum_nanoseconds()) / 1e9;
  }
  // -1 when pool 0 has no observation of the phase.
  double PhaseSeconds(LoginPhase phase) const {
    const auto* seen = data().pools[kPop3][data().pool_slot(0)].login_phases[Index(phase)].peek();
    return seen == nullptr ? -1 : static_cast<double>(seen->sum_nanoseconds()) / 1e9;
  }
  double StallSeconds() const {
    const DwellHistogram* stall = data().pools[kPop3][data().pool_slot(0)].client_stall.peek();
    return stall == nullptr ? 0 : static_cast<double>(stall->sum_nanoseconds()) / 1e9;
  }
  std::uint64_t Rewrites(Rewrite kind) const { return data().rewrites[kPop3][Index(kind)].value(); }

  // What is in flight is begun and not ended; every consumed byte was forwarded or elided.
  void CheckLaws() {
    ToBackend();
    std::uint64_t ended = 0, answered = 0, observed = 0;
    for (const auto& lazy : data().commands[kPop3]) {
      const CommandSeries* series = lazy.peek();
      if (series == nullptr) continue;
      for (const Counter& result : series->results) ended += result.value();
      answered += series->results[Index(CommandResult::kOk)].value();
      answered += series->results[Index(CommandResult::kErr)].value();
      for (std::size_t i = 0; i < CommandHistogram::kBuckets; ++i)
        observed += series->duration.count(i);
    }
    const bool over = host.end.has_value();
    CHECK(data().begun[kPop3].value() >= ended);
    if (over || engine.quiet()) CHECK(data().begun[kPop3].value() == ended);
    CHECK(answered == observed);
    CHECK(client_consumed + data().inserted[kPop3].value() ==
          to_backend_ + data().elided[kPop3].value());
  }

 private:
  static constexpr std::size_t kPop3 = static_cast<std::size_t>(Protocol::kPop3);
  template <typename Enum>
  static constexpr std::size_t Index(Enum value) {
    return static_cast<std::size_t>(value);
  }
  const CommandSeries* Series(pop3::CommandKind kind, PoolId of) const {
    return data().commands[kPop3][data().command_slot(Index(kind), data().pool_slot(of))].peek();
  }

  std::uint64_t to_backend_ = 0;
};

}  // namespace postern::testing
