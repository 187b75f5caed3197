// Sessions, logins, handshakes and bytes.
#include <string>

#include "metrics/collect.h"

namespace postern {
namespace {

bool HasSessions(const Source& source, std::size_t protocol) {
  for (const Shard::Data* data : source.shards) {
    for (const ListenerSeries& listener : data->listeners) {
      if (listener.opened[protocol].value() > 0) return true;
    }
  }
  return false;
}

void CollectOpenSessions(const Source& source, Exposition& out) {
  out.Gauges("postern_sessions", "Open sessions, by what they are doing.");
  for (std::size_t protocol = 0; protocol < kProtocolCount; ++protocol) {
    if (!HasSessions(source, protocol)) continue;
    for (std::size_t state = 0; state < kStateNames.size(); ++state) {
      for (std::size_t worker = 0; worker < source.workers; ++worker) {
        const auto count =
            static_cast<std::int64_t>(source.shards[worker]->states[protocol][state].value());
        out.Sample({{"protocol", kProtocolNames[protocol]},
                    {"state", kStateNames[state]},
                    {"worker", std::to_string(worker)}},
                   static_cast<double>(count));
      }
    }
  }
}

}  // namespace

void CollectSessions(const Source& source, Exposition& out) {
  const auto& listeners = source.names.listeners;
  out.Counters("postern_sessions_total", "Sessions that ended, by why.");
  for (std::size_t listener = 0; listener < listeners.size(); ++listener) {
    for (std::size_t protocol = 0; protocol < kProtocolCount; ++protocol) {
      for (std::size_t reason = 0; reason < kCloseReasonCount; ++reason) {
        out.Used({{"protocol", kProtocolNames[protocol]},
                  {"listener", listeners[listener]},
                  {"close_reason", CloseReasonName(static_cast<CloseReason>(reason))}},
                 source.Sum([&](const auto& data) -> auto& {
                   return data.listeners[listener].closed[protocol][reason];
                 }));
      }
    }
  }
  CollectOpenSessions(source, out);
  out.Counters("postern_sessions_opened_total", "Sessions that clients began.");
  for (std::size_t listener = 0; listener < listeners.size(); ++listener) {
    for (std::size_t protocol = 0; protocol < kProtocolCount; ++protocol) {
      out.Used({{"protocol", kProtocolNames[protocol]}, {"listener", listeners[listener]}},
               source.Sum([&](const auto& data) -> auto& {
                 return data.listeners[listener].opened[protocol];
               }));
    }
  }
}

void CollectLogins(const Source& source, Exposition& out) {
  out.Counters("postern_logins_total", "Login attempts, by outcome.");
  for (std::size_t protocol = 0; protocol < kProtocolCount; ++protocol) {
    for (std::size_t mechanism = 0; mechanism < kMechanismCount; ++mechanism) {
      for (std::size_t result = 0; result < kLoginResultNames.size(); ++result) {
        out.Used({{"protocol", kProtocolNames[protocol]},
                  {"mechanism", MechanismName(static_cast<Mechanism>(mechanism))},
                  {"result", kLoginResultNames[result]}},
                 source.Sum([&](const auto& data) -> auto& {
                   return data.logins[protocol][mechanism][result];
                 }));
      }
    }
  }
  out.Histograms("postern_login_duration_seconds", "Where the time of a login goes.");
  for (std::size_t protocol = 0; protocol < kProtocolCount; ++protocol) {
    for (std::size_t pool = 0; pool <= source.names.pools.size(); ++pool) {
      for (std::size_t phase = 0; phase < kPhaseNames.size(); ++phase) {
        out.Used({{"protocol", kProtocolNames[protocol]},
                  {"pool", source.pool(pool)},
                  {"phase", kPhaseNames[phase]}},
                 source.SumHistograms([&](const auto& data) -> auto& {
                   return data.pools[protocol][pool].login_phases[phase];
                 }));
      }
    }
  }
}

void CollectHandshakes(const Source& source, Exposition& out) {
  const auto& listeners = source.names.listeners;
  // Version, cipher, resumed and ok in one number, so that five lists are two loops.
  constexpr std::size_t kKinds = kVersionNames.size() * kCipherNames.size() * 4;
  out.Counters("postern_tls_handshakes_total", "TLS handshakes with clients.");
  for (std::size_t listener = 0; listener < listeners.size(); ++listener) {
    for (std::size_t kind = 0; kind < kKinds; ++kind) {
      const std::size_t ok = kind % 2;
      const std::size_t resumed = kind / 2 % 2;
      const std::size_t cipher = kind / 4 % kCipherNames.size();
      const std::size_t version = kind / 4 / kCipherNames.size();
      out.Used({{"listener", listeners[listener]},
                {"version", kVersionNames[version]},
                {"cipher", kCipherNames[cipher]},
                {"resumed", resumed == 1 ? "true" : "false"},
                {"result", ok == 1 ? "ok" : "failed"}},
               source.Sum([&](const auto& data) -> auto& {
                 return data.listeners[listener].handshakes[version][cipher][resumed][ok];
               }));
    }
  }
  out.Histograms("postern_tls_handshake_duration_seconds",
                 "From accepting the connection to a finished handshake.");
  for (std::size_t listener = 0; listener < listeners.size(); ++listener) {
    for (std::size_t version = 0; version < kVersionNames.size(); ++version) {
      out.Used({{"listener", listeners[listener]}, {"version", kVersionNames[version]}},
               source.SumHistograms([&](const auto& data) -> auto& {
                 return data.listeners[listener].handshake_duration[version];
               }));
    }
  }
}

void CollectExposure(const Source& source, Exposition& out) {
  const auto emit = [&](std::string_view name, std::string_view help, auto member) {
    out.Counters(name, help);
    for (std::size_t i = 0; i < source.names.listeners.size(); ++i) {
      out.Used({{"listener", source.names.listeners[i]}},
               source.Sum([&](const auto& data) -> auto& { return data.listeners[i].*member; }));
    }
  };
  emit("postern_plaintext_attempts_total", "Logins tried without TLS where it is required.",
       &ListenerSeries::plaintext_attempts);
  emit("postern_starttls_injection_total", "Sessions closed for bytes behind STARTTLS or STLS.",
       &ListenerSeries::starttls_injections);
}

void CollectBytes(const Source& source, Exposition& out) {
  out.Counters("postern_bytes_total", "Plaintext bytes, as seen by Postern.");
  for (std::size_t protocol = 0; protocol < kProtocolCount; ++protocol) {
    for (std::size_t side = 0; side < kSideNames.size(); ++side) {
      for (std::size_t direction = 0; direction < kDirectionNames.size(); ++direction) {
        out.Used({{"protocol", kProtocolNames[protocol]},
                  {"side", kSideNames[side]},
                  {"direction", kDirectionNames[direction]}},
                 source.Sum([&](const auto& data) -> auto& {
                   return data.bytes[protocol][side][direction];
                 }));
      }
    }
  }
  const auto emit = [&](std::string_view name, std::string_view help, auto member) {
    out.Counters(name, help);
    for (std::size_t protocol = 0; protocol < kProtocolCount; ++protocol) {
      out.Used({{"protocol", kProtocolNames[protocol]}},
               source.Sum([&](const auto& data) -> auto& { return (data.*member)[protocol]; }));
    }
  };
  emit("postern_elided_bytes_total", "Client bytes that were consumed and not forwarded.",
       &Shard::Data::elided);
  emit("postern_inserted_bytes_total", "Bytes of our own that were sent to backends.",
       &Shard::Data::inserted);
  out.Counters("postern_rewrites_total", "The rewrites Postern makes in relayed traffic, by kind.");
  for (std::size_t protocol = 0; protocol < kProtocolCount; ++protocol) {
    for (std::size_t kind = 0; kind < kRewriteNames.size(); ++kind) {
      out.Used(
          {{"protocol", kProtocolNames[protocol]}, {"kind", kRewriteNames[kind]}},
          source.Sum([&](const auto& data) -> auto& { return data.rewrites[protocol][kind]; }));
    }
  }
}

}  // namespace postern
