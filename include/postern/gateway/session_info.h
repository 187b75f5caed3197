// SessionInfo: one session as an operator sees it (postern ctl sessions). A value, made on the
// session's worker.
#pragma once

#include <string>

#include "postern/base/clock.h"
#include "postern/base/ids.h"
#include "postern/metrics/shard.h"

namespace postern {

struct SessionInfo {
  std::string id;
  Protocol protocol = Protocol::kImap;
  SessionState state = SessionState::kHandshake;
  std::string listener, client, user, pool, backend, tls_version, tls_cipher;
  Duration age{};
  Duration idle{};          // since the client's last byte
  std::string command;      // the oldest in flight; empty: none
  std::size_t held = 0;     // octets that wait in it
  std::string not_reading;  // why a side is not being read; empty: both are
  unsigned worker = 0;
};

}  // namespace postern
