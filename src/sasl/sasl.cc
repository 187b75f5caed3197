#include "postern/sasl/sasl.h"

#include <optional>
#include <utility>

#include "postern/base/text.h"

namespace postern {
namespace {

constexpr std::string_view kForbidden{"\0\r\n", 3};

bool IsSafe(std::string_view field) { return field.find_first_of(kForbidden) == field.npos; }

// authzid NUL user NUL password. A further NUL stays in the password, where the check finds it.
Result<Credentials> Split(std::string_view message) {
  const std::size_t first = message.find('\0');
  if (first == message.npos) return Status::Error("a PLAIN message has three fields");
  const std::size_t second = message.find('\0', first + 1);
  if (second == message.npos) return Status::Error("a PLAIN message has three fields");
  Credentials credentials;
  credentials.authzid = message.substr(0, first);
  credentials.user = message.substr(first + 1, second - first - 1);
  credentials.password = Secret(message.substr(second + 1));
  const Status status = CheckCredentials(credentials);
  if (!status.ok()) return status;
  return credentials;
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

Result<Credentials> DecodePlain(std::string_view base64) {
  if (base64 == "=") base64 = {};
  std::optional<std::string> message = Base64Decode(base64);
  if (!message) return Status::Error("not valid base64");
  Result<Credentials> credentials = Split(*message);
  Wipe(*message);
  return credentials;
}

Secret EncodePlain(const Credentials& credentials) {
  Secret message;
  message.Append(credentials.authzid);
  message.Append(std::string_view("\0", 1));
  message.Append(credentials.user);
  message.Append(std::string_view("\0", 1));
  message.Append(credentials.password.Reveal());
  std::string base64 = Base64Encode(message.Reveal());
  Secret encoded(base64);
  Wipe(base64);
  return encoded;
}

}  // namespace postern
