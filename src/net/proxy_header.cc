// Reading and writing PROXY headers; section numbers are those of proxy-protocol.txt.
#include "postern/net/proxy_header.h"

#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <utility>

#include "postern/base/ip_bytes.h"
#include "postern/base/text.h"

namespace postern {
namespace {

using Outcome = ProxyHeader::Outcome;

constexpr std::string_view kPrefixV1 = "PROXY ";
constexpr std::string_view kSignature{"\r\n\r\n\0\r\nQUIT\n", 12};
constexpr std::size_t kFixedSize = 16;  // signature, command, family, length

// Version 2 and the command; family and transport.
enum : unsigned char { kLocal = 0x20, kProxy = 0x21, kTcp4 = 0x11, kTcp6 = 0x21 };

ProxyHeader Outcomes(Outcome outcome) {
  ProxyHeader header;
  header.outcome = outcome;
  return header;
}
ProxyHeader NeedMore() { return Outcomes(Outcome::kNeedMore); }
ProxyHeader Malformed() { return Outcomes(Outcome::kMalformed); }

// Whether bytes and text agree as far as both go.
bool Agree(std::string_view bytes, std::string_view text) {
  const std::size_t size = std::min(bytes.size(), text.size());
  return bytes.substr(0, size) == text.substr(0, size);
}

unsigned Octet(std::string_view bytes, std::size_t at) {
  return static_cast<unsigned char>(bytes[at]);
}
std::uint16_t Number(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint16_t>(Octet(bytes, at) << 8 | Octet(bytes, at + 1));
}

// ---- version 1 (section 2.1)

std::optional<Address> ReadEnd(std::string_view host, std::string_view port_text, int family) {
  const std::optional<std::uint64_t> port = ParseNumber(port_text);
  if (!port || *port > 65535) return std::nullopt;
  const Result<Address> address = Address::FromParts(host, static_cast<std::uint16_t>(*port));
  if (!address.ok() || address.value().family() != family) return std::nullopt;
  return address.value();
}

// "SOURCE DESTINATION SPORT DPORT" with exactly one space between them.
ProxyHeader ReadEnds(std::string_view text, int family) {
  std::array<std::string_view, 4> fields;
  for (std::size_t i = 0; i < 3; ++i) {
    const std::size_t space = text.find(' ');
    if (space == text.npos) return Malformed();
    fields[i] = text.substr(0, space);
    text.remove_prefix(space + 1);
  }
  fields[3] = text;
  const std::optional<Address> source = ReadEnd(fields[0], fields[2], family);
  const std::optional<Address> destination = ReadEnd(fields[1], fields[3], family);
  if (!source || !destination) return Malformed();
  ProxyHeader header = Outcomes(Outcome::kHeader);
  header.source = *source;
  header.destination = *destination;
  return header;
}

// The line behind "PROXY ", without CRLF.
ProxyHeader ReadLine(std::string_view line) {
  if (line.starts_with("TCP4 ")) return ReadEnds(line.substr(5), AF_INET);
  if (line.starts_with("TCP6 ")) return ReadEnds(line.substr(5), AF_INET6);
  // Whatever stands behind UNKNOWN is to be ignored.
  if (line != "UNKNOWN" && !line.starts_with("UNKNOWN ")) return Malformed();
  ProxyHeader header = Outcomes(Outcome::kHeader);
  header.local = true;
  return header;
}

ProxyHeader ParseV1(std::string_view bytes) {
  if (!Agree(bytes, kPrefixV1)) return Malformed();
  // A CR must stand where its LF still is within the limit.
  const std::string_view line = bytes.substr(0, kMaxProxyHeaderV1 - 1);
  const std::size_t end = line.find_first_of("\r\n");
  if (end == line.npos) return line.size() == kMaxProxyHeaderV1 - 1 ? Malformed() : NeedMore();
  if (line[end] == '\n') return Malformed();
  if (end + 1 == bytes.size()) return NeedMore();
  if (bytes[end + 1] != '\n') return Malformed();
  ProxyHeader header = ReadLine(line.substr(0, end).substr(kPrefixV1.size()));
  if (header.outcome == Outcome::kHeader) header.size = end + 2;
  return header;
}

// ---- version 2 (section 2.2)

Address MakeAddress(std::string_view ip, std::uint16_t port) {
  sockaddr_in in4{};
  sockaddr_in6 in6{};
  if (ip.size() == 4) {
    in4.sin_family = AF_INET;
    in4.sin_port = htons(port);
    std::memcpy(&in4.sin_addr, ip.data(), ip.size());
    return Address::FromSockaddr(reinterpret_cast<const sockaddr*>(&in4));
  }
  in6.sin6_family = AF_INET6;
  in6.sin6_port = htons(port);
  std::memcpy(&in6.sin6_addr, ip.data(), ip.size());
  return Address::FromSockaddr(reinterpret_cast<const sockaddr*>(&in6));
}

// Type, length in two octets, value: nothing may be left over (section 2.2, TLV vectors).
bool AreVectors(std::string_view bytes) {
  while (!bytes.empty()) {
    if (bytes.size() < 3) return false;
    const std::size_t size = 3u + Number(bytes, 1);
    if (bytes.size() < size) return false;
    bytes.remove_prefix(size);
  }
  return true;
}

// What stands behind the fixed part of a PROXY command over TCP.
ProxyHeader ReadBlock(std::string_view block, std::size_t ip_size) {
  if (!AreVectors(block.substr(2 * ip_size + 4))) return Malformed();
  ProxyHeader header = Outcomes(Outcome::kHeader);
  header.source = MakeAddress(block.substr(0, ip_size), Number(block, 2 * ip_size));
  header.destination = MakeAddress(block.substr(ip_size, ip_size), Number(block, 2 * ip_size + 2));
  return header;
}

bool IsFixedPart(std::string_view bytes) {
  if (!Agree(bytes, kSignature)) return false;
  if (bytes.size() < 13) return true;
  const unsigned command = Octet(bytes, 12);
  if (command != kLocal && command != kProxy) return false;
  if (bytes.size() < 14 || command == kLocal) return true;
  const unsigned family = Octet(bytes, 13);
  // Unspecified: with transport TCP or none. Datagrams and Unix sockets never come by TCP.
  return family == kTcp4 || family == kTcp6 || family <= 0x01;
}

ProxyHeader ParseV2(std::string_view bytes) {
  if (!IsFixedPart(bytes)) return Malformed();
  if (bytes.size() < kFixedSize) return NeedMore();
  const unsigned family = Octet(bytes, 13);
  const bool local = Octet(bytes, 12) == kLocal || family <= 0x01;
  const std::size_t ip_size = family == kTcp4 ? 4 : 16;
  const std::size_t length = Number(bytes, 14);
  if (kFixedSize + length > kMaxProxyHeader) return Malformed();
  if (!local && length < 2 * ip_size + 4) return Malformed();
  if (bytes.size() < kFixedSize + length) return NeedMore();
  // The block of a local connection is discarded, whatever it holds.
  ProxyHeader header =
      local ? Outcomes(Outcome::kHeader) : ReadBlock(bytes.substr(kFixedSize, length), ip_size);
  header.local = local;
  if (header.outcome == Outcome::kHeader) header.size = kFixedSize + length;
  return header;
}

// As IPv6 where the other side is: ::ffff:a.b.c.d.
void AppendIp(std::string& out, const IpBytes& ip, std::size_t size) {
  if (ip.size < size) out.append(10, '\0').append("\xff\xff");
  out.append(ip.view());
}

void AppendNumber(std::string& out, std::size_t number) {
  out += static_cast<char>(number >> 8 & 0xFF);
  out += static_cast<char>(number & 0xFF);
}

}  // namespace

ProxyHeader ParseProxyHeader(std::string_view bytes) {
  if (bytes.empty()) return NeedMore();
  return bytes.front() == kPrefixV1.front() ? ParseV1(bytes) : ParseV2(bytes);
}

std::string EncodeProxyHeader(const Address& source, const Address& destination) {
  const IpBytes from = IpBytesOf(source);
  const IpBytes to = IpBytesOf(destination);
  std::string header(kSignature);
  if (from.size == 0 || to.size == 0) {
    header += {static_cast<char>(kLocal), '\0', '\0', '\0'};
    return header;
  }
  const std::size_t ip_size = std::max(from.size, to.size);
  header += static_cast<char>(kProxy);
  header += static_cast<char>(ip_size == 4 ? kTcp4 : kTcp6);
  AppendNumber(header, 2 * ip_size + 4);
  AppendIp(header, from, ip_size);
  AppendIp(header, to, ip_size);
  AppendNumber(header, source.port());
  AppendNumber(header, destination.port());
  return header;
}

}  // namespace postern
