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

bssl::UniquePtr<EVP_PKEY> MakeKey(KeyKind kind) {
  const int id = kind == KeyKind::kP256 ? EVP_PKEY_EC : EVP_PKEY_RSA;
  bssl::UniquePtr<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new_id(id, nullptr));
  POSTERN_CHECK(EVP_PKEY_keygen_init(context.get()) == 1);
  if (kind == KeyKind::kP256) {
    POSTERN_CHECK(EVP_PKEY_CTX_set_ec_paramgen_curve_nid(context.get(), NID_X9_62_prime256v1) == 1);
  } else {
    POSTERN_CHECK(EVP_PKEY_CTX_set_rsa_keygen_bits(context.get(), 2048) == 1);
  }
  EVP_PKEY* key = nullptr;
  POSTERN_CHECK(EVP_PKEY_keygen(context.get(), &key) == 1);
  return bssl::UniquePtr<EVP_PKEY>(key);
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

Identity MakeIdentity(KeyKind kind) {
  const bssl::UniquePtr<EVP_PKEY> key = MakeKey(kind);
  bssl::UniquePtr<X509> leaf(X509_new());
  X509_set_version(leaf.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(leaf.get()), 1);
  ASN1_TIME_set(X509_getm_notBefore(leaf.get()), 0);
  ASN1_TIME_set(X509_getm_notAfter(leaf.get()), kNotAfter);
  X509_NAME* name = X509_get_subject_name(leaf.get());
  const auto* text = reinterpret_cast<const std::uint8_t*>("mail.example");
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, text, -1, -1, 0);
  X509_set_issuer_name(leaf.get(), name);
  X509_set_pubkey(leaf.get(), key.get());
  POSTERN_CHECK(X509_sign(leaf.get(), key.get(), EVP_sha256()) > 0);

  bssl::UniquePtr<BIO> chain_pem(BIO_new(BIO_s_mem()));
  bssl::UniquePtr<BIO> key_pem(BIO_new(BIO_s_mem()));
  POSTERN_CHECK(PEM_write_bio_X509(chain_pem.get(), leaf.get()) == 1);
  POSTERN_CHECK(PEM_write_bio_PrivateKey(key_pem.get(), key.get(), nullptr, nullptr, 0, nullptr,
                                         nullptr) == 1);
  return {Contents(chain_pem.get()), Contents(key_pem.get())};
}

TlsSettings MakeSettings(const TemporaryFolder& folder, const Identity& identity,
                         const std::string& alpn) {
  TlsSettings settings;
  settings.chain_file = folder.Write("chain.pem", identity.chain);
  settings.key_file = folder.Write("key.pem", identity.key);
  settings.alpn = alpn;
  return settings;
}

std::unique_ptr<TlsContext> MakeContext(const TlsSettings& settings) {
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
