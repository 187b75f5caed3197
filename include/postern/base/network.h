// Network: an address block in CIDR notation, and sets of them. Values; pure; any thread. An
// IPv4-mapped IPv6 address is its IPv4 address.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "postern/base/address.h"
#include "postern/base/status.h"

namespace postern {

class Network {
 public:
  // "192.0.2.0/24", "2001:db8::/32", or a single address. Bits behind the prefix must be zero; the
  // error says what would be right.
  static Result<Network> Parse(std::string_view text);
  bool Contains(const Address& address) const;
  std::string Text() const;

 private:
  std::uint8_t bytes_[16] = {};
  std::uint8_t bits_ = 0;
  bool ipv6_ = false;
};

bool ContainedInAny(const std::vector<Network>& networks, const Address& address);

}  // namespace postern
