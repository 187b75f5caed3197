// Text files as a whole: the configuration and its rules. Reads the disk; any thread.
#pragma once

#include <string>
#include <vector>

#include "postern/base/status.h"

namespace postern {

// At most 16 MiB. The error says why not: "cannot be read: No such file or directory"; it does not
// name the file.
Result<std::string> ReadTextFile(const std::string& path);

// The files that a path stands for, in which * is any run of characters and ? one, in every part;
// neither matches a dot at a name's beginning. A path without them stands for itself, whether it is
// there or not. In no order.
std::vector<std::string> ExpandPath(const std::string& path);
// Whether * or ? stands in it.
bool IsPattern(const std::string& path);

}  // namespace postern
