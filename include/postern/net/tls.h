// TLS over another stream: contexts made from certificates and rules, and the streams that speak
// it. Contexts belong to one worker and are made anew at a reload; streams keep what they need of
// the context they were made with, so a context may go before its streams. Knows nothing of mail
// but the ALPN name it is given.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "postern/base/status.h"
#include "postern/net/loop.h"
#include "postern/net/stream.h"

namespace postern {

class TicketKeys;

// A certificate with its key, as files.
struct CertificateFiles {
  std::string chain;  // PEM, leaf first
  std::string key;    // PEM
  std::string ocsp;   // DER staple; empty: none
};

// Certificates read, parsed and checked, ready for any number of contexts. Immutable; any thread.
// The first is the default; several of one name may differ in the kind of their key.
class CertificateSet {
 public:
  struct Facts {
    std::int64_t not_after = 0;      // of the leaf, seconds since 1970
    std::vector<std::string> names;  // DNS names of the leaf, lower case
    bool staple = false;
  };
  // Reads and checks each pair and staple. The error says which file and what is wrong with it;
  // index, if given, gets the number of the one at fault.
  static Result<std::shared_ptr<const CertificateSet>> Load(
      const std::vector<CertificateFiles>& files, std::size_t* index = nullptr);
  virtual ~CertificateSet() = default;
  virtual std::size_t size() const = 0;
  virtual Facts facts(std::size_t index) const = 0;
};

struct ServerTlsSettings {
  std::shared_ptr<const CertificateSet> certificates;
  enum class Version : std::uint8_t { k10, k11, k12, k13 };
  Version minimum = Version::k12;  // k10 and k11 only for measuring campaigns (tls.allow_obsolete)
  // Refuse clients that name a host no certificate is for (alert 112), and those that name none
  // get the default.
  bool strict_sni = false;
  // The one protocol accepted when a client offers any: "imap" or "pop3" (RFC 7301).
  std::string alpn;
  // Shared by all contexts of the process; null: the library's own, for tests.
  std::shared_ptr<TicketKeys> ticket_keys;
};

struct ClientTlsSettings {
  enum class Verify : std::uint8_t {
    kFull,  // chain to a trusted root, and the name
    kPin,   // one of the pins, nothing else
    kNone,
  };
  Verify verify = Verify::kFull;
  std::string ca_file;  // PEM; empty: the system's bundle
  // SHA-256 digests, 32 octets each, of the leaf's public key (SubjectPublicKeyInfo) or of the leaf
  // itself.
  std::vector<std::string> pins;
};

class TlsContext {
 public:
  static Result<std::unique_ptr<TlsContext>> ForServer(const ServerTlsSettings& settings);
  // TLS 1.2 and above, AEAD and forward secrecy only. Reads the CA file; errors name it.
  static Result<std::unique_ptr<TlsContext>> ForClient(const ClientTlsSettings& settings);
  virtual ~TlsContext() = default;
  // TLS over a stream that may be started already (STARTTLS): takes it; Start begins the handshake.
  // name, of a client's only: the host that the certificate must be for, sent as SNI unless it is a
  // numeric address, which must then stand in the certificate as such.
  virtual std::unique_ptr<Stream> Wrap(Loop& loop, std::unique_ptr<Stream> lower,
                                       const std::string& name = {}) = 0;
};

// "sha256//BASE64", "sha256:HEX", bare base64 or hex with or without colons: a digest of 32 octets.
Result<std::string> ParsePin(std::string_view text);

// Ok when BoringSSL is the only libssl/libcrypto mapped into the process; else says what else is
// there.
Status CheckNoOtherTlsLibrary();
// "API 17, /usr/lib/.../libssl.so" and the libuv version, for --version.
std::string TlsLibraryText();
std::string UvLibraryText();

}  // namespace postern
