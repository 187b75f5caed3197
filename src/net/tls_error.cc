#include "net/tls_error.h"

#include "net/boringssl.h"
#include "postern/base/text.h"

namespace postern {

std::string TlsErrorText() {
  std::uint32_t chosen = ERR_get_error();
  for (std::uint32_t code = chosen; code != 0; code = ERR_get_error()) {
    // Small reasons only name another part of the library.
    const bool of_tls = ERR_GET_LIB(code) == ERR_LIB_SSL && ERR_GET_REASON(code) >= 100;
    if (of_tls) {
      chosen = code;
      break;
    }
  }
  ERR_clear_error();
  const char* reason = chosen == 0 ? nullptr : ERR_reason_error_string(chosen);
  return "tls: " + (reason == nullptr ? std::string("unknown error") : ToLower(reason));
}

}  // namespace postern
