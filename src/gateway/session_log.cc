// The lines that a session writes to the log (DESIGN 1.5): one at its end, one per failed login,
// one per slow command.
#include <utility>

#include "gateway/session.h"

namespace postern {

void Session::LoginFailed(std::string_view user, std::string_view mechanism,
                          std::string_view result) {
  keeper_.shared().log.Write(std::move(LogLine("login_failed")
                                           .Text("id", id_)
                                           .Text("protocol", ProtocolName(protocol_))
                                           .Text("client", address_)
                                           .Text("user", user)
                                           .Text("mechanism", mechanism)
                                           .Text("result", result)));
}

void Session::SlowCommand(std::string_view command, Duration first_byte, Duration total) {
  using Seconds = std::chrono::duration<double>;
  LogLine line("slow_command");
  line.Text("id", id_).Text("protocol", ProtocolName(protocol_));
  line.Text("command", command).Text("user", engine_->user());
  if (pool_ != kNoPool) line.Text("pool", routes().pool(pool_).name);
  if (backend_id_ != kNoBackend) line.Text("backend", routes().backend(backend_id_).name);
  line.Seconds("first_byte", Seconds(first_byte).count()).Seconds("total", Seconds(total).count());
  keeper_.shared().log.Write(std::move(line));
}

void Session::WriteLog() const {
  // Without a handshake nothing was agreed on.
  const TlsFacts tls = secure_ ? client_.stream->tls() : TlsFacts{};
  LogLine line("session");
  line.Text("id", id_).Text("protocol", ProtocolName(protocol_));
  line.Text("listener", door().name).Text("client", address_);
  line.Text("user", engine_->user());
  if (pool_ != kNoPool) line.Text("pool", routes().pool(pool_).name);
  if (backend_id_ != kNoBackend) line.Text("backend", routes().backend(backend_id_).name);
  line.Text("tls_version", tls.version).Text("tls_cipher", tls.cipher);
  line.Json("commands", engine_->commands());
  line.Number("client_in", static_cast<std::int64_t>(client_.in));
  line.Number("client_out", static_cast<std::int64_t>(client_.out));
  line.Seconds("duration", std::chrono::duration<double>(keeper_.world().now() - opened_).count());
  line.Text("close_reason", CloseReasonName(reason_));
  keeper_.shared().log.Write(std::move(line));
}

}  // namespace postern
