// Certificates made on the spot for tests: self-signed or issued by another.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "net/boringssl.h"

namespace postern {

inline constexpr std::int64_t kNotAfter = 4'102'444'800;  // 2100-01-01

enum class KeyKind { kP256, kP384, kEd25519, kRsa2048 };

struct Identity {
  std::string chain;  // PEM
  std::string key;    // PEM
};

struct IdentitySpec {
  KeyKind kind = KeyKind::kP256;
  std::string common_name = "mail.example";
  std::string names;  // subjectAltName as "DNS:a,IP:127.0.0.1"; empty: none
  std::string usage;  // extended key usage, "serverAuth"; empty: none
  bool authority = false;
  std::int64_t not_before = 0;
  std::int64_t not_after = kNotAfter;
  const Identity* issuer = nullptr;  // null: itself
};

Identity MakeIdentity(const IdentitySpec& spec);
inline Identity MakeIdentity(KeyKind kind) {
  IdentitySpec spec;
  spec.kind = kind;
  return MakeIdentity(spec);
}

// Of a PEM.
bssl::UniquePtr<X509> LeafOf(const Identity& identity);
// The private and public key of a PEM.
bssl::UniquePtr<EVP_PKEY> KeyOf(const Identity& identity);

}  // namespace postern
