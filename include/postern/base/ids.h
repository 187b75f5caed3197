// The small closed vocabularies that several layers share: protocols and the indices of configured
// things.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace postern {

enum class Protocol : std::uint8_t { kImap, kPop3 };
inline constexpr std::size_t kProtocolCount = 2;
// "imap", "pop3": in the configuration, in labels and in the log.
constexpr std::string_view ProtocolName(Protocol protocol) {
  return protocol == Protocol::kImap ? "imap" : "pop3";
}

// Indices into the configuration's lists, stable for the life of the process. A backend's index
// counts over all pools.
using PoolId = std::uint16_t;
using BackendId = std::uint16_t;
using ListenerId = std::uint16_t;
// Before routing; the label value is "none".
inline constexpr PoolId kNoPool = 0xFFFF;
inline constexpr BackendId kNoBackend = 0xFFFF;

// Why a backend leg is given up.
enum class BackendFailure : std::uint8_t {
  kConnect,
  kTimeout,
  kGreeting,
  kProtocol,
  kClosed,
  kTls,  // no TLS, or a certificate that does not pass
};
inline constexpr std::size_t kBackendFailureCount = 6;

}  // namespace postern
