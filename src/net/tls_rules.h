// The rules that servers' and clients' contexts share: versions, suites, groups.
#pragma once

#include <cstdint>
#include <memory>

#include "net/boringssl.h"
#include "postern/base/check.h"

namespace postern {

// Forward secrecy and AEAD only; below TLS 1.2, which has no AEAD, CBC is added.
void RestrictContext(SSL_CTX* context, std::uint16_t minimum);

// Chains that were seen before are kept once: many sessions with the same few backends. For the
// process; never freed, since sessions that end last still refer to it.
CRYPTO_BUFFER_POOL* SharedChains();

// A T that the callbacks of a context need. Owned by the SSL_CTX, which streams keep alive, and not
// by the TlsContext, which may go before them.
template <typename T>
class OfContext {
 public:
  static T& Put(SSL_CTX* context, std::unique_ptr<T> value) {
    POSTERN_CHECK(SSL_CTX_set_ex_data(context, Index(), value.get()) == 1);
    return *value.release();
  }
  static T& Get(const SSL* ssl) {
    return *static_cast<T*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), Index()));
  }

 private:
  static int Index() {
    static const int index = SSL_CTX_get_ex_new_index(
        0, nullptr, nullptr, nullptr, [](void*, void* value, CRYPTO_EX_DATA*, int, long, void*) {
          delete static_cast<T*>(value);
        });
    return index;
  }
};

}  // namespace postern
