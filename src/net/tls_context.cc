#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <utility>

#include "net/boringssl.h"
#include "net/tls_error.h"
#include "net/tls_stream.h"
#include "postern/base/check.h"
#include "postern/net/tls.h"

namespace postern {
namespace {

// TLS 1.2: forward secrecy and AEAD only. Inside brackets the client's taste decides: one without
// AES in its processor asks for ChaCha20. TLS 1.3's three suites are not configurable.
constexpr char kCipherList[] =
    "[ECDHE-ECDSA-AES128-GCM-SHA256|ECDHE-ECDSA-CHACHA20-POLY1305]:"
    "[ECDHE-RSA-AES128-GCM-SHA256|ECDHE-RSA-CHACHA20-POLY1305]:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384";
constexpr char kCurveList[] = "X25519:P-256:P-384";
constexpr std::size_t kTicketKeySize = 48;
// A stolen ticket key opens the sessions of this long, so it is kept short.
constexpr std::uint32_t kTicketSeconds = 12 * 60 * 60;

class ServerContext final : public TlsContext {
 public:
  explicit ServerContext(std::string alpn)
      : context_(SSL_CTX_new(TLS_method())), alpn_(std::move(alpn)) {
    POSTERN_CHECK(context_ != nullptr);
  }

  Status Load(const TlsSettings& settings) {
    Status status = LoadChain(settings.chain_file);
    if (status.ok()) status = LoadKey(settings.key_file, settings.chain_file);
    if (status.ok()) status = SetTickets(settings);
    if (status.ok()) Restrict(settings.minimum_tls13);
    return status;
  }

  std::unique_ptr<Stream> Wrap(Loop& loop, std::unique_ptr<Stream> lower) override {
    return std::make_unique<TlsStream>(loop.inner(), context_.get(), std::move(lower));
  }
  std::int64_t not_after() const override { return not_after_; }

 private:
  Status LoadChain(const std::string& file);
  Status LoadKey(const std::string& file, const std::string& chain_file);
  Status SetTickets(const TlsSettings& settings);
  void Restrict(bool minimum_tls13);
  static int SelectAlpn(SSL* ssl, const std::uint8_t** out, std::uint8_t* out_size,
                        const std::uint8_t* offered, unsigned size, void* self) noexcept;

