#include "postern/sasl/sasl.h"

#include <optional>
#include <utility>

#include "postern/base/check.h"
#include "postern/base/text.h"
#include "sasl/messages.h"

namespace postern {
namespace {

constexpr std::string_view kForbidden{"\0\r\n", 3};
// "Username:" and "Password:", the words of the LOGIN draft that clients look for.
constexpr std::string_view kAskUser = "VXNlcm5hbWU6";
constexpr std::string_view kAskPassword = "UGFzc3dvcmQ6";

bool IsSafe(std::string_view field) { return field.find_first_of(kForbidden) == field.npos; }

Result<Credentials> Parse(Mechanism mechanism, std::string_view message) {
  switch (mechanism) {
    case Mechanism::kPlain:
      return ParsePlain(message);
    case Mechanism::kXoauth2:
      return ParseXoauth2(message);
    case Mechanism::kOauthbearer:
      return ParseOauthbearer(message);
    case Mechanism::kLogin:
    case Mechanism::kUser:
      break;
  }
  return Status::Error("this mechanism has no single message");
}

Secret Make(Mechanism mechanism, const Credentials& credentials) {
  switch (mechanism) {
    case Mechanism::kPlain:
      return MakePlain(credentials);
    case Mechanism::kXoauth2:
      return MakeXoauth2(credentials);
    case Mechanism::kOauthbearer:
      return MakeOauthbearer(credentials);
    case Mechanism::kLogin:
    case Mechanism::kUser:
      break;
  }
  POSTERN_CHECK(false);
  return {};
}

}  // namespace

Status CheckCredentials(const Credentials& credentials) {
  if (credentials.user.empty()) return Status::Error("the user name is empty");
  if (credentials.user.size() > kMaxUser || credentials.authzid.size() > kMaxUser) {
    return Status::Error("the user name is too long");
  }
  if (credentials.password.size() > kMaxPassword) return Status::Error("the password is too long");
  if (!IsSafe(credentials.user) || !IsSafe(credentials.authzid)) {
    return Status::Error("the user name holds a control character");
  }
  if (!IsSafe(credentials.password.Reveal())) {
    return Status::Error("the password holds a control character");
  }
  return {};
}

SaslExchange::Outcome SaslExchange::Begin(std::optional<std::string_view> initial_response) {
  if (!initial_response) {
    challenge_ = mechanism_ == Mechanism::kLogin ? kAskUser : std::string_view();
    return Outcome::kChallenge;
  }
  // An initial response of no octets is "=" (RFC 4959 section 3); that of a later line is empty.
  const std::string_view base64 = *initial_response == "=" ? "" : *initial_response;
  if (mechanism_ == Mechanism::kLogin) return OnLogin(base64);
  return Finish(DecodeMessage(mechanism_, base64));
}

SaslExchange::Outcome SaslExchange::Next(std::string_view line) {
  if (line == "*") return Outcome::kCancelled;
  if (mechanism_ == Mechanism::kLogin) return OnLogin(line);
  return Finish(DecodeMessage(mechanism_, line));
}

// The user name is checked before the password is asked for.
SaslExchange::Outcome SaslExchange::OnLogin(std::string_view base64) {
  std::optional<std::string> decoded = Base64Decode(base64);
  if (!decoded) return Finish(Status::Error("not valid base64"));
  if (has_user_) {
    credentials_.password = Secret(*decoded);
  } else {
    credentials_.user = *decoded;
  }
  Wipe(*decoded);
  const Status status = CheckCredentials(credentials_);
  if (!status.ok()) return Finish(status);
  if (has_user_) return Outcome::kCredentials;
  has_user_ = true;
  challenge_ = kAskPassword;
  return Outcome::kChallenge;
}

SaslExchange::Outcome SaslExchange::Finish(Result<Credentials> decoded) {
  if (!decoded.ok()) {
    complaint_ = decoded.error().message();
    credentials_ = {};
    return Outcome::kMalformed;
  }
  credentials_ = std::move(decoded.value());
  return Outcome::kCredentials;
}

Credentials SaslExchange::Take() { return std::exchange(credentials_, {}); }

Result<Credentials> DecodeMessage(Mechanism mechanism, std::string_view base64) {
  std::optional<std::string> message = Base64Decode(base64);
  if (!message) return Status::Error("not valid base64");
  Result<Credentials> credentials = Parse(mechanism, *message);
  Wipe(*message);
  return credentials;
}

Secret EncodeMessage(Mechanism mechanism, const Credentials& credentials) {
  const Secret message = Make(mechanism, credentials);
  std::string base64 = Base64Encode(message.Reveal());
  Secret encoded(base64);
  Wipe(base64);
  return encoded;
}

}  // namespace postern
