// Address: an IPv4 or IPv6 address with a port. A value; pure; any thread.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "postern/base/status.h"

namespace postern {

class Address {
 public:
  Address() = default;
  // "192.0.2.1:993", "[2001:db8::1]:993"; numbers only.
  static Result<Address> Parse(std::string_view text);
  // As Parse, but the host may be a name: asks the system's resolver and blocks. Not for a loop's
  // thread. Of several addresses the known one, if it is among them, or the first.
  static Result<Address> Resolve(std::string_view text, const Address& known);
  static Result<Address> Resolve(std::string_view text);
  static Address FromSockaddr(const sockaddr* address);

  const sockaddr* sockaddr_ptr() const { return reinterpret_cast<const sockaddr*>(&storage_); }
  socklen_t sockaddr_size() const;
  int family() const { return storage_.ss_family; }
  std::uint16_t port() const;
  // host is numeric and without brackets.
  static Result<Address> FromParts(std::string_view host, std::uint16_t port);
  // "192.0.2.1" or "2001:db8::1"; an IPv4-mapped IPv6 address prints as IPv4.
  std::string HostText() const;
  // "192.0.2.1:993" or "[2001:db8::1]:993".
  std::string Text() const;

 private:
  sockaddr_storage storage_{};
};

}  // namespace postern
