#include "postern/base/address.h"

#include <netinet/in.h>

#include <catch2/catch.hpp>
#include <cstring>
#include <string>

namespace postern {
namespace {

TEST_CASE("an address prints as it was written", "[net]") {
  for (const std::string text : {"192.0.2.1:993", "0.0.0.0:0", "[2001:db8::1]:995", "[::]:65535"}) {
    const Result<Address> address = Address::Parse(text);
    INFO(text);
    REQUIRE(address.ok());
    CHECK(address.value().Text() == text);
  }
}

TEST_CASE("an address tells its parts", "[net]") {
  const Address four = Address::Parse("192.0.2.1:993").value();
  CHECK(four.family() == AF_INET);
  CHECK(four.port() == 993);
  CHECK(four.HostText() == "192.0.2.1");
  CHECK(four.sockaddr_size() == sizeof(sockaddr_in));
  const Address six = Address::Parse("[2001:db8::1]:995").value();
  CHECK(six.family() == AF_INET6);
  CHECK(six.port() == 995);
  CHECK(six.HostText() == "2001:db8::1");
  CHECK(six.sockaddr_size() == sizeof(sockaddr_in6));
}

TEST_CASE("an address keeps through a sockaddr", "[net]") {
  const Address six = Address::Parse("[2001:db8::1]:995").value();
  CHECK(Address::FromSockaddr(six.sockaddr_ptr()).Text() == six.Text());
}

TEST_CASE("a mapped address prints as IPv4", "[net]") {
  const Address mapped = Address::Parse("[::ffff:192.0.2.7]:143").value();
  CHECK(mapped.Text() == "192.0.2.7:143");
}

TEST_CASE("what is not an address with a port is refused", "[net]") {
  const char* const wrong[] = {"",
                               ":",
                               "993",
                               "192.0.2.1",
                               "192.0.2.1:",
                               ":993",
                               "192.0.2.1:65536",
                               "192.0.2.1:-1",
                               "192.0.2.1:+1",
                               "192.0.2.1:9x",
                               "192.0.2.256:1",
                               "192.0.2:1",
                               " 192.0.2.1:1",
                               "[]:1",
                               "2001:db8::1:993",
                               "[2001:db8::1]",
                               "[2001:db8::1:993",
                               "[192.0.2.1]:1",
                               "[2001:db8::g]:1",
                               "localhost:993"};
  for (const char* text : wrong) {
    const Result<Address> address = Address::Parse(text);
    INFO(text);
    REQUIRE_FALSE(address.ok());
    CHECK(address.error().message().find(std::string("'") + text + "'") == 0);
  }
}

TEST_CASE("an address is made of a host and a port", "[net]") {
  CHECK(Address::FromParts("192.0.2.1", 993).value().Text() == "192.0.2.1:993");
  CHECK(Address::FromParts("2001:db8::1", 0).value().Text() == "[2001:db8::1]:0");
  using namespace std::string_literals;
  for (const std::string& wrong : {""s, "[::1]"s, "localhost"s, "192.0.2"s, "192.0.2.01"s,
                                   "192.0.2.1 "s, "192.0.2.1\0x"s, "::1%lo"s, "192.0.2.1:1"s}) {
    INFO(wrong);
    CHECK_FALSE(Address::FromParts(wrong, 1).ok());
  }
  CHECK_FALSE(Address::Parse("192.0.2.1\0x:993"s).ok());
}

TEST_CASE("resolve takes numbers and names", "[net]") {
  CHECK(Address::Resolve("192.0.2.1:993").value().Text() == "192.0.2.1:993");
  CHECK(Address::Resolve("localhost:993").value().port() == 993);
  CHECK_FALSE(Address::Resolve("localhost").ok());
  CHECK_FALSE(Address::Resolve("[localhost]:1").ok());
}

}  // namespace
}  // namespace postern
