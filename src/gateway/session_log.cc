// The lines that a session writes to the log (DESIGN 1.5): one at its end, one per failed login,
// one per slow command.
#include <utility>

#include "gateway/session.h"

namespace postern {
namespace {

std::string_view ProtocolName(Protocol protocol) {
  return protocol == Protocol::kImap ? "imap" : "pop3";
}

}  // namespace

void Session::LoginFailed(std::string_view user, std::string_view mechanism,
                          std::string_view result) {
  worker_.shared().log.Write(std::move(LogLine("login_failed")
                                           .Text("id", id_)
                                           .Text("protocol", ProtocolName(protocol_))
                                           .Text("client", address_)
                                           .Text("user", user)
                                           .Text("mechanism", mechanism)
                                           .Text("result", result)));
}

void Session::SlowCommand(std::string_view command, Duration first_byte, Duration total) {
  using Seconds = std::chrono::duration<double>;
  const Backends& backends = worker_.shared().backends;
  LogLine line("slow_command");
  line.Text("id", id_).Text("protocol", ProtocolName(protocol_));
  line.Text("command", command).Text("user", engine_->user());
  if (pool_ != kNoPool) line.Text("pool", backends.pool(pool_).name);
  if (backend_id_ != kNoBackend) line.Text("backend", backends.backend(backend_id_).name);
  line.Seconds("first_byte", Seconds(first_byte).count()).Seconds("total", Seconds(total).count());
  worker_.shared().log.Write(std::move(line));
}

void Session::WriteLog() const {
  const Backends& backends = worker_.shared().backends;
  // Without a handshake nothing was agreed on.
  const TlsFacts tls = state_ == SessionState::kHandshake ? TlsFacts{} : client_.stream->tls();
  LogLine line("session");
  line.Text("id", id_).Text("protocol", ProtocolName(protocol_));
  line.Text("listener", worker_.listener_name(listener_)).Text("client", address_);
  line.Text("user", engine_->user());
  if (pool_ != kNoPool) line.Text("pool", backends.pool(pool_).name);
  if (backend_id_ != kNoBackend) line.Text("backend", backends.backend(backend_id_).name);
  line.Text("tls_version", tls.version).Text("tls_cipher", tls.cipher);
  line.Json("commands", engine_->commands());
  line.Number("client_in", static_cast<std::int64_t>(client_.in));
  line.Number("client_out", static_cast<std::int64_t>(client_.out));
  line.Seconds("duration", std::chrono::duration<double>(MonotonicNow() - opened_).count());
  line.Text("close_reason", CloseReasonName(reason_));
  worker_.shared().log.Write(std::move(line));
}

}  // namespace postern
