#include "simulation/metric_laws.h"

namespace postern::testing {
namespace {

// Of one protocol.
struct Sums {
  std::uint64_t ended = 0;
  std::uint64_t judged = 0;    // ok, no, bad, err
  std::uint64_t observed = 0;  // in the histograms
  std::uint64_t opened = 0;
  std::uint64_t closed = 0;
  std::uint64_t internal = 0;
};

void AddCommands(const Shard::Data& data, std::size_t protocol, Sums& sums) {
  for (const Lazy<CommandSeries>& lazy : data.commands[protocol]) {
    const CommandSeries* series = lazy.peek();
    if (series == nullptr) continue;
    for (std::size_t i = 0; i < series->results.size(); ++i) {
      sums.ended += series->results[i].value();
      if (i <= static_cast<std::size_t>(CommandResult::kErr)) {
        sums.judged += series->results[i].value();
      }
    }
    for (std::size_t i = 0; i < CommandHistogram::kBuckets; ++i) {
      sums.observed += series->duration.count(i);
    }
  }
}

void AddSessions(const Shard::Data& data, std::size_t protocol, Sums& sums) {
  for (const ListenerSeries& listener : data.listeners) {
    sums.opened += listener.opened[protocol].value();
    for (const Counter& closed : listener.closed[protocol]) sums.closed += closed.value();
    sums.internal +=
        listener.closed[protocol][static_cast<std::size_t>(CloseReason::kInternal)].value();
  }
}

std::string Unequal(std::string_view law, std::uint64_t left, std::uint64_t right) {
  if (left == right) return {};
  return std::string(law) + ": " + std::to_string(left) + " and " + std::to_string(right);
}

std::string BrokenLawOf(const Shard::Data& data, std::size_t protocol) {
  Sums sums;
  AddCommands(data, protocol, sums);
  AddSessions(data, protocol, sums);
  const auto bytes = [&](Side side, Direction direction) {
    return data.bytes[protocol][static_cast<std::size_t>(side)][static_cast<std::size_t>(direction)]
        .value();
  };
  std::string broken = Unequal("begun = ended", data.begun[protocol].value(), sums.ended);
  if (broken.empty()) broken = Unequal("observed = judged", sums.observed, sums.judged);
  if (broken.empty()) broken = Unequal("opened = closed", sums.opened, sums.closed);
  if (broken.empty()) broken = Unequal("no internal ends", sums.internal, 0);
  if (broken.empty()) {
    broken = Unequal("client in + inserted = backend out + elided",
                     bytes(Side::kClient, Direction::kIn) + data.inserted[protocol].value(),
                     bytes(Side::kBackend, Direction::kOut) + data.elided[protocol].value());
  }
  for (const Counter& state : data.states[protocol]) {
    if (broken.empty()) broken = Unequal("no session in any state", state.value(), 0);
  }
  return broken.empty() ? broken : std::string(kProtocolNames[protocol]) + ": " + broken;
}

}  // namespace

std::string BrokenMetricLaw(const Shard::Data& data) {
  for (std::size_t protocol = 0; protocol < kProtocolCount; ++protocol) {
    const std::string broken = BrokenLawOf(data, protocol);
    if (!broken.empty()) return broken;
  }
  for (const BackendSeries& backend : data.backends) {
    const std::string broken = Unequal("no session at a backend", backend.sessions.value(), 0);
    if (!broken.empty()) return broken;
  }
  return {};
}

}  // namespace postern::testing
