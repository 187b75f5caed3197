// The messages of the single SASL mechanisms, not in base64 here. Pure; any thread. Errors are
// sentences for people that never hold bytes of the message.
#pragma once

#include <string_view>

#include "postern/sasl/sasl.h"

namespace postern {

// authzid NUL user NUL password (RFC 4616 section 2).
Result<Credentials> ParsePlain(std::string_view message);
Secret MakePlain(const Credentials& credentials);

// "user=" U ^A "auth=" B ^A ^A; further pairs are dropped.
Result<Credentials> ParseXoauth2(std::string_view message);
Secret MakeXoauth2(const Credentials& credentials);

// GS2 header, then pairs (RFC 7628 section 3.1). No channel binding; the header must name the user,
// because a token is opaque and the pool is chosen by its user.
Result<Credentials> ParseOauthbearer(std::string_view message);
Secret MakeOauthbearer(const Credentials& credentials);

}  // namespace postern
