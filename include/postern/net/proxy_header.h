// The PROXY protocol, versions 1 and 2 (haproxy's proxy-protocol.txt): a header in front of a
// connection that says for whom it is made. Reading and writing it is pure; the stream is used on
// its loop's thread. Strict: what is not exactly a header is malformed, and presence is never
// guessed.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "postern/base/address.h"
#include "postern/net/stream.h"

namespace postern {

// Of version 1, with CRLF; of version 2 Postern takes no more than this in all.
inline constexpr std::size_t kMaxProxyHeaderV1 = 107;
inline constexpr std::size_t kMaxProxyHeader = 4096;

struct ProxyHeader {
  enum class Outcome : std::uint8_t { kNeedMore, kHeader, kMalformed };
  Outcome outcome = Outcome::kNeedMore;
  std::size_t size = 0;  // octets of the header
  // LOCAL and UNKNOWN: the connection's own address is the client's.
  bool local = false;
  Address source;
  Address destination;
};

// Looks at the front of what arrived so far. Never looks past the header; total on all input.
ProxyHeader ParseProxyHeader(std::string_view bytes);

// A version 2 header for a TCP connection. Families may differ: then both are written as IPv6.
std::string EncodeProxyHeader(const Address& source, const Address& destination);

// A stream that begins with a PROXY header: the observer's OnOpen comes once the header is read,
// and sees only what is behind it. on_header is called just before; on a malformed header OnEnd
// comes with an error. Takes the lower stream.
std::unique_ptr<Stream> ExpectProxyHeader(std::unique_ptr<Stream> lower,
                                          std::function<void(const ProxyHeader&)> on_header);

}  // namespace postern
