#include "unit/net/identity_fixture.h"

#include "postern/base/check.h"

namespace postern {
namespace {

std::string Contents(BIO* bio) {
  const std::uint8_t* bytes = nullptr;
  std::size_t size = 0;
  POSTERN_CHECK(BIO_mem_contents(bio, &bytes, &size) == 1);
  return std::string(reinterpret_cast<const char*>(bytes), size);
}

int AlgorithmOf(KeyKind kind) {
  switch (kind) {
    case KeyKind::kP256:
    case KeyKind::kP384:
      return EVP_PKEY_EC;
    case KeyKind::kEd25519:
      return EVP_PKEY_ED25519;
    case KeyKind::kRsa2048:
      return EVP_PKEY_RSA;
  }
  return EVP_PKEY_NONE;
}

bssl::UniquePtr<EVP_PKEY> MakeKey(KeyKind kind) {
  const int algorithm = AlgorithmOf(kind);
  bssl::UniquePtr<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new_id(algorithm, nullptr));
  POSTERN_CHECK(EVP_PKEY_keygen_init(context.get()) == 1);
  if (algorithm == EVP_PKEY_EC) {
    const int curve = kind == KeyKind::kP256 ? NID_X9_62_prime256v1 : NID_secp384r1;
    POSTERN_CHECK(EVP_PKEY_CTX_set_ec_paramgen_curve_nid(context.get(), curve) == 1);
  } else if (algorithm == EVP_PKEY_RSA) {
    POSTERN_CHECK(EVP_PKEY_CTX_set_rsa_keygen_bits(context.get(), 2048) == 1);
  }
  EVP_PKEY* key = nullptr;
  POSTERN_CHECK(EVP_PKEY_keygen(context.get(), &key) == 1);
  return bssl::UniquePtr<EVP_PKEY>(key);
}

void AddExtension(X509* leaf, int kind, const std::string& value) {
  if (value.empty()) return;
  const bssl::UniquePtr<X509_EXTENSION> extension(
      X509V3_EXT_nconf_nid(nullptr, nullptr, kind, value.c_str()));
  POSTERN_CHECK(extension != nullptr);
  POSTERN_CHECK(X509_add_ext(leaf, extension.get(), -1) == 1);
}

void Describe(X509* leaf, const IdentitySpec& spec) {
  static long serial = 0;
  X509_set_version(leaf, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(leaf), ++serial);
  ASN1_TIME_set(X509_getm_notBefore(leaf), spec.not_before);
  ASN1_TIME_set(X509_getm_notAfter(leaf), spec.not_after);
  if (!spec.common_name.empty()) {
    const auto* text = reinterpret_cast<const std::uint8_t*>(spec.common_name.c_str());
    X509_NAME_add_entry_by_txt(X509_get_subject_name(leaf), "CN", MBSTRING_ASC, text, -1, -1, 0);
  }
  AddExtension(leaf, NID_basic_constraints, spec.authority ? "critical,CA:TRUE" : "");
  AddExtension(leaf, NID_subject_alt_name, spec.names);
  AddExtension(leaf, NID_ext_key_usage, spec.usage);
}

}  // namespace

bssl::UniquePtr<X509> LeafOf(const Identity& identity) {
  const bssl::UniquePtr<BIO> bio(
      BIO_new_mem_buf(identity.chain.data(), static_cast<int>(identity.chain.size())));
  return bssl::UniquePtr<X509>(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
}

bssl::UniquePtr<EVP_PKEY> KeyOf(const Identity& identity) {
  const bssl::UniquePtr<BIO> bio(
      BIO_new_mem_buf(identity.key.data(), static_cast<int>(identity.key.size())));
  return bssl::UniquePtr<EVP_PKEY>(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
}

Identity MakeIdentity(const IdentitySpec& spec) {
  const bssl::UniquePtr<EVP_PKEY> key = MakeKey(spec.kind);
  const bssl::UniquePtr<X509> leaf(X509_new());
  Describe(leaf.get(), spec);
  X509_set_pubkey(leaf.get(), key.get());
  bssl::UniquePtr<EVP_PKEY> signer = bssl::UpRef(key);
  if (spec.issuer != nullptr) {
    signer = KeyOf(*spec.issuer);
    X509_set_issuer_name(leaf.get(), X509_get_subject_name(LeafOf(*spec.issuer).get()));
  } else {
    X509_set_issuer_name(leaf.get(), X509_get_subject_name(leaf.get()));
  }
  const bool hashed = EVP_PKEY_id(signer.get()) != EVP_PKEY_ED25519;
  POSTERN_CHECK(X509_sign(leaf.get(), signer.get(), hashed ? EVP_sha256() : nullptr) > 0);

  const bssl::UniquePtr<BIO> chain_pem(BIO_new(BIO_s_mem()));
  const bssl::UniquePtr<BIO> key_pem(BIO_new(BIO_s_mem()));
  POSTERN_CHECK(PEM_write_bio_X509(chain_pem.get(), leaf.get()) == 1);
  POSTERN_CHECK(PEM_write_bio_PrivateKey(key_pem.get(), key.get(), nullptr, nullptr, 0, nullptr,
                                         nullptr) == 1);
  return {Contents(chain_pem.get()), Contents(key_pem.get())};
}

}  // namespace postern
