// ImapVisit: one client's visit at an ImapEngine, with verbs for tests. At its end the laws of
// DESIGN 1.4 hold.
#pragma once

#include <catch2/catch.hpp>
#include <cstdint>
#include <string>
#include <string_view>

#include "metrics/shard_data.h"
#include "postern/engine/imap_engine.h"
#include "postern/engine/limits.h"
#include "postern/imap/command.h"
#include "support/fake_host.h"
#include "support/transcript.h"

namespace postern::testing {

class ImapVisit : public FakeSession<ImapEngine> {
 public:
  ~ImapVisit() {
    if (!host.end) Abandoned();
    CHECK(BrokenLaw(shard, Protocol::kImap, client_consumed, sent_ + host.backend.size()) == "");
  }

  // To the relay, and forgets what was written.
  void LogIn(std::string_view capabilities = "IMAP4rev1 IDLE MULTIAPPEND") {
    Start();
    Client("l LOGIN bob secret\r\n");
    BackendConnected();
    Backend("* OK hello\r\n");
    Backend("postern1 OK [CAPABILITY " + std::string(capabilities) + "] in\r\n");
    CHECK(host.logged_in);
    ToBackend();
    host.TakeClient();
    host.client_writes = host.backend_writes = 0;
  }
  // What the backend was sent since the last call.
  std::string ToBackend() {
    std::string bytes = host.TakeBackend();
    sent_ += bytes.size();
    return bytes;
  }

  std::uint64_t Ended(imap::CommandKind kind, CommandResult result) const {
    const CommandSeries* series = Series(kind);
    return series == nullptr ? 0 : series->results[static_cast<std::size_t>(result)].value();
  }
  // Sums of the histograms.
  double Seconds(imap::CommandKind kind) const {
    return Series(kind) == nullptr ? 0 : Sum(Series(kind)->duration);
  }
  double FirstByteSeconds(imap::CommandKind kind) const {
    return Series(kind) == nullptr ? 0 : Sum(Series(kind)->first_byte);
  }
  double UploadSeconds() const { return LazySum(Pool().upload); }
  double ContinueSeconds() const { return LazySum(Pool().backend_continue); }
  double StallSeconds() const { return LazySum(Pool().client_stall); }
  double PhaseSeconds(LoginPhase phase) const {
    return LazySum(Pool().login_phases[static_cast<std::size_t>(phase)]);
  }
  double IdleSeconds() const { return LazySum(shard.data().idle[Slot()]); }
  std::uint64_t Rewritten(Rewrite kind) const {
    return shard.data().rewrites[0][static_cast<std::size_t>(kind)].value();
  }
  std::uint64_t Logins(Mechanism mechanism, LoginResult result) const {
    return shard.data()
        .logins[0][static_cast<std::size_t>(mechanism)][static_cast<std::size_t>(result)]
        .value();
  }

 private:
  template <typename Histogram>
  static double Sum(const Histogram& histogram) {
    return static_cast<double>(histogram.sum_nanoseconds()) / 1e9;
  }
  template <typename Histogram>
  static double LazySum(const Lazy<Histogram>& histogram) {
    return histogram.peek() == nullptr ? 0 : Sum(*histogram.peek());
  }
  const CommandSeries* Series(imap::CommandKind kind) const {
    const Shard::Data& data = shard.data();
    return data.commands[0][data.command_slot(static_cast<std::size_t>(kind), Slot())].peek();
  }
  // Of the pool that every backend here is in.
  std::size_t Slot() const { return shard.data().pool_slot(0); }
  const PoolSeries& Pool() const { return shard.data().pools[0][Slot()]; }

  std::size_t sent_ = 0;
};

}  // namespace postern::testing
