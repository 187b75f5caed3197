// Judges of a configuration that is read: what single values cannot say about each other, of TLS on
// both sides. For config.cc only.
#pragma once

#include "server/config_reader.h"

namespace postern {

// Of a configuration without [[certificate]]: whether a listener needs one.
void JudgeNoCertificate(const Draft& draft, Problems& problems);
// listener.tls with trusted, tls.minimum with allow_obsolete.
void JudgeClientTls(const Draft& draft, Problems& problems);
// pool.tls with verify, insecure, pin and the others; forward with what is served.
void JudgePools(const Draft& draft, Problems& problems);

}  // namespace postern
