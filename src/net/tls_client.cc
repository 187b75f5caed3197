#include <utility>

#include "net/boringssl.h"
#include "net/tls_rules.h"
#include "net/tls_scratch.h"
#include "net/tls_stream.h"
#include "net/tls_trust.h"
#include "net/tls_verify.h"
#include "postern/base/check.h"
#include "postern/net/tls.h"

namespace postern {
namespace {

ssl_verify_result_t Verify(SSL* ssl, std::uint8_t* alert) noexcept {
  TlsHandshake* handshake = TlsScratch::Of(ssl).handshake;
  POSTERN_CHECK(handshake != nullptr);
  handshake->verified = VerifyChain(OfContext<TlsVerifier>::Get(ssl),
                                    SSL_get0_peer_certificates(ssl), handshake->name, alert);
  return handshake->verified.ok() ? ssl_verify_ok : ssl_verify_invalid;
}

class ClientContext final : public TlsContext {
 public:
  explicit ClientContext(TlsVerifier verifier) : context_(SSL_CTX_new(TLS_with_buffers_method())) {
    SSL_CTX* context = context_.get();
    POSTERN_CHECK(context != nullptr);
    OfContext<TlsVerifier>::Put(context, std::make_unique<TlsVerifier>(std::move(verifier)));
    RestrictContext(context, TLS1_2_VERSION);
    // Logins are not resumed on this leg: nothing is kept for it.
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
    SSL_CTX_set0_buffer_pool(context, SharedChains());
    SSL_CTX_set_custom_verify(context, SSL_VERIFY_PEER, Verify);
  }

  std::unique_ptr<Stream> Wrap(Loop& loop, std::unique_ptr<Stream> lower,
                               const std::string& name) override {
    auto handshake = std::make_unique<TlsHandshake>();
    handshake->client = true;
    handshake->name = name;
    return std::make_unique<TlsStream>(loop.inner(), context_.get(), std::move(lower),
                                       std::move(handshake));
  }

 private:
  const bssl::UniquePtr<SSL_CTX> context_;
};

}  // namespace

Result<std::unique_ptr<TlsContext>> TlsContext::ForClient(const ClientTlsSettings& settings) {
  TlsVerifier verifier;
  verifier.verify = settings.verify;
  verifier.pins = settings.pins;
  if (settings.verify == ClientTlsSettings::Verify::kPin && settings.pins.empty()) {
    return Status::Error("there is no pin to verify with; give at least one");
  }
  if (settings.verify == ClientTlsSettings::Verify::kFull) {
    Result<std::shared_ptr<X509_STORE>> trusted = TrustedCertificates(settings.ca_file);
    if (!trusted.ok()) return trusted.error();
    verifier.trusted = std::move(trusted.value());
    verifier.own_roots = !settings.ca_file.empty();
  }
  return std::unique_ptr<TlsContext>(std::make_unique<ClientContext>(std::move(verifier)));
}

}  // namespace postern
