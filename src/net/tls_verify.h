// Whether a backend's certificate is the right one: chain, name, purpose and date, or a pin. Pure
// but for the date; any thread. Knows nothing of streams.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "net/boringssl.h"
#include "postern/base/status.h"
#include "postern/net/tls.h"

namespace postern {

struct TlsVerifier {
  ClientTlsSettings::Verify verify = ClientTlsSettings::Verify::kFull;
  std::shared_ptr<X509_STORE> trusted;  // kFull only
  bool own_roots = false;               // they are the operator's, not the system's
  std::vector<std::string> pins;
};

// The chain as it was sent, leaf first. name as for TlsContext::Wrap. The error says what an
// operator must change; alert gets what the peer is told.
Status VerifyChain(const TlsVerifier& verifier, const STACK_OF(CRYPTO_BUFFER) * chain,
                   const std::string& name, std::uint8_t* alert);

// Whether the host is a numeric address.
bool IsNumericHost(const std::string& host);

}  // namespace postern
