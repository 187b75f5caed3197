// Pop3Engine::Login: what only a login needs. Gone once it is through, so that an idle session does
// not carry it; wiped with it. Owned by the engine. Pure; the worker's thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "engine/pop3_backend_login.h"
#include "postern/engine/pop3_engine.h"
#include "postern/sasl/sasl.h"

namespace postern {

struct Pop3Engine::Login {
  // What the client said so far.
  std::string user;  // by USER; PASS makes it credentials
  bool utf8 = false;
  bool user_refused = false;  // USER was refused for want of TLS; its PASS is the same attempt
  std::optional<SaslExchange> sasl;
  // The attempt under way.
  Credentials credentials;
  Mechanism mechanism = Mechanism::kUser;
  Instant connected{};
  std::unique_ptr<Pop3BackendLogin> backend;
  // The visit so far.
  int errors = 0;              // in a row
  std::uint32_t attempts = 0;  // refused logins

  void EndAttempt() {
    backend.reset();
    credentials = {};
    user.clear();
  }
  // TLS is on: what was said before may have been said by anybody (RFC 2595 §4).
  void Forget() {
    EndAttempt();
    utf8 = user_refused = false;
  }
};

}  // namespace postern
