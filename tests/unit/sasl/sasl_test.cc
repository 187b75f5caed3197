#include "postern/sasl/sasl.h"

#include <catch2/catch.hpp>
#include <string>
#include <string_view>

#include "postern/base/text.h"
#include "support/for_every_split.h"

namespace postern {
namespace {

using namespace std::string_literals;

std::string Message(std::string_view authzid, std::string_view user, std::string_view password) {
  return Base64Encode(std::string(authzid) + '\0' + std::string(user) + '\0' +
                      std::string(password));
}

TEST_CASE("A PLAIN message is decoded into its three fields") {
  const Result<Credentials> decoded = DecodePlain(Message("", "bob", " se cret "));
  REQUIRE(decoded.ok());
  CHECK(decoded.value().authzid.empty());
  CHECK(decoded.value().user == "bob");
  CHECK(decoded.value().password.Reveal() == " se cret ");
  CHECK(decoded.value().login_name() == "bob");
}

TEST_CASE("The login name of a PLAIN message is the authorization identity when there is one") {
  const Result<Credentials> decoded = DecodePlain(Message("ann", "master", "x"));
  REQUIRE(decoded.ok());
  CHECK(decoded.value().login_name() == "ann");
  CHECK(decoded.value().user == "master");
}

TEST_CASE("No field of a PLAIN message may hold NUL CR or LF") {
  for (const std::string& evil : {"a\rb"s, "a\nb"s, "u\r\nDELE 1"s, "\n"s}) {
    CHECK_FALSE(DecodePlain(Message(evil, "u", "p")).ok());
    CHECK_FALSE(DecodePlain(Message("", evil, "p")).ok());
    CHECK_FALSE(DecodePlain(Message("", "u", evil)).ok());
  }
  CHECK_FALSE(DecodePlain(Message("", "u", "p\0q"s)).ok());
}

TEST_CASE("Every other byte may stand in a user name and in a password") {
  for (int byte = 1; byte < 256; ++byte) {
    if (byte == '\r' || byte == '\n') continue;
    const std::string text = "x" + std::string(1, static_cast<char>(byte));
    CHECK(DecodePlain(Message("", text, text)).ok());
  }
}

TEST_CASE("What is not a PLAIN message is refused") {
  for (const std::string& bad :
       {""s, "="s, "@@@@"s, "AGJvYgBz ZWNyZXQ="s, "*"s, "AGJvYgBzZWNyZXQ"s, Base64Encode("bob"),
        Base64Encode("\0bob"s), Message("", "", "x")}) {
    INFO(bad);
    CHECK_FALSE(DecodePlain(bad).ok());
  }
}

TEST_CASE("Limits of a PLAIN message hold to the byte") {
  CHECK(DecodePlain(Message("", std::string(kMaxUser, 'u'), "p")).ok());
  CHECK_FALSE(DecodePlain(Message("", std::string(kMaxUser + 1, 'u'), "p")).ok());
  CHECK_FALSE(DecodePlain(Message(std::string(kMaxUser + 1, 'u'), "u", "p")).ok());
  CHECK(DecodePlain(Message("", "u", std::string(kMaxPassword, 'p'))).ok());
  CHECK_FALSE(DecodePlain(Message("", "u", std::string(kMaxPassword + 1, 'p'))).ok());
}

TEST_CASE("An error of PLAIN never holds the bytes of the message") {
  const Result<Credentials> decoded = DecodePlain(Message("", "canary\n", "canary"));
  REQUIRE_FALSE(decoded.ok());
  CHECK(decoded.error().message().find("canary") == std::string::npos);
}

TEST_CASE("An encoded PLAIN message is the one that was decoded") {
  testing::SplitRandom random(7);
  for (int i = 0; i < 200; ++i) {
    std::string fields[3];
    for (std::string& field : fields) {
      for (std::size_t n = random.Next(40); n > 0; --n) {
        const char byte = static_cast<char>(1 + random.Next(255));
        if (byte != '\r' && byte != '\n') field.push_back(byte);
      }
    }
    fields[1].push_back('u');
    const std::string message = Message(fields[0], fields[1], fields[2]);
    const Result<Credentials> decoded = DecodePlain(message);
    REQUIRE(decoded.ok());
    CHECK(EncodePlain(decoded.value()).Reveal() == message);
  }
}

}  // namespace
}  // namespace postern
