#include "net/tls_rules.h"

#include <string>

namespace postern {
namespace {

// TLS 1.2: forward secrecy and AEAD only. Inside brackets the client's taste decides: one without
// AES in its processor asks for ChaCha20. TLS 1.3's three suites are not configurable.
constexpr char kCipherList[] =
    "[ECDHE-ECDSA-AES128-GCM-SHA256|ECDHE-ECDSA-CHACHA20-POLY1305]:"
    "[ECDHE-RSA-AES128-GCM-SHA256|ECDHE-RSA-CHACHA20-POLY1305]:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384";
constexpr char kObsoleteList[] =
    ":ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA:ECDHE-RSA-AES256-SHA";
constexpr char kCurveList[] = "X25519:P-256:P-384";

}  // namespace

void RestrictContext(SSL_CTX* context, std::uint16_t minimum) {
  std::string ciphers = kCipherList;
  if (minimum < TLS1_2_VERSION) ciphers += kObsoleteList;
  POSTERN_CHECK(SSL_CTX_set_min_proto_version(context, minimum) == 1);
  POSTERN_CHECK(SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION) == 1);
  POSTERN_CHECK(SSL_CTX_set_strict_cipher_list(context, ciphers.c_str()) == 1);
  POSTERN_CHECK(SSL_CTX_set1_curves_list(context, kCurveList) == 1);
  // Early data can be replayed, mail commands must not be. Renegotiation of a client is always
  // refused by BoringSSL, and compression does not exist in it.
  SSL_CTX_set_early_data_enabled(context, 0);
  SSL_CTX_set_quiet_shutdown(context, 0);
}

CRYPTO_BUFFER_POOL* SharedChains() {
  static CRYPTO_BUFFER_POOL* const pool = CRYPTO_BUFFER_POOL_new();
  POSTERN_CHECK(pool != nullptr);
  return pool;
}

}  // namespace postern
