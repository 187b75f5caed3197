// The addresses of backends that are given as host names, over the life of the process: the last
// good answer stands until there is a better one (SECURITY R-09). Pure.
#pragma once

#include "postern/server/config.h"

namespace postern {

// A name that is not resolved in to, and was in from, keeps the address it had.
void KeepKnownAddresses(const Config& from, Config& to);
// Of the same configuration.
bool SameAddresses(const Config& a, const Config& b);

}  // namespace postern
