#include "net/tls_certificate.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>

#include "net/tls_error.h"
#include "postern/base/check.h"
#include "postern/base/text.h"

namespace postern {
namespace {

struct NamesFree {
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};

std::string_view TextOf(const ASN1_STRING* text) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
          static_cast<std::size_t>(ASN1_STRING_length(text))};
}

// The name of an old certificate, which has no subjectAltName.
std::string CommonName(const X509* leaf) {
  const X509_NAME* subject = X509_get_subject_name(leaf);
  const int place = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (place < 0) return {};
  return ToLower(TextOf(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, place))));
}

std::optional<std::int64_t> EndOf(const X509* leaf) {
  const bssl::UniquePtr<ASN1_TIME> epoch(ASN1_TIME_set(nullptr, 0));
  int days = 0;
  int seconds = 0;
  if (ASN1_TIME_diff(&days, &seconds, epoch.get(), X509_get0_notAfter(leaf)) != 1) return {};
  return std::int64_t{days} * 86'400 + seconds;
}

std::optional<TlsCertificate::Kind> KindOf(const EVP_PKEY* key) {
  const int type = EVP_PKEY_id(key);
  if (type == EVP_PKEY_RSA) return TlsCertificate::Kind::kRsa;
  if (type == EVP_PKEY_ED25519) return TlsCertificate::Kind::kEd25519;
  if (type != EVP_PKEY_EC) return {};
  const int curve = EC_GROUP_get_curve_name(EC_KEY_get0_group(EVP_PKEY_get0_EC_KEY(key)));
  if (curve == NID_X9_62_prime256v1) return TlsCertificate::Kind::kP256;
  if (curve == NID_secp384r1) return TlsCertificate::Kind::kP384;
  return {};
}

// The certificates of a PEM file, none when it is not one; BoringSSL's error queue says why.
std::vector<bssl::UniquePtr<X509>> ReadPem(const std::string& file) {
  std::vector<bssl::UniquePtr<X509>> chain;
  const bssl::UniquePtr<BIO> bio(BIO_new_file(file.c_str(), "rb"));
  while (bio != nullptr) {
    bssl::UniquePtr<X509> next(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
    if (next == nullptr) break;
    chain.push_back(std::move(next));
  }
  const std::uint32_t last = ERR_peek_last_error();
  const bool at_end =
      ERR_GET_LIB(last) == ERR_LIB_PEM && ERR_GET_REASON(last) == PEM_R_NO_START_LINE;
  if (!chain.empty() && at_end) {
    ERR_clear_error();
  } else {
    chain.clear();
  }
  return chain;
}

Status ReadChain(const std::string& file, TlsCertificate& certificate,
                 bssl::UniquePtr<X509>& leaf) {
  Status status = CheckReadable("certificate chain", file);
  if (!status.ok()) return status;
  ERR_clear_error();
  std::vector<bssl::UniquePtr<X509>> chain = ReadPem(file);
  if (chain.empty()) {
    return Status::Error("certificate chain '" + file + "' is not usable (" + TlsErrorText() +
                         "); it must hold PEM certificates, the server's own first");
  }
  for (const bssl::UniquePtr<X509>& one : chain) {
    std::uint8_t* der = nullptr;
    const int size = i2d_X509(one.get(), &der);
    POSTERN_CHECK(size > 0);
    certificate.owned.emplace_back(CRYPTO_BUFFER_new(der, static_cast<std::size_t>(size), nullptr));
    OPENSSL_free(der);
    certificate.chain.push_back(certificate.owned.back().get());
  }
  leaf = std::move(chain.front());
  const std::optional<std::int64_t> end = EndOf(leaf.get());
  if (!end) return Status::Error("certificate chain '" + file + "' has no readable date of expiry");
  certificate.facts.not_after = *end;
  certificate.facts.names = NamesOfCertificate(leaf.get());
  return {};
}

// Never asks for a password at a terminal.
int NoPassword(char*, int, int, void*) noexcept { return -1; }

Status ReadKey(const CertificateFiles& files, X509* leaf, TlsCertificate& certificate) {
  Status status = CheckReadable("private key", files.key);
  if (!status.ok()) return status;
  ERR_clear_error();
  const bssl::UniquePtr<BIO> bio(BIO_new_file(files.key.c_str(), "rb"));
  certificate.key.reset(bio ? PEM_read_bio_PrivateKey(bio.get(), nullptr, NoPassword, nullptr)
                            : nullptr);
  if (certificate.key == nullptr) {
    return Status::Error("private key '" + files.key + "' is not usable (" + TlsErrorText() +
                         "); it must be a PEM private key without a password");
  }
  const std::optional<TlsCertificate::Kind> kind = KindOf(certificate.key.get());
  if (!kind) {
    return Status::Error("private key '" + files.key +
                         "' is of a kind that TLS cannot use; take an ECDSA "
                         "P-256 or an RSA key");
  }
  certificate.kind = *kind;
  if (X509_check_private_key(leaf, certificate.key.get()) == 1) return {};
  ERR_clear_error();
  return Status::Error("private key '" + files.key +
                       "' does not belong to the first certificate of '" + files.chain +
                       "'; give the key of that certificate and put it first");
}

// The outermost of an OCSPResponse (RFC 6960 §4.2.1): a sequence that begins with "successful".
bool IsGoodResponse(std::string_view der) {
  CBS input;
  CBS response;
  CBS status;
  CBS_init(&input, reinterpret_cast<const std::uint8_t*>(der.data()), der.size());
  if (CBS_get_asn1(&input, &response, CBS_ASN1_SEQUENCE) != 1 || CBS_len(&input) != 0) return false;
  if (CBS_get_asn1(&response, &status, CBS_ASN1_ENUMERATED) != 1) return false;
  const bool successful = CBS_len(&status) == 1 && *CBS_data(&status) == 0;
  return successful && CBS_len(&response) > 0;
}

Status ReadStaple(const std::string& file, TlsCertificate& certificate) {
  Status status = CheckReadable("OCSP staple", file, "DER");
  if (!status.ok()) return status;
  std::FILE* opened = std::fopen(file.c_str(), "rbe");
  if (opened == nullptr) return Status::Error("OCSP staple '" + file + "' cannot be read");
  char buffer[4096];
  while (const std::size_t size = std::fread(buffer, 1, sizeof buffer, opened)) {
    certificate.staple.append(buffer, size);
  }
  std::fclose(opened);
  certificate.facts.staple = true;
  if (IsGoodResponse(certificate.staple)) return {};
  return Status::Error("OCSP staple '" + file +
                       "' is not usable; it must be the DER of a successful OCSP response");
}

}  // namespace

