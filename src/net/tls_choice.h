// Which certificate a ClientHello gets: by the name it asks for, then by what it can verify. Pure
// but for reading BoringSSL's ClientHello; any thread. Makes no state for names it does not know.
#pragma once

#include <string_view>

#include "net/boringssl.h"
#include "net/tls_certificate.h"

namespace postern {

// Whether a certificate is for that host: exactly, or by a wildcard for its first label.
bool HasCertificateFor(const CertificateList& certificates, std::string_view host);

// Never null. The default's when the name is unknown; the first of the name when the client can
// verify none, so that the handshake fails with the library's own reason.
const TlsCertificate* ChooseCertificate(const CertificateList& certificates,
                                        const SSL_CLIENT_HELLO& hello);

}  // namespace postern
