// Contexts with certificates made on the spot, and a TLS client of BoringSSL's over any stream.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "net/boringssl.h"
#include "postern/net/stream.h"
#include "postern/net/tls.h"
#include "unit/net/identity_fixture.h"

namespace postern {

// A private folder that goes with the object.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  std::string Path(const std::string& name) const { return path_ + "/" + name; }
  // Writes a file and gives its path.
  std::string Write(const std::string& name, std::string_view content) const;

 private:
  std::string path_;
};

// Writes NAME.pem and NAME.key.
CertificateFiles WriteIdentity(const TemporaryFolder& folder, const Identity& identity,
                               const std::string& name = "chain");

// Settings for "imap" with these certificates, the first as default.
ServerTlsSettings MakeSettings(const std::vector<Identity>& identities);

std::unique_ptr<TlsContext> MakeContext(const ServerTlsSettings& settings);

struct TlsClientOptions {
  int version = TLS1_3_VERSION;
  std::string alpn;                // one name, or several separated by commas
  SSL_SESSION* session = nullptr;  // offered for resumption
  std::string name;                // asked for by SNI
  std::function<void(SSL*)> configure;
};

class TlsClient final : public Stream::Observer {
 public:
  TlsClient(std::unique_ptr<Stream> lower, const TlsClientOptions& options);
  // Begins the handshake.
  void Start();
  void Write(std::string_view bytes);
  void SendCloseNotify();

  Stream& lower() { return *lower_; }
  SSL* ssl() { return ssl_.get(); }
  bool open() const { return open_; }
  bool got_close_notify() const { return close_notify_; }
  const std::string& received() const { return received_; }
  int alert() const { return alert_; }  // the last one read, -1 for none
  const std::string& lower_error() const { return lower_error_; }
  bool lower_ended() const { return lower_ended_; }
  bssl::UniquePtr<SSL_SESSION> TakeSession() { return std::move(session_); }

  void OnOpen() override {}
  void OnBytes(std::string_view bytes) override;
  void OnDrained() override {}
  void OnEnd(const Status& why) override;

 private:
  void Pump();
  void Flush();
  static int OnSession(SSL* ssl, SSL_SESSION* session);
  static void OnInfo(const SSL* ssl, int kind, int value);

  std::unique_ptr<Stream> lower_;
  bssl::UniquePtr<SSL_CTX> context_;
  bssl::UniquePtr<SSL> ssl_;
  bssl::UniquePtr<SSL_SESSION> session_;
  std::string received_;
  std::string lower_error_;
  int alert_ = -1;
  bool open_ = false;
  bool close_notify_ = false;
  bool lower_ended_ = false;
};

}  // namespace postern
