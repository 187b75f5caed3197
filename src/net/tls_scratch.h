// TlsScratch: what all TLS streams of a loop share, so that an idle one owns no buffer: the BIO,
// the ciphertext in hand, the plaintext just opened and the records just sealed. Owned by the loop.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "net/boringssl.h"
#include "net/tls_signer.h"
#include "postern/base/status.h"
#include "postern/net/loop.h"

namespace postern {

// What one OnBytes carries at most; four full records.
inline constexpr std::size_t kPlainSize = 64 * 1024;

// What a handshake needs and the open stream does not.
struct TlsHandshake {
  bool client = false;
  std::string name;  // of the backend, which its certificate must be for
  Status verified;   // why its certificate was refused
  // Of a server with an RSA key: who signs, and what was asked for.
  TlsSigner* signer = nullptr;
  EVP_PKEY* key = nullptr;
  TlsSignature signature;
  TlsSignature::Made signature_made = nullptr;
  bool signing = false;
  void* stream = nullptr;
  Loop* loop = nullptr;
  bool begun = false;  // the peer's first byte was seen
};

class TlsScratch {
 public:
  static TlsScratch& Of(Loop::Inner& loop);
  // From inside BoringSSL's callbacks.
  static TlsScratch& Of(const SSL* ssl) {
    return *static_cast<TlsScratch*>(BIO_get_data(SSL_get_rbio(ssl)));
  }
  TlsScratch();
  ~TlsScratch();
  TlsScratch(const TlsScratch&) = delete;
  TlsScratch& operator=(const TlsScratch&) = delete;

  // Reads from input, appends to output. One for all: BoringSSL needs it only inside its calls.
  BIO* bio() { return bio_.get(); }
  char* plain() { return plain_.get(); }
  // For signatures made elsewhere; the loop is this scratch's.
  const std::shared_ptr<LoopReturn>& WayBack(Loop& loop);

  std::string_view input;
  std::string output;
  // That of the stream whose handshake is under way, for BoringSSL's callbacks.
  TlsHandshake* handshake = nullptr;
  // Empties output; keeps its memory unless something unusually large went through.
  void ClearOutput();

 private:
  bssl::UniquePtr<BIO> bio_;
  std::unique_ptr<char[]> plain_;
  std::shared_ptr<LoopReturn> way_back_;
};

}  // namespace postern
