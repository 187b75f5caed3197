// F-07: what stands in front of a connection from a proxy. Input: one byte that seeds the cuts, the
// connection's bytes; the same bytes also make the addresses of a header to write.
//
// A violation aborts: an outcome never changes when more arrives, and a header is found at its last
// octet, so nothing behind it is looked at; its addresses are of one family, or it is local; a
// version 1 header over IPv4 has one form only; the stream says the same however it is cut, and
// gives its observer every octet behind the header and none of it; a written header reads as what
// was written.
#include <netinet/in.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "postern/base/check.h"
#include "postern/net/proxy_header.h"
#include "support/for_every_split.h"
#include "support/memory_stream.h"

namespace postern::testing {
namespace {

using Outcome = ProxyHeader::Outcome;

struct Watcher final : Stream::Observer {
  void OnOpen() override { ++opened; }
  void OnBytes(std::string_view bytes) override {
    POSTERN_CHECK(opened == 1 && ends == 0);
    received.append(bytes);
  }
  void OnDrained() override {}
  void OnEnd(const Status& why) override {
    ++ends;
    failed = !why.ok();
  }
  int opened = 0, ends = 0;
  bool failed = false;
  std::string received;
};

ProxyHeader ParseExactly(std::string_view bytes) {
  const Split copy(bytes, {});
  return ParseProxyHeader(copy[0]);
}

// Sizes of prefixes to look at: each short one, some long ones, and those around the header's end.
std::vector<std::size_t> Prefixes(std::size_t size, std::size_t end) {
  std::vector<std::size_t> sizes;
  for (std::size_t at = 0; at <= size; at += at < 2 * kMaxProxyHeaderV1 ? 1 : 97) {
    sizes.push_back(at);
  }
  for (const std::size_t at : {end - 1, end, end + 1}) {
    if (at <= size) sizes.push_back(at);
  }
  std::sort(sizes.begin(), sizes.end());
  return sizes;
}

// What the bytes are, which no prefix that decides may contradict; and a header is one as soon as
// its last octet is there.
ProxyHeader Decide(std::string_view bytes) {
  const ProxyHeader whole = ParseExactly(bytes);
  bool decided = false;
  for (const std::size_t size : Prefixes(bytes.size(), whole.size)) {
    const ProxyHeader part = ParseExactly(bytes.substr(0, size));
    if (!decided && part.outcome == Outcome::kNeedMore) {
      POSTERN_CHECK(whole.outcome != Outcome::kHeader || size < whole.size);
      continue;
    }
    decided = true;
    POSTERN_CHECK(part.outcome == whole.outcome && part.size == whole.size);
    POSTERN_CHECK(part.local == whole.local && size >= whole.size);
  }
  return whole;
}

void CheckHeader(const ProxyHeader& header, std::string_view bytes) {
  POSTERN_CHECK(header.size > 0 && header.size <= kMaxProxyHeader);
  const bool text = bytes.front() == 'P';
  if (text) POSTERN_CHECK(header.size <= kMaxProxyHeaderV1);
  if (header.local) return;
  const int family = header.source.family();
  POSTERN_CHECK(family == AF_INET || family == AF_INET6);
  POSTERN_CHECK(family == header.destination.family());
  if (!text || family != AF_INET) return;
  const std::string line = "PROXY TCP4 " + header.source.HostText() + " " +
                           header.destination.HostText() + " " +
                           std::to_string(header.source.port()) + " " +
                           std::to_string(header.destination.port()) + "\r\n";
  POSTERN_CHECK(bytes.substr(0, header.size) == line);
}

void CheckWritten(const Address& source, const Address& destination) {
  const std::string written = EncodeProxyHeader(source, destination);
  const ProxyHeader header = Decide(written);
  POSTERN_CHECK(header.outcome == Outcome::kHeader && !header.local);
  POSTERN_CHECK(header.size == written.size());
  POSTERN_CHECK(header.source.Text() == source.Text());
  POSTERN_CHECK(header.destination.Text() == destination.Text());
  POSTERN_CHECK(EncodeProxyHeader(header.source, header.destination) ==
                EncodeProxyHeader(source, destination));
}

Address TakeAddress(std::string_view& bytes) {
  sockaddr_in6 in6{};
  sockaddr_in in4{};
  in6.sin6_family = AF_INET6;
  in4.sin_family = AF_INET;
  const std::string_view taken = bytes.substr(0, 19);
  bytes.remove_prefix(taken.size());
  if (!taken.empty() && (taken[0] & 1) != 0) {
    std::memcpy(&in4.sin_addr, taken.data(), std::min<std::size_t>(taken.size(), 4));
    return Address::FromSockaddr(reinterpret_cast<const sockaddr*>(&in4));
  }
  std::memcpy(&in6.sin6_addr, taken.data(), std::min<std::size_t>(taken.size(), 16));
  if (taken.size() == 19) in6.sin6_port = static_cast<in_port_t>(taken[17] << 8 ^ taken[18]);
  return Address::FromSockaddr(reinterpret_cast<const sockaddr*>(&in6));
}

void CheckStream(std::string_view bytes, const std::vector<std::size_t>& cuts,
                 const ProxyHeader& expected) {
  MemoryNetwork network;
  auto [ours, theirs] = network.Connect();
  Watcher proxy, client;
  int headers = 0;
  theirs->Start(proxy);
  const auto stream = ExpectProxyHeader(std::move(ours), [&](const ProxyHeader& header) {
    POSTERN_CHECK(client.opened == 0);
    POSTERN_CHECK(header.size == expected.size && header.local == expected.local);
    ++headers;
  });
  stream->Start(client);
  const Split split(bytes, cuts);
  for (std::size_t i = 0; i < split.size(); ++i) {
    theirs->Write(split[i]);
    network.Run();
  }
  theirs->ShutDown();
  network.Run();
  const bool found = expected.outcome == Outcome::kHeader;
  POSTERN_CHECK(headers == (found ? 1 : 0) && client.opened == headers && client.ends == 1);
  POSTERN_CHECK(client.failed == !found);
  if (found) POSTERN_CHECK(client.received == bytes.substr(expected.size));
  if (!found) POSTERN_CHECK(client.received.empty());
}

void Check(std::uint8_t seed, std::string_view bytes) {
  const ProxyHeader decided = Decide(bytes);
  if (decided.outcome == Outcome::kHeader) {
    CheckHeader(decided, bytes);
    if (!decided.local) CheckWritten(decided.source, decided.destination);
  }
  SplitRandom random(seed);
  std::vector<std::size_t> cuts;
  for (std::size_t cut = 1 + random.Next(8); cut < bytes.size(); cut += 1 + random.Next(32)) {
    cuts.push_back(cut);
  }
  CheckStream(bytes, {}, decided);
  CheckStream(bytes, cuts, decided);
  std::string_view rest = bytes;
  const Address source = TakeAddress(rest);
  CheckWritten(source, TakeAddress(rest));
}

}  // namespace
}  // namespace postern::testing

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1 || size > 5000) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  postern::testing::Check(data[0], bytes.substr(1));
  return 0;
}
