#include "postern/base/close_reason.h"

#include "postern/base/check.h"

namespace postern {

std::string_view CloseReasonName(CloseReason reason) {
  switch (reason) {
    case CloseReason::kLogout:
      return "logout";
    case CloseReason::kClientClosed:
      return "client_closed";
    case CloseReason::kClientReset:
      return "client_reset";
    case CloseReason::kClientProtocol:
      return "client_protocol";
    case CloseReason::kHttp:
      return "http";
    case CloseReason::kHandshakeFailed:
      return "handshake_failed";
    case CloseReason::kHandshakeTimeout:
      return "handshake_timeout";
    case CloseReason::kProxyHeader:
      return "proxy_header";
    case CloseReason::kStarttlsInjection:
      return "starttls_injection";
    case CloseReason::kLoginTimeout:
      return "login_timeout";
    case CloseReason::kLoginFailed:
      return "login_failed";
    case CloseReason::kIdleTimeout:
      return "idle_timeout";
    case CloseReason::kBackendClosed:
      return "backend_closed";
    case CloseReason::kBackendProtocol:
      return "backend_protocol";
    case CloseReason::kDrained:
      return "drained";
    case CloseReason::kDrainDeadline:
      return "drain_deadline";
    case CloseReason::kLimit:
      return "limit";
    case CloseReason::kRule:
      return "rule";
    case CloseReason::kKicked:
      return "kicked";
    case CloseReason::kInternal:
      return "internal";
  }
  CheckFailed("known CloseReason", __FILE__, __LINE__);
}

std::string_view CloseReasonText(CloseReason reason) {
  switch (reason) {
    case CloseReason::kLogout:
      return "The client logged out.";
    case CloseReason::kClientClosed:
      return "The client closed the connection without logging out.";
    case CloseReason::kClientReset:
      return "The client's connection broke.";
    case CloseReason::kClientProtocol:
      return "The client's bytes could not be framed with certainty.";
    case CloseReason::kHttp:
      return "The client spoke HTTP.";
    case CloseReason::kHandshakeFailed:
      return "The TLS handshake failed.";
    case CloseReason::kHandshakeTimeout:
      return "The TLS handshake took too long.";
    case CloseReason::kProxyHeader:
      return "The PROXY header that is due from this address was missing or malformed.";
    case CloseReason::kStarttlsInjection:
      return "Bytes came behind the command that starts TLS.";
    case CloseReason::kLoginTimeout:
      return "The client did not log in in time.";
    case CloseReason::kLoginFailed:
      return "Too many logins failed on the connection.";
    case CloseReason::kIdleTimeout:
      return "The client was silent for too long.";
    case CloseReason::kBackendClosed:
      return "The backend ended the connection.";
    case CloseReason::kBackendProtocol:
      return "The backend's answer could not be understood.";
    case CloseReason::kDrained:
      return "Shutdown: ended between two commands.";
    case CloseReason::kDrainDeadline:
      return "Shutdown: cut when the time to drain was over.";
    case CloseReason::kLimit:
      return "The limit of sessions was reached.";
    case CloseReason::kRule:
      return "A rule refused the connection or ended the session.";
    case CloseReason::kKicked:
      return "An operator ended the session.";
    case CloseReason::kInternal:
      return "An internal error ended the session.";
  }
  CheckFailed("known CloseReason", __FILE__, __LINE__);
}

}  // namespace postern
