#include <algorithm>
#include <cstdint>
#include <cstring>
#include <utility>

#include "net/boringssl.h"
#include "net/tls_certificate.h"
#include "net/tls_choice.h"
#include "net/tls_private_key.h"
#include "net/tls_rules.h"
#include "net/tls_stream.h"
#include "postern/base/check.h"
#include "postern/base/secret.h"
#include "postern/net/ticket_keys.h"
#include "postern/net/tls.h"

namespace postern {
namespace {

// A stolen ticket key opens the sessions of this long, so it is kept short.
constexpr std::uint32_t kTicketSeconds = 12 * 60 * 60;

std::uint16_t NumberOf(ServerTlsSettings::Version version) {
  switch (version) {
    case ServerTlsSettings::Version::k10:
      return TLS1_VERSION;
    case ServerTlsSettings::Version::k11:
      return TLS1_1_VERSION;
    case ServerTlsSettings::Version::k12:
      return TLS1_2_VERSION;
    case ServerTlsSettings::Version::k13:
      return TLS1_3_VERSION;
  }
  return TLS1_2_VERSION;
}

// What the callbacks need.
struct ServerRules {
  explicit ServerRules(const ServerTlsSettings& settings)
      : certificates(std::static_pointer_cast<const CertificateList>(settings.certificates)),
        strict_sni(settings.strict_sni),
        alpn(settings.alpn),
        ticket_keys(settings.ticket_keys),
        policy(settings.alpn + "/" + std::to_string(NumberOf(settings.minimum)) +
               (settings.strict_sni ? "/strict" : "")) {}

