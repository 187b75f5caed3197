// A look at the files of users that lookups read, line by line, for `postern check`: a start or a
// reload reads them anyway.
#pragma once

#include "postern/server/config.h"

namespace postern {

// An error begins with its lookup's place and names the lines that are wrong. Only for a
// configuration without errors: its pools are what lines may name.
void CheckUserFiles(const Config& config, ConfigErrors& errors);

}  // namespace postern