std::vector<std::string> NamesOfCertificate(const X509* leaf) {
  std::vector<std::string> found;
  const std::unique_ptr<GENERAL_NAMES, NamesFree> names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(leaf, NID_subject_alt_name, nullptr, nullptr)));
  for (std::size_t i = 0; names != nullptr && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_DNS) found.push_back(ToLower(TextOf(name->d.dNSName)));
  }
  if (found.empty()) found.push_back(CommonName(leaf));
  if (found.back().empty()) found.pop_back();
  ERR_clear_error();
  return found;
}

Status CheckReadable(const std::string& what, const std::string& file, const char* format) {
  std::FILE* opened = std::fopen(file.c_str(), "rbe");
  if (opened == nullptr) {
    return Status::Error(what + " '" + file + "' cannot be read: " + std::strerror(errno) +
                         "; give the path of a " + format + " file that this process may read");
  }
  // A folder opens but does not read.
  char byte;
  const bool readable = std::fread(&byte, 1, 1, opened) == 1;
  std::fclose(opened);
  if (readable) return {};
  return Status::Error(what + " '" + file + "' is empty or not a file; give the path of a " +
                       format + " file");
}

Result<TlsCertificate> ReadCertificate(const CertificateFiles& files) {
  TlsCertificate certificate;
  bssl::UniquePtr<X509> leaf;
  Status status = ReadChain(files.chain, certificate, leaf);
  if (status.ok()) status = ReadKey(files, leaf.get(), certificate);
  if (status.ok() && !files.ocsp.empty()) status = ReadStaple(files.ocsp, certificate);
  if (!status.ok()) return status;
  return certificate;
}

CertificateList::CertificateList(std::vector<TlsCertificate> certificates)
    : certificates_(std::move(certificates)) {
  for (const TlsCertificate& one : certificates_) {
    if (one.kind == TlsCertificate::Kind::kRsa) signer_ = TlsSigner::Get();
    for (const std::string& name : one.facts.names) {
      Group& group = by_name_[name];
      // A certificate may repeat a name.
      if (group.empty() || group.back() != &one) group.push_back(&one);
    }
  }
  const std::vector<std::string>& names = certificates_.front().facts.names;
  default_ = names.empty() ? Group{&certificates_.front()} : by_name_[names.front()];
}

const CertificateList::Group* CertificateList::Named(const std::string& name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : &found->second;
}

Result<std::shared_ptr<const CertificateSet>> CertificateSet::Load(
    const std::vector<CertificateFiles>& files, std::size_t* index) {
  std::vector<TlsCertificate> certificates;
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (index != nullptr) *index = i;
    Result<TlsCertificate> read = ReadCertificate(files[i]);
    if (!read.ok()) return read.error();
    certificates.push_back(std::move(read.value()));
  }
  if (certificates.empty()) {
    return Status::Error("there is no certificate; give at least one chain with its key");
  }
  return std::shared_ptr<const CertificateSet>(
      std::make_shared<CertificateList>(std::move(certificates)));
}

}  // namespace postern