  const std::shared_ptr<const CertificateList> certificates;
  const bool strict_sni;
  const std::string alpn;
  const std::shared_ptr<TicketKeys> ticket_keys;
  // What a ticket must have been issued under. Certificates have no part in it: a renewal keeps the
  // tickets.
  const std::string policy;
};

ssl_select_cert_result_t SelectCertificate(const SSL_CLIENT_HELLO* hello) noexcept {
  const CertificateList& certificates = *OfContext<ServerRules>::Get(hello->ssl).certificates;
  const TlsCertificate& chosen = *ChooseCertificate(certificates, *hello);
  TlsHandshake& handshake = *TlsScratch::Of(hello->ssl).handshake;
  // The way to another thread and back costs a tenth of the signature; with nobody to be held up,
  // it is made here.
  const bool elsewhere =
      chosen.kind == TlsCertificate::Kind::kRsa && handshake.loop->inner().busy_with_traffic();
  handshake.signer = certificates.signer();
  handshake.key = chosen.key.get();
  const bool set = SSL_set_chain_and_key(hello->ssl, chosen.chain.data(), chosen.chain.size(),
                                         elsewhere ? nullptr : handshake.key,
                                         elsewhere ? &kSignElsewhere : nullptr) == 1;
  if (set && !chosen.staple.empty()) {
    SSL_set_ocsp_response(hello->ssl, reinterpret_cast<const std::uint8_t*>(chosen.staple.data()),
                          chosen.staple.size());
  }
  return set ? ssl_select_cert_success : ssl_select_cert_error;
}

// RFC 6066 §3: whether the name is one of ours.
int CheckName(SSL* ssl, int* alert, void*) noexcept {
  const char* asked = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  if (asked == nullptr) return SSL_TLSEXT_ERR_NOACK;
  const ServerRules& rules = OfContext<ServerRules>::Get(ssl);
  if (HasCertificateFor(*rules.certificates, asked)) return SSL_TLSEXT_ERR_OK;
  *alert = SSL_AD_UNRECOGNIZED_NAME;
  return rules.strict_sni ? SSL_TLSEXT_ERR_ALERT_FATAL : SSL_TLSEXT_ERR_NOACK;
}

// Strict (RFC 7301 §3.2): a client that names protocols and not ours was led here by mistake or by
// an attack across protocols. One that names none is welcome.
int SelectAlpn(SSL* ssl, const std::uint8_t** out, std::uint8_t* out_size,
               const std::uint8_t* offered, unsigned size, void*) noexcept {
  const std::string& ours = OfContext<ServerRules>::Get(ssl).alpn;
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

const std::uint8_t* Octets(const std::string& text) {
  return reinterpret_cast<const std::uint8_t*>(text.data());
}

// Sets both halves for sealing or opening; false only without memory.
bool UseTicketKey(const TicketKeys::Key& key, const std::uint8_t* iv, EVP_CIPHER_CTX* cipher,
                  HMAC_CTX* hmac, bool seal) {
  return EVP_CipherInit_ex(cipher, EVP_aes_128_cbc(), nullptr, Octets(key.aes), iv, seal ? 1 : 0) ==
             1 &&
         HMAC_Init_ex(hmac, key.hmac.data(), key.hmac.size(), EVP_sha256(), nullptr) == 1;
}

// BoringSSL's convention: sealing 1 or -1; opening 0 for an unknown key, 2 to issue a new ticket.
int TicketKey(SSL* ssl, std::uint8_t* name, std::uint8_t* iv, EVP_CIPHER_CTX* cipher,
              HMAC_CTX* hmac, int seal) noexcept {
  const ServerRules& rules = OfContext<ServerRules>::Get(ssl);
  TicketKeys::Key key;
  bool renew = false;
  if (seal == 1) {
    key = rules.ticket_keys->Current(rules.policy);
    std::memcpy(name, key.name.data(), SSL_TICKET_KEY_NAME_LEN);
    RAND_bytes(iv, EVP_MAX_IV_LENGTH);
  } else {
    const std::string_view asked(reinterpret_cast<const char*>(name), SSL_TICKET_KEY_NAME_LEN);
    if (!rules.ticket_keys->Find(rules.policy, asked, key, renew)) return 0;
  }
  const bool used = UseTicketKey(key, iv, cipher, hmac, seal == 1);
  Wipe(key.aes);
  Wipe(key.hmac);
  if (!used) return -1;
  return renew ? 2 : 1;
}

void SetTickets(SSL_CTX* context, const ServerRules& rules) {
  // Tickets carry the sessions, so that any worker resumes.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_timeout(context, kTicketSeconds);
  SSL_CTX_set_session_psk_dhe_timeout(context, kTicketSeconds);
  // A ticket resumes only where the same policy rules.
  std::uint8_t partition[SHA256_DIGEST_LENGTH];
  SHA256(Octets(rules.policy), rules.policy.size(), partition);
  POSTERN_CHECK(SSL_CTX_set_session_id_context(context, partition, sizeof partition) == 1);
  if (rules.ticket_keys != nullptr) SSL_CTX_set_tlsext_ticket_key_cb(context, TicketKey);
}

class ServerContext final : public TlsContext {
 public:
  explicit ServerContext(const ServerTlsSettings& settings)
      : context_(SSL_CTX_new(TLS_with_buffers_method())) {
    SSL_CTX* context = context_.get();
    POSTERN_CHECK(context != nullptr);
    const ServerRules& rules =
        OfContext<ServerRules>::Put(context, std::make_unique<ServerRules>(settings));
    RestrictContext(context, NumberOf(settings.minimum));
    SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE);
    SetTickets(context, rules);
    SSL_CTX_set_select_certificate_cb(context, SelectCertificate);
    SSL_CTX_set_tlsext_servername_callback(context, CheckName);
    SSL_CTX_set_alpn_select_cb(context, SelectAlpn, nullptr);
  }

  std::unique_ptr<Stream> Wrap(Loop& loop, std::unique_ptr<Stream> lower,
                               const std::string&) override {
    auto handshake = std::make_unique<TlsHandshake>();
    handshake->loop = &loop;
    return std::make_unique<TlsStream>(loop.inner(), context_.get(), std::move(lower),
                                       std::move(handshake));
  }

 private:
  const bssl::UniquePtr<SSL_CTX> context_;
};

}  // namespace

Result<std::unique_ptr<TlsContext>> TlsContext::ForServer(const ServerTlsSettings& settings) {
  if (settings.certificates == nullptr) return Status::Error("a server needs a certificate");
  return std::unique_ptr<TlsContext>(std::make_unique<ServerContext>(settings));
}

}  // namespace postern
