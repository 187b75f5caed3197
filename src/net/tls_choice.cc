#include "net/tls_choice.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "postern/base/text.h"

namespace postern {
namespace {

using Kind = TlsCertificate::Kind;

// A list of 16-bit numbers in the ClientHello.
class Numbers {
 public:
  Numbers() = default;
  Numbers(const std::uint8_t* data, std::size_t size)
      : data_(data), size_(size & ~std::size_t{1}) {}
  // Of an extension that is such a list behind its length.
  static Numbers OfExtension(const SSL_CLIENT_HELLO& hello, std::uint16_t type, bool short_length) {
    const std::uint8_t* data = nullptr;
    std::size_t size = 0;
    const std::size_t skip = short_length ? 1 : 2;
    if (SSL_early_callback_ctx_extension_get(&hello, type, &data, &size) != 1 || size < skip) {
      return {};
    }
    return {data + skip, size - skip};
  }
  bool present() const { return data_ != nullptr; }
  bool Has(std::uint16_t number) const {
    for (std::size_t i = 0; i < size_; i += 2) {
      if ((data_[i] << 8 | data_[i + 1]) == number) return true;
    }
    return false;
  }
  template <typename List>
  bool HasOneOf(const List& list) const {
    return std::any_of(std::begin(list), std::end(list),
                       [this](std::uint16_t number) { return Has(number); });
  }

 private:
  const std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
};

// The suites of kCipherList by what signs them, those with CBC at the end.
constexpr std::array<std::uint16_t, 5> kEcdsaSuites = {0xc02b, 0xcca9, 0xc02c, 0xc009, 0xc00a};
constexpr std::array<std::uint16_t, 5> kRsaSuites = {0xc02f, 0xcca8, 0xc030, 0xc013, 0xc014};
constexpr std::array<std::uint16_t, 4> kEcdsaAnyCurve = {
    SSL_SIGN_ECDSA_SECP256R1_SHA256, SSL_SIGN_ECDSA_SECP384R1_SHA384,
    SSL_SIGN_ECDSA_SECP521R1_SHA512, SSL_SIGN_ECDSA_SHA1};
constexpr std::array<std::uint16_t, 3> kRsaPss = {
    SSL_SIGN_RSA_PSS_RSAE_SHA256, SSL_SIGN_RSA_PSS_RSAE_SHA384, SSL_SIGN_RSA_PSS_RSAE_SHA512};
constexpr std::array<std::uint16_t, 4> kRsaPkcs1 = {
    SSL_SIGN_RSA_PKCS1_SHA256, SSL_SIGN_RSA_PKCS1_SHA384, SSL_SIGN_RSA_PKCS1_SHA512,
    SSL_SIGN_RSA_PKCS1_SHA1};

// What a ClientHello can verify.
class Ability {
 public:
  explicit Ability(const SSL_CLIENT_HELLO& hello)
      : tls13_(
            Numbers::OfExtension(hello, TLSEXT_TYPE_supported_versions, true).Has(TLS1_3_VERSION)),
        suites_(hello.cipher_suites, hello.cipher_suites_len),
        schemes_(Numbers::OfExtension(hello, TLSEXT_TYPE_signature_algorithms, false)),
        groups_(Numbers::OfExtension(hello, TLSEXT_TYPE_supported_groups, false)) {}

  bool Verifies(Kind kind) const { return tls13_ ? Verifies13(kind) : Verifies12(kind); }

 private:
  // RFC 8446 §4.2.3: the scheme names the curve.
  bool Verifies13(Kind kind) const {
    switch (kind) {
      case Kind::kP256:
        return schemes_.Has(SSL_SIGN_ECDSA_SECP256R1_SHA256);
      case Kind::kP384:
        return schemes_.Has(SSL_SIGN_ECDSA_SECP384R1_SHA384);
      case Kind::kEd25519:
        return schemes_.Has(SSL_SIGN_ED25519);
      case Kind::kRsa:
        return schemes_.HasOneOf(kRsaPss);
    }
    return false;
  }
  // RFC 5246 §7.4.1.4.1: without the extension everything of the suite, with SHA-1. RFC 8422 §5.1:
  // the curve of the certificate is among the groups, if there are any.
  bool Verifies12(Kind kind) const {
    switch (kind) {
      case Kind::kP256:
        return VerifiesEcdsa(SSL_CURVE_SECP256R1);
      case Kind::kP384:
        return VerifiesEcdsa(SSL_CURVE_SECP384R1);
      case Kind::kEd25519:
        return suites_.HasOneOf(kEcdsaSuites) && schemes_.Has(SSL_SIGN_ED25519);
      case Kind::kRsa:
        return suites_.HasOneOf(kRsaSuites) &&
               (!schemes_.present() || schemes_.HasOneOf(kRsaPkcs1) || schemes_.HasOneOf(kRsaPss));
    }
    return false;
  }
  bool VerifiesEcdsa(std::uint16_t curve) const {
    return suites_.HasOneOf(kEcdsaSuites) &&
           (!schemes_.present() || schemes_.HasOneOf(kEcdsaAnyCurve)) &&
           (!groups_.present() || groups_.Has(curve));
  }

  const bool tls13_;
  const Numbers suites_;
  const Numbers schemes_;
  const Numbers groups_;
};

struct Groups {
  const CertificateList::Group* exact = nullptr;
  const CertificateList::Group* wildcard = nullptr;
};

Groups GroupsFor(const CertificateList& certificates, std::string_view host) {
  if (!host.empty() && host.back() == '.') host.remove_suffix(1);
  std::string name = ToLower(host);
  // A wildcard is no name to ask for.
  if (name.empty() || name.front() == '*') return {};
  Groups groups;
  groups.exact = certificates.Named(name);
  const std::size_t dot = name.find('.');
  if (dot != std::string::npos && dot > 0) {
    groups.wildcard = certificates.Named(name.replace(0, dot, "*"));
  }
  return groups;
}

const TlsCertificate* BestOf(const CertificateList::Group* group, const Ability& client) {
  const TlsCertificate* best = nullptr;
  if (group == nullptr) return best;
  for (const TlsCertificate* one : *group) {
    if (client.Verifies(one->kind) && (best == nullptr || one->kind < best->kind)) best = one;
  }
  return best;
}

}  // namespace

bool HasCertificateFor(const CertificateList& certificates, std::string_view host) {
  const Groups groups = GroupsFor(certificates, host);
  return groups.exact != nullptr || groups.wildcard != nullptr;
}

const TlsCertificate* ChooseCertificate(const CertificateList& certificates,
                                        const SSL_CLIENT_HELLO& hello) {
  const char* asked = SSL_get_servername(hello.ssl, TLSEXT_NAMETYPE_host_name);
  Groups groups = GroupsFor(certificates, asked == nullptr ? std::string_view() : asked);
  if (groups.exact == nullptr) groups.exact = std::exchange(groups.wildcard, nullptr);
  if (groups.exact == nullptr) groups.exact = &certificates.Default();
  const Ability client(hello);
  const TlsCertificate* best = BestOf(groups.exact, client);
  if (best == nullptr) best = BestOf(groups.wildcard, client);
  return best == nullptr ? groups.exact->front() : best;
}

}  // namespace postern
