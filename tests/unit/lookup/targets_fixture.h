// Two pools that lookups may name, for the tests of lookups.
#pragma once

#include "postern/lookup/lookups.h"

namespace postern::testing {

inline Backend TargetBackend(const char* name, PoolId pool, const char* imap, const char* pop3) {
  Backend backend;
  backend.name = name;
  backend.pool = pool;
  const char* texts[] = {imap, pop3};
  for (std::size_t i = 0; i < kProtocolCount; ++i) {
    if (texts[i] == nullptr) continue;
    backend.serves[i] = true;
    backend.address[i] = Address::Parse(texts[i]).value();
  }
  return backend;
}

// legacy: mail1, mail2; modern: new1. The pool "gone" has no backends any more.
inline LookupTargets Targets() {
  LookupTargets targets;
  targets.backends = {TargetBackend("mail1", 0, "192.0.2.1:143", "192.0.2.1:110"),
                      TargetBackend("mail2", 0, "192.0.2.2:143", nullptr),
                      TargetBackend("new1", 1, "[2001:db8::1]:143", "[2001:db8::1]:110"),
                      TargetBackend("old", 2, "192.0.2.9:143", nullptr)};
  targets.pools.resize(3);
  targets.pools[0].name = "legacy";
  targets.pools[0].backends = {0, 1};
  targets.pools[1].name = "modern";
  targets.pools[1].backends = {2};
  targets.pools[2].name = "gone";
  return targets;
}

inline LookupQuestion QuestionOf(std::string user, std::string_view password = "secret") {
  LookupQuestion question;
  question.user = std::move(user);
  question.password = Secret(password);
  question.client = Address::Parse("198.51.100.7:4711").value();
  return question;
}

}  // namespace postern::testing
