#include "postern/base/address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>

#include <cstring>
#include <optional>

#include "postern/base/text.h"

namespace postern {
namespace {

struct HostPort {
  std::string host;
  std::uint16_t port = 0;
  bool bracketed = false;
};

Status Malformed(std::string_view text) {
  return Status::Error(
      "'" + std::string(text) +
      "' is not an address with a port, such as 192.0.2.1:993 or [2001:db8::1]:993");
}

// Splits at the last colon; an IPv6 host must stand in brackets so that the port is certain.
std::optional<HostPort> Split(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const std::optional<std::uint64_t> port = ParseNumber(text.substr(colon + 1));
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (!port || *port > 65535 || host.empty()) return std::nullopt;
  if (!bracketed && host.find(':') != std::string_view::npos) return std::nullopt;
  return HostPort{std::string(host), static_cast<std::uint16_t>(*port), bracketed};
}

}  // namespace

Result<Address> Address::Parse(std::string_view text) {
  const std::optional<HostPort> parts = Split(text);
  if (!parts) return Malformed(text);
  Result<Address> address = FromParts(parts->host, parts->port);
  const int family = parts->bracketed ? AF_INET6 : AF_INET;
  if (!address.ok() || address.value().family() != family) return Malformed(text);
  return address;
}

Result<Address> Address::FromParts(std::string_view host, std::uint16_t port) {
  const std::string text(host);
  Address address;
  auto* in4 = reinterpret_cast<sockaddr_in*>(&address.storage_);
  auto* in6 = reinterpret_cast<sockaddr_in6*>(&address.storage_);
  // inet_pton would not look behind a NUL.
  const bool whole = host.find('\0') == host.npos;
  if (whole && inet_pton(AF_INET, text.c_str(), &in4->sin_addr) == 1) {
    in4->sin_family = AF_INET;
    in4->sin_port = htons(port);
  } else if (whole && inet_pton(AF_INET6, text.c_str(), &in6->sin6_addr) == 1) {
    in6->sin6_family = AF_INET6;
    in6->sin6_port = htons(port);
  } else {
    return Status::Error("'" + text + "' is not an IPv4 or IPv6 address");
  }
  return address;
}

Result<Address> Address::Resolve(std::string_view text) { return Resolve(text, {}); }

Result<Address> Address::Resolve(std::string_view text, const Address& known) {
  Result<Address> literal = Parse(text);
  if (literal.ok()) return literal;
  const std::optional<HostPort> parts = Split(text);
  if (!parts || parts->bracketed) return Malformed(text);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int failure =
      getaddrinfo(parts->host.c_str(), std::to_string(parts->port).c_str(), &hints, &found);
  if (failure != 0) {
    return Status::Error("host name '" + parts->host +
                         "' cannot be resolved: " + gai_strerror(failure));
  }
  Address address = FromSockaddr(found->ai_addr);
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    const Address other = FromSockaddr(one->ai_addr);
    if (other.family() == known.family() && other.Text() == known.Text()) address = other;
  }
  freeaddrinfo(found);
  return address;
}

Address Address::FromSockaddr(const sockaddr* address) {
  Address copy;
  copy.storage_.ss_family = address->sa_family;
  std::memcpy(&copy.storage_, address, copy.sockaddr_size());
  return copy;
}

socklen_t Address::sockaddr_size() const {
  if (family() == AF_INET) return sizeof(sockaddr_in);
  if (family() == AF_INET6) return sizeof(sockaddr_in6);
  return sizeof(sa_family_t);
}

std::uint16_t Address::port() const {
  if (family() == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in*>(&storage_)->sin_port);
  if (family() == AF_INET6) {
    return ntohs(reinterpret_cast<const sockaddr_in6*>(&storage_)->sin6_port);
  }
  return 0;
}

std::string Address::HostText() const {
  char text[INET6_ADDRSTRLEN] = "";
  if (family() == AF_INET) {
    const auto* in4 = reinterpret_cast<const sockaddr_in*>(&storage_);
    inet_ntop(AF_INET, &in4->sin_addr, text, sizeof text);
  } else if (family() == AF_INET6) {
    const auto* in6 = reinterpret_cast<const sockaddr_in6*>(&storage_);
    if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr)) {
      inet_ntop(AF_INET, &in6->sin6_addr.s6_addr[12], text, sizeof text);
    } else {
      inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof text);
    }
  }
  return text;
}

std::string Address::Text() const {
  const std::string host = HostText();
  const bool brackets = host.find(':') != std::string::npos;
  return (brackets ? "[" + host + "]" : host) + ":" + std::to_string(port());
}

}  // namespace postern
