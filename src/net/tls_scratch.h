// TlsScratch: what all TLS streams of a loop share, so that an idle one owns no buffer: the BIO,
// the ciphertext in hand, the plaintext just opened and the records just sealed. Owned by the loop.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "net/boringssl.h"
#include "postern/net/loop.h"

namespace postern {

// What one OnBytes carries at most; four full records.
inline constexpr std::size_t kPlainSize = 64 * 1024;

class TlsScratch {
 public:
  static TlsScratch& Of(Loop::Inner& loop);
  TlsScratch();
  TlsScratch(const TlsScratch&) = delete;
  TlsScratch& operator=(const TlsScratch&) = delete;

  // Reads from input, appends to output. One for all: BoringSSL needs it only inside its calls.
  BIO* bio() { return bio_.get(); }
  char* plain() { return plain_.get(); }

  std::string_view input;
  std::string output;
  // Empties output; keeps its memory unless something unusually large went through.
  void ClearOutput();

 private:
  bssl::UniquePtr<BIO> bio_;
  std::unique_ptr<char[]> plain_;
};

}  // namespace postern