  bssl::UniquePtr<SSL_CTX> context_;
  const std::string alpn_;
  std::int64_t not_after_ = 0;
};

Status CheckReadable(const std::string& what, const std::string& file) {
  std::FILE* opened = std::fopen(file.c_str(), "rbe");
  if (opened == nullptr) {
    return Status::Error(what + " '" + file + "' cannot be read: " + std::strerror(errno) +
                         "; give the path of a PEM file that this process may read");
  }
  // A folder opens but does not read.
  char byte;
  const bool readable = std::fread(&byte, 1, 1, opened) == 1;
  std::fclose(opened);
  if (readable) return {};
  return Status::Error(what + " '" + file +
                       "' is empty or not a file; give the path of a PEM file");
}

Status ServerContext::LoadChain(const std::string& file) {
  Status status = CheckReadable("certificate chain", file);
  if (!status.ok()) return status;
  ERR_clear_error();
  if (SSL_CTX_use_certificate_chain_file(context_.get(), file.c_str()) != 1) {
    return Status::Error("certificate chain '" + file + "' is not usable (" + TlsErrorText() +
                         "); it must hold PEM certificates, the server's own first");
  }
  const X509* leaf = SSL_CTX_get0_certificate(context_.get());
  bssl::UniquePtr<ASN1_TIME> epoch(ASN1_TIME_set(nullptr, 0));
  int days = 0;
  int seconds = 0;
  if (ASN1_TIME_diff(&days, &seconds, epoch.get(), X509_get0_notAfter(leaf)) != 1) {
    return Status::Error("certificate chain '" + file + "' has no readable date of expiry");
  }
  not_after_ = std::int64_t{days} * 86'400 + seconds;
  return {};
}

// Never asks for a password at a terminal.
int NoPassword(char*, int, int, void*) noexcept { return -1; }

Status ServerContext::LoadKey(const std::string& file, const std::string& chain_file) {
  Status status = CheckReadable("private key", file);
  if (!status.ok()) return status;
  ERR_clear_error();
  bssl::UniquePtr<BIO> bio(BIO_new_file(file.c_str(), "rb"));
  bssl::UniquePtr<EVP_PKEY> key(
      bio ? PEM_read_bio_PrivateKey(bio.get(), nullptr, NoPassword, nullptr) : nullptr);
  if (key == nullptr) {
    return Status::Error("private key '" + file + "' is not usable (" + TlsErrorText() +
                         "); it must be a PEM private key without a password");
  }
  const int kind = EVP_PKEY_id(key.get());
  if (kind != EVP_PKEY_EC && kind != EVP_PKEY_RSA && kind != EVP_PKEY_ED25519) {
    return Status::Error("private key '" + file +
                         "' is of a kind that TLS cannot use; take an ECDSA "
                         "P-256 or an RSA key");
  }
  X509* leaf = SSL_CTX_get0_certificate(context_.get());
  if (X509_check_private_key(leaf, key.get()) != 1) {
    ERR_clear_error();
    return Status::Error("private key '" + file +
                         "' does not belong to the first certificate of '" + chain_file +
                         "'; give the key of that certificate and put it first");
  }
  if (SSL_CTX_use_PrivateKey(context_.get(), key.get()) != 1) {
    return Status::Error("private key '" + file + "' is refused (" + TlsErrorText() + ")");
  }
  return {};
}

Status ServerContext::SetTickets(const TlsSettings& settings) {
  SSL_CTX* context = context_.get();
  // Tickets carry the sessions; the key is common to all workers, so that any of them resumes.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_timeout(context, kTicketSeconds);
  SSL_CTX_set_session_psk_dhe_timeout(context, kTicketSeconds);
  // A ticket resumes only where the same protocol and the same minimum are spoken.
  const std::string partition = alpn_.substr(0, 24) + (settings.minimum_tls13 ? "/1.3" : "/1.2");
  POSTERN_CHECK(
      SSL_CTX_set_session_id_context(
          context, reinterpret_cast<const std::uint8_t*>(partition.data()), partition.size()) == 1);
  if (settings.ticket_key.empty()) return {};
  if (settings.ticket_key.size() != kTicketKeySize ||
      SSL_CTX_set_tlsext_ticket_keys(context, settings.ticket_key.data(), kTicketKeySize) != 1) {
    return Status::Error("a ticket key must have 48 bytes");
  }
  return {};
}

void ServerContext::Restrict(bool minimum_tls13) {
  SSL_CTX* context = context_.get();
  POSTERN_CHECK(
      SSL_CTX_set_min_proto_version(context, minimum_tls13 ? TLS1_3_VERSION : TLS1_2_VERSION) == 1);
  POSTERN_CHECK(SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION) == 1);
  POSTERN_CHECK(SSL_CTX_set_strict_cipher_list(context, kCipherList) == 1);
  POSTERN_CHECK(SSL_CTX_set1_curves_list(context, kCurveList) == 1);
  SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE);
  // Early data can be replayed, mail commands must not be. Renegotiation of a client is always
  // refused by BoringSSL, and compression does not exist in it.
  SSL_CTX_set_early_data_enabled(context, 0);
  SSL_CTX_set_quiet_shutdown(context, 0);
  SSL_CTX_set_alpn_select_cb(context, SelectAlpn, this);
}

// Strict (RFC 7301 §3.2): a client that names protocols and not ours was led here by mistake or by
// an attack across protocols. One that names none is welcome.
int ServerContext::SelectAlpn(SSL*, const std::uint8_t** out, std::uint8_t* out_size,
                              const std::uint8_t* offered, unsigned size, void* self) noexcept {
  const std::string& ours = static_cast<ServerContext*>(self)->alpn_;
  std::string_view list(reinterpret_cast<const char*>(offered), size);
  while (!list.empty()) {
    const std::size_t length = static_cast<std::uint8_t>(list.front());
    const std::string_view name = list.substr(1, length);
    if (!ours.empty() && name == ours) {
      *out = reinterpret_cast<const std::uint8_t*>(name.data());
      *out_size = static_cast<std::uint8_t>(name.size());
      return SSL_TLSEXT_ERR_OK;
    }
    list.remove_prefix(std::min(list.size(), length + 1));
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

}  // namespace

Result<std::unique_ptr<TlsContext>> TlsContext::ForServer(const TlsSettings& settings) {
  auto context = std::make_unique<ServerContext>(settings.alpn);
  Status status = context->Load(settings);
  if (!status.ok()) return status;
  return std::unique_ptr<TlsContext>(std::move(context));
}

std::string NewTicketKey() {
  std::string key(kTicketKeySize, '\0');
  POSTERN_CHECK(RAND_bytes(reinterpret_cast<std::uint8_t*>(key.data()), key.size()) == 1);
  return key;
}

}  // namespace postern
