// SASL PLAIN (RFC 4616): what a client's message says, and the message for a backend. Pure; any
// thread. Knows nothing of the protocol that carries it. What it lets through holds no NUL, CR or
// LF, so that no field can become a line of its own.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "postern/base/secret.h"
#include "postern/base/status.h"

namespace postern {

// Names and passwords, decoded. Dovecot's own limit for a SASL message is 8192.
inline constexpr std::size_t kMaxUser = 1024;
inline constexpr std::size_t kMaxPassword = 8 * 1024;

// Who asks to log in. A value with one owner; the password is wiped with it.
struct Credentials {
  std::string authzid;  // on whose behalf; mostly empty
  std::string user;
  Secret password;

  // Whose mailbox it will be: authzid if given, else user. Valid as long as the credentials.
  std::string_view login_name() const { return authzid.empty() ? user : authzid; }
};

// Ok when the fields may be sent to a backend: a user is there, none is too long, none holds NUL,
// CR or LF (everything else is allowed: Latin-1 passwords exist). Errors name the field and never
// its content.
Status CheckCredentials(const Credentials& credentials);

// A PLAIN message in base64, as initial response ("=" is the empty one) or as continuation without
// CRLF. Errors are sentences for people that never hold bytes of the message.
Result<Credentials> DecodePlain(std::string_view base64);
// The same message again, in base64, without CRLF.
Secret EncodePlain(const Credentials& credentials);

}  // namespace postern
