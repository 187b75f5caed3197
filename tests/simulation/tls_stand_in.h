// TLS without cryptography, for simulated worlds: a line each way, and then the bytes as they are.
// What begins with anything else is a handshake that fails. Knows no certificates.
#pragma once

#include <memory>
#include <string_view>

#include "postern/net/stream.h"

namespace postern::testing {

// What the side that connects says first, and what it is answered.
inline constexpr std::string_view kTlsHello = "\x16HELLO\r\n";
inline constexpr std::string_view kTlsWelcome = "\x16WELCOME\r\n";

enum class TlsRole : std::uint8_t { kServer, kClient };
std::unique_ptr<Stream> TlsStandIn(TlsRole role, std::unique_ptr<Stream> lower);

}  // namespace postern::testing
