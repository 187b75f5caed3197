#include "unit/net/tls_fixture.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <utility>

#include "postern/base/check.h"

namespace postern {
namespace {

std::string Contents(BIO* bio) {
  const std::uint8_t* bytes = nullptr;
  std::size_t size = 0;
  POSTERN_CHECK(BIO_mem_contents(bio, &bytes, &size) == 1);
  return std::string(reinterpret_cast<const char*>(bytes), size);
}

// "imap,pop3" as ALPN's list of names with their lengths.
std::string AlpnWire(const std::string& names) {
  std::string wire;
  std::size_t begin = 0;
  while (begin < names.size()) {
    const std::size_t end = std::min(names.find(',', begin), names.size());
    wire.push_back(static_cast<char>(end - begin));
    wire.append(names, begin, end - begin);
    begin = end + 1;
  }
  return wire;
}

}  // namespace

TemporaryFolder::TemporaryFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "postern_test_XXXXXX").string();
  POSTERN_CHECK(mkdtemp(name.data()) != nullptr);
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() { std::filesystem::remove_all(path_); }

std::string TemporaryFolder::Write(const std::string& name, std::string_view content) const {
  std::ofstream(Path(name), std::ios::binary) << content;
  return Path(name);
}

CertificateFiles WriteIdentity(const TemporaryFolder& folder, const Identity& identity,
                               const std::string& name) {
  CertificateFiles files;
  files.chain = folder.Write(name + ".pem", identity.chain);
  files.key = folder.Write(name + ".key", identity.key);
  return files;
}

ServerTlsSettings MakeSettings(const std::vector<Identity>& identities) {
  const TemporaryFolder folder;
  std::vector<CertificateFiles> files;
  for (const Identity& one : identities) {
    files.push_back(WriteIdentity(folder, one, std::to_string(files.size())));
  }
  ServerTlsSettings settings;
  settings.certificates = CertificateSet::Load(files).value();
  settings.alpn = "imap";
  return settings;
}

std::unique_ptr<TlsContext> MakeContext(const ServerTlsSettings& settings) {
  return std::move(TlsContext::ForServer(settings).value());
}

TlsClient::TlsClient(std::unique_ptr<Stream> lower, const TlsClientOptions& options)
    : lower_(std::move(lower)), context_(SSL_CTX_new(TLS_method())) {
  const auto version = static_cast<std::uint16_t>(options.version);
  SSL_CTX_set_min_proto_version(context_.get(), version);
  SSL_CTX_set_max_proto_version(context_.get(), version);
  SSL_CTX_set_session_cache_mode(context_.get(), SSL_SESS_CACHE_CLIENT);
  SSL_CTX_sess_set_new_cb(context_.get(), OnSession);
  ssl_.reset(SSL_new(context_.get()));
  SSL_set_app_data(ssl_.get(), reinterpret_cast<char*>(this));
  SSL_set_info_callback(ssl_.get(), OnInfo);
  SSL_set_bio(ssl_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  SSL_set_connect_state(ssl_.get());
  if (!options.name.empty()) SSL_set_tlsext_host_name(ssl_.get(), options.name.c_str());
  if (options.configure) options.configure(ssl_.get());
  if (options.session != nullptr) SSL_set_session(ssl_.get(), options.session);
  const std::string wire = AlpnWire(options.alpn);
  if (!wire.empty()) {
    SSL_set_alpn_protos(ssl_.get(), reinterpret_cast<const std::uint8_t*>(wire.data()),
                        static_cast<unsigned>(wire.size()));
  }
}

int TlsClient::OnSession(SSL* ssl, SSL_SESSION* session) {
  reinterpret_cast<TlsClient*>(SSL_get_app_data(ssl))->session_.reset(session);
  return 1;
}

void TlsClient::OnInfo(const SSL* ssl, int kind, int value) {
  auto* self = static_cast<TlsClient*>(static_cast<void*>(SSL_get_app_data(ssl)));
  if (kind == SSL_CB_READ_ALERT) self->alert_ = value & 0xff;
}

void TlsClient::Start() {
  lower_->Start(*this);
  Pump();
}

void TlsClient::Write(std::string_view bytes) {
  POSTERN_CHECK(SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size())) ==
                static_cast<int>(bytes.size()));
  Flush();
}

void TlsClient::SendCloseNotify() {
  SSL_shutdown(ssl_.get());
  Flush();
}

void TlsClient::OnBytes(std::string_view bytes) {
  BIO_write(SSL_get_rbio(ssl_.get()), bytes.data(), static_cast<int>(bytes.size()));
  Pump();
}

void TlsClient::OnEnd(const Status& why) {
  lower_ended_ = true;
  lower_error_ = why.message();
}

void TlsClient::Pump() {
  ERR_clear_error();
  if (!open_) open_ = SSL_do_handshake(ssl_.get()) == 1;
  if (open_) {
    char buffer[16 * 1024];
    int size = 0;
    while ((size = SSL_read(ssl_.get(), buffer, sizeof buffer)) > 0) {
      received_.append(buffer, static_cast<std::size_t>(size));
    }
    if (SSL_get_error(ssl_.get(), size) == SSL_ERROR_ZERO_RETURN) close_notify_ = true;
  }
  ERR_clear_error();
  Flush();
}

void TlsClient::Flush() {
  const std::string out = Contents(SSL_get_wbio(ssl_.get()));
  BIO_reset(SSL_get_wbio(ssl_.get()));
  if (!out.empty()) lower_->Write(out);
}

}  // namespace postern
