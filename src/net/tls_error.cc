#include "net/tls_error.h"

#include "net/boringssl.h"
#include "postern/base/text.h"

namespace postern {

std::string TlsErrorText() {
  const std::uint32_t code = ERR_get_error();
  ERR_clear_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  return "tls: " + (reason == nullptr ? std::string("unknown error") : ToLower(reason));
}

}  // namespace postern
