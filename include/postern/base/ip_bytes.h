// The octets of an address without its port. A value; pure; any thread.
#pragma once

#include <netinet/in.h>

#include <cstdint>
#include <cstring>
#include <string_view>

#include "postern/base/address.h"

namespace postern {

// In network order. An IPv4-mapped IPv6 address counts as its IPv4 address; size is 0 for an
// address of no family.
struct IpBytes {
  std::size_t size = 0;
  std::uint8_t bytes[16] = {};

  std::string_view view() const { return {reinterpret_cast<const char*>(bytes), size}; }
};

inline IpBytes IpBytesOf(const Address& address) {
  IpBytes ip;
  if (address.family() == AF_INET) {
    ip.size = 4;
    const auto* in4 = reinterpret_cast<const sockaddr_in*>(address.sockaddr_ptr());
    std::memcpy(ip.bytes, &in4->sin_addr, ip.size);
  } else if (address.family() == AF_INET6) {
    const auto* in6 = reinterpret_cast<const sockaddr_in6*>(address.sockaddr_ptr());
    const bool mapped = IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr);
    ip.size = mapped ? 4 : 16;
    std::memcpy(ip.bytes, &in6->sin6_addr.s6_addr[mapped ? 12 : 0], ip.size);
  }
  return ip;
}

}  // namespace postern
