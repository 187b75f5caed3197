#include "postern/base/network.h"

#include <netinet/in.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "postern/base/ip_bytes.h"
#include "postern/base/text.h"

namespace postern {
namespace {

constexpr unsigned kMappedBits = 96;  // of ::ffff:0:0, before the IPv4 address

Status Malformed(std::string_view text) {
  return Status::Error("'" + std::string(text) +
                       "' is not a network, such as 192.0.2.0/24 or 2001:db8::/32, nor an address");
}

// What of the octet at index is before the prefix's end.
std::uint8_t Mask(std::size_t index, unsigned bits) {
  const std::size_t before = std::min<std::size_t>(bits, 8 * index);
  const std::size_t here = std::min<std::size_t>(bits - before, 8);
  return static_cast<std::uint8_t>(0xFF00u >> here);
}

bool SamePrefix(const std::uint8_t* a, const std::uint8_t* b, std::size_t size, unsigned bits) {
  for (std::size_t i = 0; i < size; ++i) {
    if (((a[i] ^ b[i]) & Mask(i, bits)) != 0) return false;
  }
  return true;
}

std::string HostText(const std::uint8_t* bytes, bool ipv6) {
  sockaddr_in6 in6{};
  sockaddr_in in4{};
  in6.sin6_family = AF_INET6;
  in4.sin_family = AF_INET;
  std::memcpy(&in6.sin6_addr, bytes, 16);
  std::memcpy(&in4.sin_addr, bytes, 4);
  return Address::FromSockaddr(ipv6 ? reinterpret_cast<const sockaddr*>(&in6)
                                    : reinterpret_cast<const sockaddr*>(&in4))
      .HostText();
}

// The prefix's length in bits; all of them when none is written.
std::optional<unsigned> ReadPrefix(std::string_view text, std::size_t slash, unsigned most) {
  if (slash == text.npos) return most;
  const std::optional<std::uint64_t> bits = ParseNumber(text.substr(slash + 1));
  if (!bits || *bits > most) return std::nullopt;
  return static_cast<unsigned>(*bits);
}

}  // namespace

Result<Network> Network::Parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const Result<Address> address = Address::FromParts(text.substr(0, slash), 0);
  if (!address.ok()) return Malformed(text);
  const bool written_ipv6 = address.value().family() == AF_INET6;
  const unsigned most = written_ipv6 ? 128 : 32;
  std::optional<unsigned> bits = ReadPrefix(text, slash, most);
  if (!bits) {
    return Status::Error("'" + std::string(text) + "': the prefix is a number from 0 to " +
                         std::to_string(most));
  }
  const IpBytes ip = IpBytesOf(address.value());
  if (written_ipv6 && ip.size == 4) {
    if (*bits < kMappedBits) {
      return Status::Error("'" + std::string(text) +
                           "' is an IPv4 network: write it as one, such as 192.0.2.0/24");
    }
    *bits -= kMappedBits;
  }
  Network network;
  network.ipv6_ = ip.size == 16;
  network.bits_ = static_cast<std::uint8_t>(*bits);
  for (std::size_t i = 0; i < ip.size; ++i) {
    network.bytes_[i] = static_cast<std::uint8_t>(ip.bytes[i] & Mask(i, *bits));
  }
  if (!std::equal(ip.bytes, ip.bytes + ip.size, network.bytes_)) {
    return Status::Error("'" + std::string(text) + "' has bits behind its prefix: " +
                         network.Text() + " would be the network");
  }
  return network;
}

bool Network::Contains(const Address& address) const {
  const IpBytes ip = IpBytesOf(address);
  return ip.size == (ipv6_ ? 16u : 4u) && SamePrefix(ip.bytes, bytes_, ip.size, bits_);
}

std::string Network::Text() const {
  const std::string host = HostText(bytes_, ipv6_);
  return bits_ == (ipv6_ ? 128 : 32) ? host : host + "/" + std::to_string(bits_);
}

bool ContainedInAny(const std::vector<Network>& networks, const Address& address) {
  return std::any_of(networks.begin(), networks.end(),
                     [&](const Network& network) { return network.Contains(address); });
}

}  // namespace postern
