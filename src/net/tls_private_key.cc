#include "net/tls_private_key.h"

#include <algorithm>
#include <string>

#include "net/tls_scratch.h"

namespace postern {
namespace {

ssl_private_key_result_t Sign(SSL* ssl, std::uint8_t*, std::size_t*, std::size_t,
                              std::uint16_t scheme, const std::uint8_t* message,
                              std::size_t size) noexcept {
  TlsScratch& scratch = TlsScratch::Of(ssl);
  TlsHandshake& handshake = *scratch.handshake;
  handshake.signer->Ask(
      handshake.signature, handshake.key, scheme, {reinterpret_cast<const char*>(message), size},
      scratch.WayBack(*handshake.loop), handshake.signature_made, handshake.stream);
  return ssl_private_key_retry;
}

// Suites that would need it are not offered.
ssl_private_key_result_t Decrypt(SSL*, std::uint8_t*, std::size_t*, std::size_t,
                                 const std::uint8_t*, std::size_t) noexcept {
  return ssl_private_key_failure;
}

ssl_private_key_result_t Complete(SSL* ssl, std::uint8_t* out, std::size_t* out_size,
                                  std::size_t room) noexcept {
  TlsSignature& signature = TlsScratch::Of(ssl).handshake->signature;
  if (signature.state() == TlsSignature::State::kWaiting) return ssl_private_key_retry;
  if (signature.state() != TlsSignature::State::kDone) return ssl_private_key_failure;
  const std::string bytes = signature.Take();
  if (bytes.size() > room) return ssl_private_key_failure;
  std::copy(bytes.begin(), bytes.end(), out);
  *out_size = bytes.size();
  return ssl_private_key_success;
}

}  // namespace

const SSL_PRIVATE_KEY_METHOD kSignElsewhere = {Sign, Decrypt, Complete};

}  // namespace postern
