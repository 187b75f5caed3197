#include "postern/base/network.h"

#include <catch2/catch.hpp>
#include <string>
#include <string_view>

namespace postern {
namespace {

using namespace std::string_literals;

bool Contains(std::string_view network, std::string_view host) {
  const Result<Network> parsed = Network::Parse(network);
  REQUIRE(parsed.ok());
  return parsed.value().Contains(Address::FromParts(host, 12345).value());
}

TEST_CASE("a network prints as it was written", "[net]") {
  for (const std::string text : {"192.0.2.0/24", "0.0.0.0/0", "10.128.0.0/9", "192.0.2.7",
                                 "2001:db8::/32", "::/0", "2001:db8::1", "2001:db8:8000::/33"}) {
    INFO(text);
    const Result<Network> network = Network::Parse(text);
    REQUIRE(network.ok());
    CHECK(network.value().Text() == text);
  }
  CHECK(Network::Parse("192.0.2.7/32").value().Text() == "192.0.2.7");
  CHECK(Network::Parse("::1/128").value().Text() == "::1");
}

TEST_CASE("a network holds what shares its prefix and nothing else", "[net]") {
  CHECK(Contains("192.0.2.0/24", "192.0.2.0"));
  CHECK(Contains("192.0.2.0/24", "192.0.2.255"));
  CHECK_FALSE(Contains("192.0.2.0/24", "192.0.3.0"));
  CHECK_FALSE(Contains("192.0.2.0/24", "192.0.1.255"));
  CHECK(Contains("10.128.0.0/9", "10.255.1.2"));
  CHECK_FALSE(Contains("10.128.0.0/9", "10.127.255.255"));
  CHECK(Contains("192.0.2.7", "192.0.2.7"));
  CHECK_FALSE(Contains("192.0.2.7", "192.0.2.6"));
  CHECK(Contains("2001:db8:8000::/33", "2001:db8:ffff::1"));
  CHECK_FALSE(Contains("2001:db8:8000::/33", "2001:db8:7fff::1"));
  CHECK(Contains("::1", "::1"));
  CHECK_FALSE(Contains("::1", "::2"));
}

TEST_CASE("a network of one family holds nothing of the other", "[net]") {
  CHECK(Contains("0.0.0.0/0", "203.0.113.9"));
  CHECK_FALSE(Contains("0.0.0.0/0", "2001:db8::1"));
  CHECK(Contains("::/0", "2001:db8::1"));
  CHECK_FALSE(Contains("::/0", "203.0.113.9"));
  CHECK_FALSE(Network::Parse("0.0.0.0/0").value().Contains(Address()));
}

TEST_CASE("a mapped address is its IPv4 address", "[net]") {
  CHECK(Contains("192.0.2.0/24", "::ffff:192.0.2.9"));
  CHECK_FALSE(Contains("::/0", "::ffff:192.0.2.9"));
  CHECK(Contains("::ffff:192.0.2.0/120", "192.0.2.9"));
  CHECK(Network::Parse("::ffff:192.0.2.0/120").value().Text() == "192.0.2.0/24");
  CHECK_FALSE(Network::Parse("::ffff:192.0.2.0/95").ok());
}

TEST_CASE("bits behind the prefix are refused with what would be right", "[net]") {
  const Result<Network> four = Network::Parse("192.0.2.1/24");
  REQUIRE_FALSE(four.ok());
  CHECK(four.error().message() ==
        "'192.0.2.1/24' has bits behind its prefix: 192.0.2.0/24 would be the network");
  const Result<Network> six = Network::Parse("2001:db8::1/64");
  REQUIRE_FALSE(six.ok());
  CHECK(six.error().message() ==
        "'2001:db8::1/64' has bits behind its prefix: 2001:db8::/64 would be the network");
}

TEST_CASE("what is not a network is refused", "[net]") {
  for (const std::string& wrong :
       {""s, "/"s, "/24"s, "192.0.2.0/"s, "192.0.2.0/33"s, "192.0.2.0/-1"s, "192.0.2.0/024"s,
        "192.0.2.0/24/24"s, "192.0.2.0/24 "s, " 192.0.2.0/24"s, "192.0.2/24"s, "192.0.02.0/24"s,
        "[::1]/128"s, "::1/129"s, "localhost"s, "*"s, "192.0.2.1\0"s, "192.0.2.1:993"s}) {
    INFO(wrong);
    const Result<Network> network = Network::Parse(wrong);
    REQUIRE_FALSE(network.ok());
    CHECK(network.error().message().find("'" + wrong + "'") == 0);
  }
}

TEST_CASE("any of several networks is enough", "[net]") {
  const std::vector<Network> networks{Network::Parse("192.0.2.0/24").value(),
                                      Network::Parse("::1").value()};
  CHECK(ContainedInAny(networks, Address::Parse("192.0.2.3:1").value()));
  CHECK(ContainedInAny(networks, Address::Parse("[::1]:1").value()));
  CHECK_FALSE(ContainedInAny(networks, Address::Parse("192.0.3.3:1").value()));
  CHECK_FALSE(ContainedInAny({}, Address::Parse("192.0.2.3:1").value()));
}

}  // namespace
}  // namespace postern
