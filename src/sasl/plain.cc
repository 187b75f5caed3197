// PLAIN of messages.h.
#include "sasl/messages.h"

namespace postern {

// A further NUL stays in the password, where the check finds it.
Result<Credentials> ParsePlain(std::string_view message) {
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

Secret MakePlain(const Credentials& credentials) {
  Secret message;
  message.Append(credentials.authzid);
  message.Append(std::string_view("\0", 1));
  message.Append(credentials.user);
  message.Append(std::string_view("\0", 1));
  message.Append(credentials.password.Reveal());
  return message;
}

}  // namespace postern
