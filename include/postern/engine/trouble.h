// Trouble: why Postern answers in its own words, and the response codes that say so: the one table
// (DESIGN 2.12; RFC 5530, RFC 3206, RFC 2449). No other code of ours exists; codes that a backend
// said are relayed and are outside the table. Pure; any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace postern {

enum class Trouble : std::uint8_t {
  kCredentials,    // the backend refused the credentials and gave no code
  kTlsRequired,    // a login without TLS where it is required
  kUnavailable,    // no backend, a backend that fails, overload, shutdown: not the password's fault
  kTooBig,         // a literal over a limit
  kClientBug,      // what cannot be read, or what the grammar does not have
  kMechanism,      // a mechanism or a way to log in that is not offered
  kCancelled,      // the client gave up its SASL exchange; no attempt is counted
  kAuthorization,  // a rule refuses the connection or the login
  kNoPermission,   // a rule refuses a command
  kLimit,          // too many sessions of this user or client
  kMissing,        // a mailbox that is hidden, and so is not there
  kTryCreate,      // the same, as the target of APPEND, COPY, MOVE, REPLACE
  kCannot,         // a mailbox of this name cannot be made
};
inline constexpr std::size_t kTroubleCount = 13;

struct TroubleCodes {
  std::string_view imap;  // with brackets; empty: no code
  std::string_view pop3;
};

inline constexpr std::array<TroubleCodes, kTroubleCount> kTroubleCodes{{
    {"[AUTHENTICATIONFAILED]", "[AUTH]"},
    {"[PRIVACYREQUIRED]", "[SYS/PERM]"},
    {"[UNAVAILABLE]", "[SYS/TEMP]"},
    {"[TOOBIG]", "[SYS/PERM]"},
    {"[CLIENTBUG]", ""},
    {"[CANNOT]", ""},
    {"", ""},
    {"[AUTHORIZATIONFAILED]", "[SYS/PERM]"},
    {"[NOPERM]", "[SYS/PERM]"},
    {"[LIMIT]", "[SYS/TEMP]"},
    {"[NONEXISTENT]", ""},
    {"[TRYCREATE]", ""},
    {"[CANNOT]", ""},
}};

// "[UNAVAILABLE] text", or the text alone where the table has no code.
std::string ImapText(Trouble trouble, std::string_view text);
// "-ERR [SYS/TEMP] text\r\n".
std::string Pop3Line(Trouble trouble, std::string_view text);

}  // namespace postern
