// Mechanism: how a client proves who it is; at once the configuration's value, the metric label and
// the log field. DESIGN 1.2 (mechanisms), 1.4, 2.15.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>

namespace postern {

enum class Mechanism : std::uint8_t {
  kLogin,        // IMAP LOGIN, and SASL LOGIN of both protocols
  kPlain,        // SASL PLAIN (RFC 4616)
  kXoauth2,      // SASL XOAUTH2 (as Google documents it)
  kOauthbearer,  // SASL OAUTHBEARER (RFC 7628)
  kUser,         // POP3 USER and PASS; no SASL mechanism
};
inline constexpr std::size_t kMechanismCount = 5;

// "LOGIN", "PLAIN", "XOAUTH2", "OAUTHBEARER", "USER".
std::string_view MechanismName(Mechanism mechanism);
// A SASL mechanism by its name, in any case; USER is none.
std::optional<Mechanism> SaslMechanismOf(std::string_view name);
// The two whose secret is a token and not a password.
constexpr bool IsOauth(Mechanism mechanism) {
  return mechanism == Mechanism::kXoauth2 || mechanism == Mechanism::kOauthbearer;
}

// A set of SASL mechanisms. A value.
class MechanismSet {
 public:
  constexpr MechanismSet() = default;
  constexpr MechanismSet(std::initializer_list<Mechanism> mechanisms) {
    for (const Mechanism mechanism : mechanisms) Add(mechanism);
  }
  constexpr void Add(Mechanism mechanism) { bits_ |= Bit(mechanism); }
  constexpr bool Has(Mechanism mechanism) const { return (bits_ & Bit(mechanism)) != 0; }
  constexpr bool empty() const { return bits_ == 0; }
  // Passwords are taken by the protocol's own commands too (IMAP LOGIN, POP3 USER) where a
  // mechanism for passwords is offered.
  constexpr bool passwords() const { return Has(Mechanism::kPlain) || Has(Mechanism::kLogin); }
  constexpr bool operator==(const MechanismSet&) const = default;

 private:
  static constexpr std::uint8_t Bit(Mechanism mechanism) {
    return static_cast<std::uint8_t>(1u << static_cast<unsigned>(mechanism));
  }
  std::uint8_t bits_ = 0;
};

// In the order in which they are listed to clients.
inline constexpr Mechanism kSaslMechanisms[] = {Mechanism::kPlain, Mechanism::kLogin,
                                                Mechanism::kXoauth2, Mechanism::kOauthbearer};
inline constexpr MechanismSet kAllMechanisms{Mechanism::kPlain, Mechanism::kLogin,
                                             Mechanism::kXoauth2, Mechanism::kOauthbearer};

}  // namespace postern
