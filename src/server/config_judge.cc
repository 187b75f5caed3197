#include "server/config_judge.h"

#include <fmt/format.h>

#include <algorithm>

namespace postern {
namespace {

using Verify = ClientTlsSettings::Verify;
using Version = ServerTlsSettings::Version;

bool UsesTls(const ListenerConfig& listener) {
  return listener.tls == ListenerTls::kImplicit || listener.tls == ListenerTls::kStarttls;
}

void JudgeVersions(const Draft& draft, Problems& problems) {
  const Config& config = draft.config;
  if (config.minimum_tls >= Version::k12) return;
  const std::string_view shown = config.minimum_tls == Version::k10 ? "1.0" : "1.1";
  if (config.allow_obsolete_tls) {
    problems.Warn(draft.tls_minimum_place,
                  fmt::format("minimum = \"{}\": clients may speak obsolete TLS; go back to "
                              "\"1.2\" once they are counted",
                              shown));
  } else {
    problems.Error(draft.tls_minimum_place,
                   fmt::format("minimum = \"{}\": obsolete; write \"1.2\", or say allow_obsolete "
                               "= true to measure who still needs it",
                               shown));
  }
}

// What verifies a backend does nothing where no TLS is spoken.
void WarnOfPlainPool(const KeyPlaces& keys, Problems& problems) {
  for (const std::string_view key : {"verify", "ca", "pin", "verify_name"}) {
    if (keys.count(key) == 0) continue;
    problems.Warn(PlaceIn(keys, key, {}),
                  fmt::format("{} does nothing without TLS; say tls = \"starttls\" or "
                              "\"implicit\", or leave the key out",
                              key));
  }
}

void JudgeVerification(const PoolConfig& pool, const KeyPlaces& keys, Place table,
                       Problems& problems) {
  const bool pinned = pool.verification.verify == Verify::kPin;
  // A pin that is given and wrong was reported already.
  if (pinned && keys.count("pin") == 0) {
    problems.Error(PlaceIn(keys, "verify", table),
                   "verify = \"pin\": there is no pin; add pin = \"sha256//...\"");
  }
  if (!pinned && keys.count("pin") != 0) {
    problems.Error(PlaceIn(keys, "pin", table),
                   "pin is looked at with verify = \"pin\" only; say so or leave the key out");
  }
  if (pool.verification.verify != Verify::kNone) return;
  if (!pool.insecure) {
    problems.Error(PlaceIn(keys, "verify", table),
                   "verify = \"none\": anybody could pose as the backend and get the passwords; "
                   "write \"full\" or \"pin\", or say insecure = true");
  } else if (pool.tls != PoolTls::kNone) {
    problems.Warn(PlaceIn(keys, "verify", table),
                  fmt::format("verify = \"none\": anybody could pose as a backend of pool \"{}\" "
                              "and get the passwords; write \"full\" or \"pin\"",
                              pool.name));
  }
}

// IMAP has no XCLIENT.
void WarnOfXclient(const Config& config, const PoolConfig& pool, Place place, Problems& problems) {
  if (!pool.forward_xclient) return;
  const bool listens =
      std::any_of(config.listeners.begin(), config.listeners.end(),
                  [](const auto& each) { return each.protocol == Protocol::kPop3; });
  const bool serves = std::any_of(pool.backends.begin(), pool.backends.end(),
                                  [&](BackendId id) { return config.backends[id].has_pop3; });
  if (listens && serves) return;
  problems.Warn(place, fmt::format("\"xclient\" is POP3's, and pool \"{}\" serves imap only; with "
                                   "\"id\" or \"proxy2\" IMAP backends learn the client's address",
                                   pool.name));
}

}  // namespace

void JudgeNoCertificate(const Draft& draft, Problems& problems) {
  const Config& config = draft.config;
  const auto user = std::find_if(config.listeners.begin(), config.listeners.end(), UsesTls);
  if (user == config.listeners.end()) return;
  problems.Error({}, fmt::format("no certificate, but listener \"{}\" speaks TLS; add a "
                                 "[[certificate]] with chain and key",
                                 user->name));
}

void JudgeClientTls(const Draft& draft, Problems& problems) {
  const auto& listeners = draft.config.listeners;
  for (std::size_t i = 0; i < listeners.size(); ++i) {
    const KeyPlaces& keys = draft.listener_keys[i];
    const Place table = draft.listener_places[i];
    if (listeners[i].tls == ListenerTls::kNone && listeners[i].trusted.empty()) {
      problems.Error(PlaceIn(keys, "tls", table),
                     "tls = \"none\": nobody is trusted with plain text; add trusted = "
                     "[\"10.0.0.0/8\"], or write \"implicit\" or \"starttls\"");
    }
    if (listeners[i].strict_sni && !UsesTls(listeners[i])) {
      problems.Warn(PlaceIn(keys, "strict_sni", table),
                    "strict_sni does nothing on a listener without TLS; leave the key out");
    }
  }
  JudgeVersions(draft, problems);
}

void JudgePools(const Draft& draft, Problems& problems) {
  const Config& config = draft.config;
  for (std::size_t i = 0; i < config.pools.size(); ++i) {
    const PoolConfig& pool = config.pools[i];
    const KeyPlaces& keys = draft.pool_keys[i];
    const Place table = draft.pool_places[i];
    if (pool.tls == PoolTls::kNone) WarnOfPlainPool(keys, problems);
    JudgeVerification(pool, keys, table, problems);
    WarnOfXclient(config, pool, PlaceIn(keys, "forward", table), problems);
  }
}

}  // namespace postern
