#include "net/tls_verify.h"

#include <arpa/inet.h>

#include <algorithm>
#include <string_view>

#include "net/tls_certificate.h"
#include "postern/base/check.h"
#include "postern/base/text.h"

namespace postern {
namespace {

// So many names of a certificate are said in an error.
constexpr std::size_t kNamesSaid = 4;

std::string Digest(const std::uint8_t* bytes, std::size_t size) {
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(bytes, size, reinterpret_cast<std::uint8_t*>(digest.data()));
  return digest;
}

std::string KeyDigest(const X509* leaf) {
  std::uint8_t* der = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(leaf), &der);
  if (size <= 0) return {};
  const std::string digest = Digest(der, static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return digest;
}

Status CheckPin(const TlsVerifier& verifier, const X509* leaf, const CRYPTO_BUFFER* der) {
  const std::string key = KeyDigest(leaf);
  const std::string whole = Digest(CRYPTO_BUFFER_data(der), CRYPTO_BUFFER_len(der));
  for (const std::string& pin : verifier.pins) {
    if (pin == key || pin == whole) return {};
  }
  return Status::Error("certificate has none of the pins; that of its key is sha256//" +
                       Base64Encode(key));
}

// What the certificate is for, as far as it is not the very name: a common name does not count.
std::string NamesText(const X509* leaf, const std::string& name) {
  const std::vector<std::string> names = NamesOfCertificate(leaf);
  if (std::find(names.begin(), names.end(), ToLower(name)) != names.end()) {
    return "that name only by its common name, without subjectAltName";
  }
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), kNamesSaid); ++i) {
    text += (i == 0 ? "" : ", ") + names[i];
  }
  if (names.size() > kNamesSaid) text += ", ...";
  return text.empty() ? "no name" : text;
}

// RFC 9525: subjectAltName only; a numeric address must stand in it as such.
Status CheckName(X509* leaf, const std::string& name) {
  if (name.empty()) return Status::Error("no name is known that the certificate must be for");
  const bool right = IsNumericHost(name)
                         ? X509_check_ip_asc(leaf, name.c_str(), 0) == 1
                         : X509_check_host(leaf, name.data(), name.size(),
                                           X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, nullptr) == 1;
  if (right) return {};
  return Status::Error("certificate is for " + NamesText(leaf, name) + ", not " + name);
}

struct Trouble {
  const char* text;
  std::uint8_t alert;
};

Trouble TroubleOf(int error) {
  switch (error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return {"certificate has expired", SSL_AD_CERTIFICATE_EXPIRED};
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return {"certificate is not yet valid", SSL_AD_CERTIFICATE_EXPIRED};
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
      return {"certificate is self-signed and neither trusted nor pinned", SSL_AD_UNKNOWN_CA};
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
      return {"certificate's root is not trusted", SSL_AD_UNKNOWN_CA};
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return {"certificate's issuer is not trusted, or an intermediate certificate is missing",
              SSL_AD_UNKNOWN_CA};
    case X509_V_ERR_INVALID_PURPOSE:
      return {"certificate is not one for servers (extended key usage)",
              SSL_AD_UNSUPPORTED_CERTIFICATE};
    default:
      return {X509_verify_cert_error_string(error), SSL_AD_BAD_CERTIFICATE};
  }
}

Status CheckTrust(const TlsVerifier& verifier, X509* leaf, STACK_OF(X509) * others,
                  std::uint8_t* alert) {
  const bssl::UniquePtr<X509_STORE_CTX> context(X509_STORE_CTX_new());
  POSTERN_CHECK(context != nullptr);
  POSTERN_CHECK(X509_STORE_CTX_init(context.get(), verifier.trusted.get(), leaf, others) == 1);
  POSTERN_CHECK(X509_STORE_CTX_set_default(context.get(), "ssl_server") == 1);
  // An operator's file may hold the certificate itself or an intermediate one.
  if (verifier.own_roots) {
    X509_VERIFY_PARAM_set_flags(X509_STORE_CTX_get0_param(context.get()),
                                X509_V_FLAG_PARTIAL_CHAIN);
  }
  const bool trusted = X509_verify_cert(context.get()) == 1;
  const Trouble trouble = TroubleOf(X509_STORE_CTX_get_error(context.get()));
  ERR_clear_error();
  if (trusted) return {};
  *alert = trouble.alert;
  return Status::Error(trouble.text);
}

}  // namespace

bool IsNumericHost(const std::string& host) {
  in6_addr address;
  return inet_pton(AF_INET, host.c_str(), &address) == 1 ||
         inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

Status VerifyChain(const TlsVerifier& verifier, const STACK_OF(CRYPTO_BUFFER) * chain,
                   const std::string& name, std::uint8_t* alert) {
  if (verifier.verify == ClientTlsSettings::Verify::kNone) return {};
  *alert = SSL_AD_BAD_CERTIFICATE;
  const bssl::UniquePtr<STACK_OF(X509)> others(sk_X509_new_null());
  bssl::UniquePtr<X509> leaf;
  for (std::size_t i = 0; chain != nullptr && i < sk_CRYPTO_BUFFER_num(chain); ++i) {
    bssl::UniquePtr<X509> one(X509_parse_from_buffer(sk_CRYPTO_BUFFER_value(chain, i)));
    if (one == nullptr) {
      ERR_clear_error();
      return Status::Error("certificate cannot be parsed");
    }
    if (i == 0) {
      leaf = std::move(one);
    } else {
      bssl::PushToStack(others.get(), std::move(one));
    }
  }
  if (leaf == nullptr) return Status::Error("no certificate was sent");
  if (verifier.verify == ClientTlsSettings::Verify::kPin) {
    return CheckPin(verifier, leaf.get(), sk_CRYPTO_BUFFER_value(chain, 0));
  }
  const Status status = CheckTrust(verifier, leaf.get(), others.get(), alert);
  return status.ok() ? CheckName(leaf.get(), name) : status;
}

}  // namespace postern
