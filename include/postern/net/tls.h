// TLS towards clients: a context from a certificate, and the stream that speaks it over another
// stream. A TlsContext belongs to one worker (its own copy of keys and settings, no locks); streams
// of a context may not outlive it. Knows nothing of mail but the ALPN name it is given.
#pragma once

#include <memory>
#include <string>

#include "postern/base/status.h"
#include "postern/net/loop.h"
#include "postern/net/stream.h"

namespace postern {

struct TlsSettings {
  std::string chain_file;      // PEM, leaf first
  std::string key_file;        // PEM
  bool minimum_tls13 = false;  // else 1.2
  // The one protocol accepted when a client offers any: "imap" or "pop3" (RFC 7301).
  std::string alpn;
  // 48 random bytes shared by all workers of the process; empty: the library's own.
  std::string ticket_key;
};

class TlsContext {
 public:
  // Reads and checks the pair. Errors say which file and what is wrong with it.
  static Result<std::unique_ptr<TlsContext>> ForServer(const TlsSettings& settings);
  virtual ~TlsContext() = default;
  // A server's TLS over an accepted stream. Takes the lower stream; Start begins the handshake.
  virtual std::unique_ptr<Stream> Wrap(Loop& loop, std::unique_ptr<Stream> lower) = 0;
  // Expiry of the leaf certificate, seconds since 1970.
  virtual std::int64_t not_after() const = 0;
};

// 48 bytes of good randomness for TlsSettings::ticket_key.
std::string NewTicketKey();
// Ok when BoringSSL is the only libssl/libcrypto mapped into the process; else says what else is
// there.
Status CheckNoOtherTlsLibrary();
// "API 17, /usr/lib/.../libssl.so" and the libuv version, for --version.
std::string TlsLibraryText();
std::string UvLibraryText();

}  // namespace postern
