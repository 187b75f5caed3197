#include "postern/net/proxy_header.h"

#include <catch2/catch.hpp>
#include <string>
#include <string_view>

#include "support/for_every_split.h"

namespace postern {
namespace {

using namespace std::string_literals;
using Outcome = ProxyHeader::Outcome;

const std::string kSignature = "\r\n\r\n\0\r\nQUIT\n"s;
const std::string kEnds4 = "\xc0\0\2\1\xc0\0\2\2\x30\x39\x03\xe1"s;  // 192.0.2.1:12345, .2:993

std::string V2(std::string_view command_and_family, std::string_view block) {
  std::string header = kSignature + std::string(command_and_family);
  header += static_cast<char>(block.size() >> 8);
  header += static_cast<char>(block.size() & 0xff);
  return header.append(block);
}

// What comes of an input, the same whether it comes whole, byte by byte, or with more behind it.
ProxyHeader Parse(const std::string& input) {
  const ProxyHeader whole = ParseProxyHeader(input);
  for (std::size_t size = 0; size <= input.size(); ++size) {
    const testing::Split exact(std::string_view(input).substr(0, size), {});
    const ProxyHeader part = ParseProxyHeader(exact[0]);
    if (part.outcome == Outcome::kNeedMore) continue;
    CHECK(part.outcome == whole.outcome);
    if (part.outcome == Outcome::kHeader) CHECK(size >= whole.size);
    break;
  }
  const ProxyHeader longer = ParseProxyHeader(input + "\r\nmore\r\n");
  if (whole.outcome != Outcome::kNeedMore) {
    CHECK(longer.outcome == whole.outcome);
    CHECK(longer.size == whole.size);
  }
  return whole;
}

void CheckMalformed(const std::string& input) {
  INFO(input);
  CHECK(Parse(input).outcome == Outcome::kMalformed);
}

void CheckEnds(const std::string& input, const char* source, const char* destination) {
  INFO(input);
  const ProxyHeader header = Parse(input);
  REQUIRE(header.outcome == Outcome::kHeader);
  CHECK(header.size == input.size());
  CHECK_FALSE(header.local);
  CHECK(header.source.Text() == source);
  CHECK(header.destination.Text() == destination);
}

void CheckLocal(const std::string& input) {
  INFO(input);
  const ProxyHeader header = Parse(input);
  REQUIRE(header.outcome == Outcome::kHeader);
  CHECK(header.size == input.size());
  CHECK(header.local);
}

TEST_CASE("PROXY version 1 names both ends", "[net]") {
  CheckEnds("PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n", "192.168.0.1:56324",
            "192.168.0.11:443");
  CheckEnds("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", "255.255.255.255:65535",
            "255.255.255.255:65535");
  CheckEnds("PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n", "0.0.0.0:0", "0.0.0.0:0");
  CheckEnds("PROXY TCP6 2001:DB8::1 ::1 1 2\r\n", "[2001:db8::1]:1", "[::1]:2");
  const std::string longest = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
  CheckEnds("PROXY TCP6 " + longest + " " + longest + " 65535 65535\r\n",
            ("[" + longest + "]:65535").c_str(), ("[" + longest + "]:65535").c_str());
}

TEST_CASE("PROXY version 1 with UNKNOWN keeps the address of the connection", "[net]") {
  CheckLocal("PROXY UNKNOWN\r\n");
  CheckLocal("PROXY UNKNOWN \r\n");
  CheckLocal("PROXY UNKNOWN what ever\0this is\r\n"s);
  CheckLocal("PROXY UNKNOWN " + std::string(91, 'f') + "\r\n");
}

TEST_CASE("PROXY version 1 ends within 107 octets", "[net]") {
  CheckMalformed("PROXY UNKNOWN " + std::string(92, 'f') + "\r\n");
  CheckMalformed("PROXY UNKNOWN " + std::string(92, 'f'));
  CHECK(Parse("PROXY UNKNOWN " + std::string(91, 'f')).outcome == Outcome::kNeedMore);
  CHECK(Parse("PROXY UNKNOWN " + std::string(91, 'f') + "\r").outcome == Outcome::kNeedMore);
}

TEST_CASE("PROXY version 1 is taken by the letter", "[net]") {
  for (const char* wrong : {"TCP4 1.2.3.4 1.2.3.5 1 2 \r\n",
                            "TCP4 1.2.3.4 1.2.3.5 1\r\n",
                            "TCP4  1.2.3.4 1.2.3.5 1 2\r\n",
                            "TCP4 1.2.3.4 1.2.3.5 1 2 3\r\n",
                            "TCP4 1.2.3.4 1.2.3.5 1 65536\r\n",
                            "TCP4 1.2.3.4 1.2.3.5 01 2\r\n",
                            "TCP4 1.2.3.4 1.2.3.5 -1 2\r\n",
                            "TCP4 1.2.3.4 1.2.3.5 +1 2\r\n",
                            "TCP4 1.2.3.04 1.2.3.5 1 2\r\n",
                            "TCP4 1.2.3 1.2.3.5 1 2\r\n",
                            "TCP4 1.2.3.256 1.2.3.5 1 2\r\n",
                            "TCP4 ::1 ::1 1 2\r\n",
                            "TCP6 1.2.3.4 1.2.3.5 1 2\r\n",
                            "TCP6 ::1 1.2.3.5 1 2\r\n",
                            "TCP6 fe80::1%lo ::1 1 2\r\n",
                            "TCP6 [::1] [::1] 1 2\r\n",
                            "TCP6 ::1::2 ::1 1 2\r\n",
                            "TCP5 1.2.3.4 1.2.3.5 1 2\r\n",
                            "UDP4 1.2.3.4 1.2.3.5 1 2\r\n",
                            "tcp4 1.2.3.4 1.2.3.5 1 2\r\n",
                            "TCP4\r\n",
                            "TCP4 \r\n",
                            "UNKNOWNS\r\n",
                            "unknown\r\n",
                            "\r\n",
                            " TCP4 1.2.3.4 1.2.3.5 1 2\r\n",
                            "TCP4 1.2.3.4 1.2.3.5 1 2\n",
                            "TCP4 1.2.3.4 1.2.3.5 1 2\r\r\n",
                            "TCP4 1.2.3.4\r1.2.3.5 1 2\r\n",
                            "UNKNOWN\n",
                            "UNKNOWN x\ny\r\n",
                            "TCP4\t1.2.3.4 1.2.3.5 1 2\r\n"}) {
    CheckMalformed("PROXY "s + wrong);
  }
  CheckMalformed("PROXY TCP4 1.2.3.4\0 1.2.3.5 1 2\r\n"s);
  CheckMalformed("proxy TCP4 1.2.3.4 1.2.3.5 1 2\r\n");
  CheckMalformed("PROXY\tTCP4 1.2.3.4 1.2.3.5 1 2\r\n");
}

TEST_CASE("What is no PROXY header is refused at its first wrong octet", "[net]") {
  for (const std::string& wrong : {"a"s, "\n"s, "\x16\3\1"s, "\0"s, "PR_"s, "PROXY_"s, "\r\r"s,
                                   "\r\n\r\n\0\r\nQUIT\r"s, "\r\n\r\nX"s}) {
    CheckMalformed(wrong);
  }
  CHECK(Parse("").outcome == Outcome::kNeedMore);
  CHECK(Parse("PROXY").outcome == Outcome::kNeedMore);
  CHECK(Parse("\r\n\r\n").outcome == Outcome::kNeedMore);
}

TEST_CASE("PROXY version 2 names both ends", "[net]") {
  CheckEnds(V2("\x21\x11", kEnds4), "192.0.2.1:12345", "192.0.2.2:993");
  const std::string six = "\x20\x01\x0d\xb8"s + std::string(11, '\0') + "\1"s;
  CheckEnds(V2("\x21\x21", six + six + "\x30\x39\x03\xe1"), "[2001:db8::1]:12345",
            "[2001:db8::1]:993");
}

TEST_CASE("PROXY version 2 passes over its vectors and walks each of them", "[net]") {
  const std::string empty = "\4\0\0"s;
  const std::string host = "\2\0\5hello"s;
  CheckEnds(V2("\x21\x11", kEnds4 + host + empty + host), "192.0.2.1:12345", "192.0.2.2:993");
  for (const std::string& wrong : {"\4"s, "\4\0"s, "\4\0\1"s, host + "\4", host + "\4\xff\xff"s,
                                   "\2\0\6hello"s, "\2\0\4hello"s}) {
    CheckMalformed(V2("\x21\x11", kEnds4 + wrong));
  }
}

TEST_CASE("PROXY version 2 LOCAL discards its block", "[net]") {
  CheckLocal(V2("\x20\0"s, ""));
  CheckLocal(V2("\x20\x11", kEnds4));
  CheckLocal(V2("\x20\x32", "anything"));
  CheckLocal(V2("\x21\0"s, ""));
  CheckLocal(V2("\x21\0"s, "anything"));
  CheckLocal(V2("\x21\1", kEnds4));
}

TEST_CASE("PROXY version 2 of another version command or family is refused", "[net]") {
  for (const std::string& wrong :
       {"\x11\x11"s, "\x31\x11"s, "\x01\x11"s, "\x22\x11"s, "\x2f\x11"s, "\x21\x12"s, "\x21\x22"s,
        "\x21\x31"s, "\x21\x32"s, "\x21\x10"s, "\x21\x20"s, "\x21\x02"s, "\x21\x13"s, "\x21\x41"s,
        "\x21\xff"s}) {
    CheckMalformed(V2(wrong, kEnds4 + std::string(300, '\0')));
  }
}

TEST_CASE("PROXY version 2 has room for its addresses and no more than 4096 octets", "[net]") {
  CheckMalformed(V2("\x21\x11", kEnds4.substr(1)));
  CheckMalformed(V2("\x21\x11", ""));
  CheckMalformed(V2("\x21\x21", std::string(35, '\0')));
  const auto padding = [](std::size_t size) {
    const std::size_t value = size - 3;
    return "\4"s + static_cast<char>(value >> 8) + static_cast<char>(value & 0xff) +
           std::string(value, 'x');
  };
  CheckEnds(V2("\x21\x11", kEnds4 + padding(4096 - 16 - 12)), "192.0.2.1:12345", "192.0.2.2:993");
  CheckMalformed(V2("\x21\x11", kEnds4 + padding(4096 - 16 - 12 + 1)));
  CheckMalformed(V2("\x20\0"s, std::string(4081, 'x')));
}

TEST_CASE("A written PROXY header reads as what was written", "[net]") {
  const auto address = [](const char* text) { return Address::Parse(text).value(); };
  CHECK(EncodeProxyHeader(address("192.0.2.1:12345"), address("192.0.2.2:993")) ==
        V2("\x21\x11", kEnds4));
  CheckEnds(EncodeProxyHeader(address("[2001:db8::1]:1"), address("[::1]:65535")),
            "[2001:db8::1]:1", "[::1]:65535");
}

TEST_CASE("A written PROXY header of two families is IPv6", "[net]") {
  const Address four = Address::Parse("192.0.2.1:1").value();
  const Address six = Address::Parse("[2001:db8::1]:2").value();
  const std::string header = EncodeProxyHeader(four, six);
  CHECK(header.substr(12, 2) == "\x21\x21");
  CheckEnds(header, "192.0.2.1:1", "[2001:db8::1]:2");
  CHECK(ParseProxyHeader(header).source.family() == AF_INET6);
  CheckEnds(EncodeProxyHeader(six, four), "[2001:db8::1]:2", "192.0.2.1:1");
}

TEST_CASE("A written PROXY header has mapped addresses as IPv4", "[net]") {
  const Address mapped = Address::Parse("[::ffff:192.0.2.1]:12345").value();
  const Address four = Address::Parse("192.0.2.2:993").value();
  CHECK(EncodeProxyHeader(mapped, four) == V2("\x21\x11", kEnds4));
}

TEST_CASE("A PROXY header without addresses is LOCAL", "[net]") {
  CheckLocal(EncodeProxyHeader(Address(), Address::Parse("192.0.2.2:993").value()));
}

}  // namespace
}  // namespace postern
