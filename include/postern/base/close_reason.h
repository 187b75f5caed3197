// CloseReason: why a session ended. At once the log field, the metric label and what tests assert.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace postern {

enum class CloseReason : std::uint8_t {
  kLogout,             // the client said LOGOUT or QUIT and had its answer
  kClientClosed,       // the client ended its side in order, without LOGOUT or QUIT
  kClientReset,        // the client's connection broke
  kClientProtocol,     // the client's bytes cannot be framed with certainty
  kHttp,               // the first bytes were an HTTP request
  kHandshakeFailed,    // TLS did not come about
  kHandshakeTimeout,   // TLS did not come about in time
  kProxyHeader,        // a PROXY header was due and did not come, or was malformed
  kStarttlsInjection,  // bytes behind STARTTLS or STLS
  kLoginTimeout,       // no login within timeouts.login
  kLoginFailed,        // limits.login_attempts failed
  kIdleTimeout,        // no byte from the client for timeouts.imap_idle or pop3_idle
  kBackendClosed,      // the backend ended the connection
  kBackendProtocol,    // the backend's bytes make no sense
  kDrained,            // shutdown: ended at a command boundary
  kDrainDeadline,      // shutdown: cut when gateway.drain was over
  kLimit,              // a limit of ours: sessions, memory, or a rule's
  kRule,               // a rule refused the connection or ended the session
  kKicked,             // an operator ended the session
  kInternal,           // our own mistake, told apart so that it is found
};
inline constexpr std::size_t kCloseReasonCount = 20;

// The label: "logout", "client_closed", ...
std::string_view CloseReasonName(CloseReason reason);
// One sentence for people.
std::string_view CloseReasonText(CloseReason reason);

}  // namespace postern
