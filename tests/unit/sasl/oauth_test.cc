#include <catch2/catch.hpp>
#include <string>
#include <string_view>

#include "postern/base/text.h"
#include "postern/sasl/sasl.h"
#include "support/for_every_split.h"

namespace postern {
namespace {

using namespace std::string_literals;

Result<Credentials> Xoauth2(std::string_view message) {
  return DecodeMessage(Mechanism::kXoauth2, Base64Encode(message));
}

Result<Credentials> Oauthbearer(std::string_view message) {
  return DecodeMessage(Mechanism::kOauthbearer, Base64Encode(message));
}

std::string Encoded(Mechanism mechanism, const Credentials& credentials) {
  const Secret base64 = EncodeMessage(mechanism, credentials);
  return *Base64Decode(base64.Reveal());
}

const std::string kPairs = "\1auth=Bearer vF9dft4qmT\1\1";

TEST_CASE("The example of XOAUTH2 is understood") {
  // As Google documents it.
  const Result<Credentials> decoded = DecodeMessage(
      Mechanism::kXoauth2,
      "dXNlcj1zb21ldXNlckBleGFtcGxlLmNvbQFhdXRoPUJlYXJlciB5YTI5LnZGOWRmdDRxbVRjMk52YjNSbGNrQmhkSFJo"
      "ZG1semRHRXVZMjl0Q2cBAQ==");
  REQUIRE(decoded.ok());
  CHECK(decoded.value().user == "someuser@example.com");
  CHECK(decoded.value().authzid.empty());
  CHECK(decoded.value().password.Reveal() ==
        "Bearer ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg");
}

TEST_CASE("The example of OAUTHBEARER is understood and its host and port are dropped") {
  const Result<Credentials> decoded = DecodeMessage(
      Mechanism::kOauthbearer,
      "bixhPXVzZXJAZXhhbXBsZS5jb20sAWhvc3Q9c2VydmVyLmV4YW1wbGUuY29tAXBvcnQ9MTQzAWF1dGg9QmVhcmVyIHZG"
      "OWRmdDRxbVRjMk52YjNSbGNrQmhiSFJoZG1semRHRXVZMjl0Q2c9PQEB");  // RFC 7628 section 4.1
  REQUIRE(decoded.ok());
  CHECK(decoded.value().user == "user@example.com");
  CHECK(decoded.value().password.Reveal() == "Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==");
  CHECK(Encoded(Mechanism::kOauthbearer, decoded.value()) ==
        "n,a=user@example.com,\1auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\1\1");
}

TEST_CASE("OAUTHBEARER without a user is refused and says so") {
  for (const std::string& header : {"n,,"s, "y,,"s}) {
    const Result<Credentials> decoded = Oauthbearer(header + kPairs);
    REQUIRE_FALSE(decoded.ok());
    CHECK(decoded.error().message() == "the message names no user: its GS2 header needs a=");
  }
  CHECK_FALSE(Oauthbearer("n,a=," + kPairs).ok());
}

TEST_CASE("Channel binding is refused and not having seen it is not") {
  const Result<Credentials> bound = Oauthbearer("p=tls-unique,a=bob," + kPairs);
  REQUIRE_FALSE(bound.ok());
  CHECK(bound.error().message() == "channel binding is not supported");
  const Result<Credentials> unseen = Oauthbearer("y,a=bob," + kPairs);
  REQUIRE(unseen.ok());
  CHECK(Encoded(Mechanism::kOauthbearer, unseen.value()) == "n,a=bob," + kPairs);
}

TEST_CASE("Comma and equals sign of a user name are escaped in OAUTHBEARER") {
  const Result<Credentials> decoded = Oauthbearer("n,a=a=2Cb=3Dc=2C," + kPairs);
  REQUIRE(decoded.ok());
  CHECK(decoded.value().user == "a,b=c,");
  CHECK(Encoded(Mechanism::kOauthbearer, decoded.value()) == "n,a=a=2Cb=3Dc=2C," + kPairs);
  for (const std::string& bad : {"a=b"s, "a="s, "a=2"s, "a=2c"s, "a=3d"s, "a=40"s, "a\1b"s}) {
    INFO(bad);
    CHECK_FALSE(Oauthbearer("n,a=" + bad + "," + kPairs).ok());
  }
}

TEST_CASE("What is not an OAUTHBEARER message is refused") {
  for (const std::string& bad : {""s,
                                 "n"s,
                                 "n,"s,
                                 "n,a=bob"s,
                                 "n,a=bob,"s,
                                 "n,a=bob,\1"s,
                                 "n,a=bob,\1\1"s,
                                 "n,b=bob,"s + kPairs,
                                 "x,a=bob,"s + kPairs,
                                 "F,n,a=bob,"s + kPairs,
                                 "N,a=bob,"s + kPairs,
                                 "n,A=bob,"s + kPairs,
                                 "n,a=bob"s + kPairs,
                                 "n,a=bob,x"s + kPairs,
                                 "n,a=bob,\1"s + kPairs,
                                 "n,a=bob,\1auth=Bearer x\1"s,
                                 "n,a=bob,\1auth=Bearer x"s,
                                 "n,a=bob,"s + kPairs + "\1",
                                 "n,a=bob,"s + kPairs + "x",
                                 "n,a=bob,\1auth=Bearer x\1auth=Bearer y\1\1"s,
                                 "n,a=bob,\1AUTH=Bearer x\1\1"s,
                                 "n,a=bob,\1=v\1auth=Bearer x\1\1"s,
                                 "n,a=bob,\1k1=v\1auth=Bearer x\1\1"s,
                                 "n,a=bob,\1host\1auth=Bearer x\1\1"s}) {
    INFO(bad);
    CHECK_FALSE(Oauthbearer(bad).ok());
  }
}

TEST_CASE("XOAUTH2 takes its pairs in any order and drops others") {
  const Result<Credentials> decoded = Xoauth2("auth=bearer T\1vendor=x\1user=bob\1\1");
  REQUIRE(decoded.ok());
  CHECK(Encoded(Mechanism::kXoauth2, decoded.value()) == "user=bob\1auth=bearer T\1\1");
}

TEST_CASE("What is not an XOAUTH2 message is refused") {
  for (const std::string& bad :
       {""s, "\1"s, "\1\1"s, "user=bob\1\1"s, "auth=Bearer T\1\1"s, "user=bob\1auth=Bearer T\1"s,
        "user=bob\1auth=Bearer T"s, "user=bob auth=Bearer T\1\1"s, "user=\1auth=Bearer T\1\1"s,
        "user=a\1user=b\1auth=Bearer T\1\1"s, "user=bob\1auth=Bearer T\1\1\1"s,
        "\1user=bob\1auth=Bearer T\1\1"s, "user=bob\1\1auth=Bearer T\1\1"s}) {
    INFO(bad);
    CHECK_FALSE(Xoauth2(bad).ok());
  }
}

TEST_CASE("A token is a bearer token") {
  for (const std::string& bad : {""s, "Bearer"s, "Bearer "s, "T"s, "Basic T"s, "BearerT"s}) {
    INFO(bad);
    CHECK_FALSE(Xoauth2("user=bob\1auth=" + bad + "\1\1").ok());
    CHECK_FALSE(Oauthbearer("n,a=bob,\1auth=" + bad + "\1\1").ok());
  }
}

TEST_CASE("No NUL CR or LF anywhere in an OAuth message") {
  for (const std::string& evil : {"\0"s, "\r"s, "\n"s, "\r\na LOGOUT"s}) {
    CHECK_FALSE(Xoauth2("user=b" + evil + "\1auth=Bearer T\1\1").ok());
    CHECK_FALSE(Xoauth2("user=b\1auth=Bearer T" + evil + "\1\1").ok());
    CHECK_FALSE(Oauthbearer("n,a=b" + evil + ",\1auth=Bearer T\1\1").ok());
    CHECK_FALSE(Oauthbearer("n,a=b,\1auth=Bearer T" + evil + "\1\1").ok());
    CHECK_FALSE(Oauthbearer("n,a=b,\1host=x" + evil + "\1auth=Bearer T\1\1").ok());
  }
}

TEST_CASE("Limits of an OAuth message hold to the byte") {
  const std::string user(kMaxUser, 'u');
  const std::string token = "Bearer " + std::string(kMaxPassword - 7, 't');
  CHECK(Xoauth2("user=" + user + "\1auth=" + token + "\1\1").ok());
  CHECK_FALSE(Xoauth2("user=" + user + "u\1auth=" + token + "\1\1").ok());
  CHECK_FALSE(Xoauth2("user=" + user + "\1auth=" + token + "t\1\1").ok());
  CHECK(Oauthbearer("n,a=" + user + ",\1auth=" + token + "\1\1").ok());
  CHECK_FALSE(Oauthbearer("n,a=" + user + "u,\1auth=" + token + "\1\1").ok());
}

TEST_CASE("An encoded OAuth message is decoded to the same credentials") {
  testing::SplitRandom random(11);
  for (int i = 0; i < 200; ++i) {
    Credentials credentials;
    credentials.user = "u";
    std::string token = "Bearer t";
    for (std::size_t n = random.Next(40); n > 0; --n) {
      const char byte = static_cast<char>(2 + random.Next(254));
      if (byte == '\r' || byte == '\n') continue;
      (n % 2 == 0 ? credentials.user : token).push_back(byte);
    }
    credentials.password = Secret(token);
    for (const Mechanism mechanism : {Mechanism::kXoauth2, Mechanism::kOauthbearer}) {
      const Secret message = EncodeMessage(mechanism, credentials);
      const Result<Credentials> decoded = DecodeMessage(mechanism, message.Reveal());
      REQUIRE(decoded.ok());
      CHECK(decoded.value().user == credentials.user);
      CHECK(decoded.value().password.Reveal() == token);
    }
  }
}

}  // namespace
}  // namespace postern
