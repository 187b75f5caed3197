// F-06: a client's half of a SASL exchange. Input: one byte that chooses the mechanism and whether
// the bytes are lines or a message that is still to be put into base64, then the bytes.
//
// A violation aborts: what is accepted holds no NUL, CR or LF in any field, and no 0x01 where that
// frames; a message made of accepted credentials is read as the same ones, and made of those it is
// the same message; PLAIN has one form only; an initial response says what the same line says; a
// refusal is a sentence that a protocol can carry.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "postern/base/check.h"
#include "postern/base/text.h"
#include "postern/sasl/sasl.h"

namespace postern::testing {
namespace {

using Outcome = SaslExchange::Outcome;

constexpr std::uint8_t kMessage = 4;          // the bytes are one message
constexpr std::uint8_t kInitialResponse = 8;  // the first line comes with the command

struct Seen {
  Outcome outcome;
  std::string authzid, user, password;
  bool operator==(const Seen&) const = default;
};

bool HasAny(std::string_view field, std::string_view bytes) {
  return field.find_first_of(bytes) != field.npos;
}

void CheckFields(Mechanism mechanism, const Credentials& credentials) {
  const std::string_view forbidden =
      IsOauth(mechanism) ? std::string_view("\0\r\n\1", 4) : std::string_view("\0\r\n", 3);
  POSTERN_CHECK(CheckCredentials(credentials).ok());
  POSTERN_CHECK(!credentials.user.empty());
  POSTERN_CHECK(!HasAny(credentials.authzid, forbidden));
  POSTERN_CHECK(!HasAny(credentials.user, forbidden));
  POSTERN_CHECK(!HasAny(credentials.password.Reveal(), forbidden));
  POSTERN_CHECK(credentials.user.size() <= kMaxUser && credentials.authzid.size() <= kMaxUser);
  POSTERN_CHECK(credentials.password.size() <= kMaxPassword);
  if (IsOauth(mechanism)) POSTERN_CHECK(credentials.authzid.empty());
}

void CheckSentence(std::string_view complaint) {
  POSTERN_CHECK(!complaint.empty() && complaint.size() < 100);
  for (const char c : complaint) POSTERN_CHECK(c >= ' ' && c <= '~');
}

// Says the lines until there is nothing more to say.
Seen Converse(Mechanism mechanism, const std::vector<std::string>& lines, bool initial) {
  SaslExchange exchange(mechanism);
  Outcome outcome = initial ? exchange.Begin(lines[0]) : exchange.Begin({});
  for (std::size_t i = initial ? 1 : 0; i < lines.size() && outcome == Outcome::kChallenge; ++i) {
    POSTERN_CHECK(Base64Decode(exchange.challenge()).has_value());
    outcome = exchange.Next(lines[i]);
  }
  Seen seen{outcome, {}, {}, {}};
  if (outcome == Outcome::kMalformed) CheckSentence(exchange.complaint());
  if (outcome != Outcome::kCredentials) return seen;
  const Credentials credentials = exchange.Take();
  CheckFields(mechanism, credentials);
  POSTERN_CHECK(exchange.Take().user.empty());
  seen.authzid = credentials.authzid;
  seen.user = credentials.user;
  seen.password = credentials.password.Reveal();
  return seen;
}

// The field stands in the message as it was taken out.
void CheckOrigin(Mechanism mechanism, const Credentials& credentials, std::string_view base64) {
  const std::string message = *Base64Decode(base64);
  if (mechanism == Mechanism::kPlain) return;
  const std::string auth = "auth=" + std::string(credentials.password.Reveal()) + "\1";
  POSTERN_CHECK(message.find(auth) != message.npos);
  POSTERN_CHECK(message.ends_with("\1\1"));
  if (mechanism != Mechanism::kXoauth2) return;
  POSTERN_CHECK(message.find("user=" + credentials.user + "\1") != message.npos);
}

void CheckMessage(Mechanism mechanism, std::string_view base64) {
  const Result<Credentials> decoded = DecodeMessage(mechanism, base64);
  if (!decoded.ok()) return CheckSentence(decoded.error().message());
  CheckFields(mechanism, decoded.value());
  CheckOrigin(mechanism, decoded.value(), base64);
  const Secret canonical = EncodeMessage(mechanism, decoded.value());
  if (mechanism == Mechanism::kPlain) POSTERN_CHECK(canonical.Reveal() == base64);
  const Result<Credentials> again = DecodeMessage(mechanism, canonical.Reveal());
  POSTERN_CHECK(again.ok());
  POSTERN_CHECK(again.value().authzid == decoded.value().authzid);
  POSTERN_CHECK(again.value().user == decoded.value().user);
  POSTERN_CHECK(again.value().password.Reveal() == decoded.value().password.Reveal());
  POSTERN_CHECK(EncodeMessage(mechanism, again.value()).Reveal() == canonical.Reveal());
}

std::vector<std::string> Lines(std::string_view bytes) {
  std::vector<std::string> lines;
  while (true) {
    const std::size_t end = bytes.find('\n');
    lines.emplace_back(bytes.substr(0, end));
    if (end == bytes.npos) return lines;
    bytes.remove_prefix(end + 1);
  }
}

void Check(std::uint8_t choice, std::string_view bytes) {
  const Mechanism mechanism = kSaslMechanisms[choice % 4];
  std::vector<std::string> lines;
  if ((choice & kMessage) != 0) {
    lines = {Base64Encode(bytes), Base64Encode(bytes)};
  } else {
    lines = Lines(bytes);
  }
  if (mechanism != Mechanism::kLogin) CheckMessage(mechanism, lines[0]);
  const Seen seen = Converse(mechanism, lines, (choice & kInitialResponse) != 0);
  // "*" and "=" mean something only in one of the two places.
  if (lines[0] == "*" || lines[0] == "=") return;
  POSTERN_CHECK(seen == Converse(mechanism, lines, (choice & kInitialResponse) == 0));
}

}  // namespace
}  // namespace postern::testing

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1 || size > 16 * 1024) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  postern::testing::Check(data[0], bytes.substr(1));
  return 0;
}
