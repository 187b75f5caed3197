// The private key of a server's handshake, when TlsSigner signs with it.
#pragma once

#include "net/boringssl.h"

namespace postern {

// For a handshake whose key and signer are set in TlsHandshake: SSL_do_handshake stops with
// SSL_ERROR_WANT_PRIVATE_KEY_OPERATION until the signature is there.
extern const SSL_PRIVATE_KEY_METHOD kSignElsewhere;

}  // namespace postern
