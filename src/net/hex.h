// Hexadecimal octets, as digests and keys are written in files. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace postern {

// Two digits an octet, either case, nothing else. Nothing when it is not that.
std::optional<std::string> HexDecode(std::string_view digits);

}  // namespace postern
