#include "postern/sasl/sasl.h"

#include <catch2/catch.hpp>
#include <string>
#include <string_view>

#include "postern/base/text.h"
#include "support/for_every_split.h"

namespace postern {
namespace {

using namespace std::string_literals;
using Outcome = SaslExchange::Outcome;

std::string Message(std::string_view authzid, std::string_view user, std::string_view password) {
  return Base64Encode(std::string(authzid) + '\0' + std::string(user) + '\0' +
                      std::string(password));
}

Result<Credentials> DecodePlain(std::string_view base64) {
  return DecodeMessage(Mechanism::kPlain, base64);
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
    CHECK(EncodeMessage(Mechanism::kPlain, decoded.value()).Reveal() == message);
  }
}

TEST_CASE("Mechanisms of several messages have no single one") {
  CHECK_FALSE(DecodeMessage(Mechanism::kLogin, Base64Encode("bob")).ok());
  CHECK_FALSE(DecodeMessage(Mechanism::kUser, Base64Encode("bob")).ok());
}

// ---- the exchange ----

TEST_CASE("PLAIN in the initial response is complete at once") {
  SaslExchange exchange(Mechanism::kPlain);
  REQUIRE(exchange.Begin(Message("", "bob", "secret")) == Outcome::kCredentials);
  const Credentials credentials = exchange.Take();
  CHECK(credentials.user == "bob");
  CHECK(credentials.password.Reveal() == "secret");
  CHECK(exchange.Take().user.empty());
}

TEST_CASE("PLAIN without an initial response asks with an empty challenge") {
  SaslExchange exchange(Mechanism::kPlain);
  REQUIRE(exchange.Begin({}) == Outcome::kChallenge);
  CHECK(exchange.challenge().empty());
  REQUIRE(exchange.Next(Message("", "bob", "")) == Outcome::kCredentials);
  CHECK(exchange.Take().password.empty());
}

TEST_CASE("LOGIN asks for the user name and for the password") {
  SaslExchange exchange(Mechanism::kLogin);
  REQUIRE(exchange.Begin({}) == Outcome::kChallenge);
  CHECK(exchange.challenge() == "VXNlcm5hbWU6");
  REQUIRE(exchange.Next(Base64Encode("bob")) == Outcome::kChallenge);
  CHECK(exchange.challenge() == "UGFzc3dvcmQ6");
  REQUIRE(exchange.Next(Base64Encode("sec\xe9ret")) == Outcome::kCredentials);
  const Credentials credentials = exchange.Take();
  CHECK(credentials.user == "bob");
  CHECK(credentials.authzid.empty());
  CHECK(credentials.password.Reveal() == "sec\xe9ret");
}

TEST_CASE("The initial response of LOGIN is the user name") {
  SaslExchange exchange(Mechanism::kLogin);
  REQUIRE(exchange.Begin(Base64Encode("bob")) == Outcome::kChallenge);
  CHECK(exchange.challenge() == "UGFzc3dvcmQ6");
  REQUIRE(exchange.Next("") == Outcome::kCredentials);
  CHECK(exchange.Take().password.empty());
}

TEST_CASE("LOGIN refuses an empty user name before it asks for a password") {
  SaslExchange by_line(Mechanism::kLogin);
  REQUIRE(by_line.Begin({}) == Outcome::kChallenge);
  CHECK(by_line.Next("") == Outcome::kMalformed);
  CHECK(by_line.complaint() == "the user name is empty");
  SaslExchange by_response(Mechanism::kLogin);
  CHECK(by_response.Begin("=") == Outcome::kMalformed);
}

TEST_CASE("LOGIN refuses NUL CR and LF in both fields") {
  for (const std::string& evil : {"a\0b"s, "a\rb"s, "a\nb"s, "\r\n"s}) {
    SaslExchange user(Mechanism::kLogin);
    CHECK(user.Begin(Base64Encode(evil)) == Outcome::kMalformed);
    SaslExchange password(Mechanism::kLogin);
    REQUIRE(password.Begin(Base64Encode("bob")) == Outcome::kChallenge);
    CHECK(password.Next(Base64Encode(evil)) == Outcome::kMalformed);
    CHECK(password.Take().user.empty());
  }
}

TEST_CASE("An asterisk cancels any exchange at any line") {
  for (const Mechanism mechanism : kSaslMechanisms) {
    SaslExchange exchange(mechanism);
    REQUIRE(exchange.Begin({}) == Outcome::kChallenge);
    CHECK(exchange.Next("*") == Outcome::kCancelled);
  }
  SaslExchange login(Mechanism::kLogin);
  REQUIRE(login.Begin(Base64Encode("bob")) == Outcome::kChallenge);
  CHECK(login.Next("*") == Outcome::kCancelled);
}

TEST_CASE("An asterisk as initial response is no cancel but no base64") {
  for (const Mechanism mechanism : kSaslMechanisms) {
    SaslExchange exchange(mechanism);
    CHECK(exchange.Begin("*") == Outcome::kMalformed);
    CHECK(exchange.complaint() == "not valid base64");
  }
}

TEST_CASE("The sign for an empty response is one only in the command line") {
  SaslExchange exchange(Mechanism::kLogin);
  REQUIRE(exchange.Begin(Base64Encode("bob")) == Outcome::kChallenge);
  CHECK(exchange.Next("=") == Outcome::kMalformed);
  SaslExchange plain(Mechanism::kPlain);
  CHECK(plain.Begin("=") == Outcome::kMalformed);
  CHECK(plain.complaint() == "a PLAIN message has three fields");
}

}  // namespace
}  // namespace postern
