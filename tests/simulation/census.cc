#include "simulation/census.h"

#include <algorithm>

namespace postern::testing {
namespace {

// Not met here: a limit of sessions holds up the listener, and our own mistakes are none.
bool MayBeMissing(CloseReason reason) {
  return reason == CloseReason::kLimit || reason == CloseReason::kInternal;
}

template <typename Names, typename Counts>
std::string Line(const Names& names, const Counts& counts) {
  std::string line;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] > 0) line.append(" ").append(names[i]).append(" " + std::to_string(counts[i]));
  }
  return line + "\n";
}

std::array<std::string_view, kCloseReasonCount> EndNames() {
  std::array<std::string_view, kCloseReasonCount> names;
  for (std::size_t i = 0; i < names.size(); ++i) {
    names[i] = CloseReasonName(static_cast<CloseReason>(i));
  }
  return names;
}

}  // namespace

void Census::Add(const Shard::Data& data, std::uint64_t steps, std::int64_t most_held) {
  steps_ += steps;
  most_held_ = std::max(most_held_, most_held);
  for (std::size_t protocol = 0; protocol < kProtocolCount; ++protocol) {
    for (const ListenerSeries& listener : data.listeners) {
      for (std::size_t i = 0; i < kCloseReasonCount; ++i) {
        ends_[protocol][i] += listener.closed[protocol][i].value();
      }
    }
    for (const Lazy<CommandSeries>& lazy : data.commands[protocol]) {
      const CommandSeries* series = lazy.peek();
      for (std::size_t i = 0; series != nullptr && i < kResultNames.size(); ++i) {
        results_[protocol][i] += series->results[i].value();
      }
    }
    for (const auto& mechanism : data.logins[protocol]) {
      for (std::size_t i = 0; i < kLoginResultNames.size(); ++i) {
        logins_[protocol][i] += mechanism[i].value();
      }
    }
  }
  for (const BackendSeries& backend : data.backends) {
    for (std::size_t i = 0; i < kBackendFailureCount; ++i) {
      failures_[i] += backend.failures[i].value();
    }
  }
}

std::string Census::Text() const {
  std::string text =
      std::to_string(steps_) + " steps, at most " + std::to_string(most_held_) +
      " bytes held for a session\nbackend failures:" + Line(kFailureNames, failures_);
  for (std::size_t protocol = 0; protocol < kProtocolCount; ++protocol) {
    const std::string name(kProtocolNames[protocol]);
    text += name + " logins:" + Line(kLoginResultNames, logins_[protocol]);
    text += name + " commands:" + Line(kResultNames, results_[protocol]);
    text += name + " ends:" + Line(EndNames(), ends_[protocol]);
  }
  return text;
}

std::string Census::Missing() const {
  std::string missing;
  for (std::size_t protocol = 0; protocol < kProtocolCount; ++protocol) {
    for (std::size_t i = 0; i < kCloseReasonCount; ++i) {
      const auto reason = static_cast<CloseReason>(i);
      if (ends_[protocol][i] > 0 || MayBeMissing(reason)) continue;
      missing += " " + std::string(kProtocolNames[protocol]) + "/";
      missing += CloseReasonName(reason);
    }
  }
  for (std::size_t i = 0; i < kBackendFailureCount; ++i) {
    if (failures_[i] == 0) missing += " backend/" + std::string(kFailureNames[i]);
  }
  return missing;
}

}  // namespace postern::testing
