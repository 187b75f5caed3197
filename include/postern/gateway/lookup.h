// Lookup: the seam to whoever knows where a user's mailbox is (DESIGN 1.2, [[lookup]]). Implemented
// in src/lookup, and by fakes. Asked by sessions at login; no request runs on a worker's turn.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "postern/base/address.h"
#include "postern/base/clock.h"
#include "postern/base/ids.h"
#include "postern/base/mechanism.h"
#include "postern/base/secret.h"

namespace postern {

// What a lookup may use. A value.
struct LookupQuestion {
  std::string user;  // the whole login name, after any rewriting
  Secret password;   // or token; for lookups that judge it
  Mechanism mechanism = Mechanism::kPlain;
  Protocol protocol = Protocol::kImap;
  Address client;
  std::string session;        // the session's id
  std::uint32_t attempt = 1;  // of this connection
};

struct LookupAnswer {
  enum class Kind : std::uint8_t {
    kUnknown,      // no lookup knows the user: routing.pool
    kFound,        // pool, perhaps backend
    kRefused,      // the credentials were judged wrong, in the words of text
    kTemporary,    // a lookup said "try again later", in the words of text
    kUnavailable,  // a lookup that had to be asked cannot be: never "authentication failed"
  };
  Kind kind = Kind::kUnknown;
  PoolId pool = kNoPool;
  BackendId backend = kNoBackend;  // kNoBackend: any of the pool
  std::string user;                // another name for the backend; empty: the same
  Secret password;                 // another password; used when has_password
  bool has_password = false;
  // The credentials were judged and found right: a pool's master account may be used.
  bool vouched = false;
  std::string text;
  Duration wait{};  // before the client is told of a refusal
};

// All lookups of one configuration, asked in their order until one knows the user.
class Lookup {
 public:
  virtual ~Lookup() = default;
  // Answers exactly once, from any thread, also when the lookup is destroyed meanwhile; may answer
  // before it returns. Any thread.
  virtual void Ask(LookupQuestion question, std::function<void(LookupAnswer)> done) = 0;
};

}  // namespace postern
