// Certificates with their keys, parsed and checked once, shared by every handshake of every worker:
// a handshake takes references, never copies. Immutable; any thread. Knows nothing of who asks for
// which name.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "net/boringssl.h"
#include "net/tls_signer.h"
#include "postern/net/tls.h"

namespace postern {

struct TlsCertificate {
  // In order of preference: the first are cheap to sign with, RSA is for those who know no other.
  enum class Kind : std::uint8_t { kP256, kP384, kEd25519, kRsa };

  Kind kind = Kind::kP256;
  std::vector<bssl::UniquePtr<CRYPTO_BUFFER>> owned;
  std::vector<CRYPTO_BUFFER*> chain;  // the same, as BoringSSL wants them
  bssl::UniquePtr<EVP_PKEY> key;
  std::string staple;  // DER; empty: none
  CertificateSet::Facts facts;
};

class CertificateList final : public CertificateSet {
 public:
  explicit CertificateList(std::vector<TlsCertificate> certificates);
  std::size_t size() const override { return certificates_.size(); }
  Facts facts(std::size_t index) const override { return certificates_[index].facts; }

  using Group = std::vector<const TlsCertificate*>;  // in the order of the configuration
  // Those that carry this very name, in lower case ("*.example" is such a name). Null: none.
  const Group* Named(const std::string& name) const;
  // Who signs with their RSA keys. Null: none has one.
  TlsSigner* signer() const { return signer_.get(); }
  // The first and those that share its first name.
  const Group& Default() const { return default_; }

 private:
  const std::vector<TlsCertificate> certificates_;
  std::unordered_map<std::string, Group> by_name_;
  Group default_;
  std::shared_ptr<TlsSigner> signer_;
};

// Reads and checks one pair with its staple. The error names the file and what would be right.
Result<TlsCertificate> ReadCertificate(const CertificateFiles& files);

// The DNS names of a certificate in lower case; its common name where there are none (RFC 6125
// §6.4.4).
std::vector<std::string> NamesOfCertificate(const X509* leaf);

// Whether the file can be read at all, said as "WHAT 'FILE' cannot be read: ...".
Status CheckReadable(const std::string& what, const std::string& file, const char* format = "PEM");

}  // namespace postern
