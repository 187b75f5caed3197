// Files that hold one secret: the passwords of pool.master, pool.probe and [[lookup]], the token of
// [admin]. Reads the disk; any thread.
#pragma once

#include <string>

#include "postern/base/secret.h"
#include "postern/base/status.h"

namespace postern {

// The file's only line, without its line end. The error names the file: it cannot be read, is
// empty, has a second line, or holds more than 4 KiB or a NUL.
Result<Secret> ReadSecretFile(const std::string& path);

}  // namespace postern
