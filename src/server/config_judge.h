// Judges of a configuration that is read: what single values cannot say about each other, of TLS on
// both sides, of lookups and accounts. For config.cc only.
#pragma once

#include "server/config_reader.h"

namespace postern {

// Of a configuration without [[certificate]]: whether a listener needs one.
void JudgeNoCertificate(const Draft& draft, Problems& problems);
// listener.tls with trusted, tls.minimum with allow_obsolete.
void JudgeClientTls(const Draft& draft, Problems& problems);
// pool.tls with verify, insecure, pin and the others; forward with what is served.
void JudgePools(const Draft& draft, Problems& problems);
// lookup.type with all other keys; gives names to those that have none.
void JudgeLookups(Draft& draft, Problems& problems);
// pool.master with the lookups, pool.probe.user with its password.
void JudgeAccounts(const Draft& draft, Problems& problems);

}  // namespace postern
