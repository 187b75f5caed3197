#include "postern/base/mechanism.h"

#include <array>

#include "postern/base/text.h"

namespace postern {
namespace {

constexpr std::array<std::string_view, kMechanismCount> kNames{"LOGIN", "PLAIN", "XOAUTH2",
                                                               "OAUTHBEARER", "USER"};

}  // namespace

std::string_view MechanismName(Mechanism mechanism) {
  return kNames[static_cast<std::size_t>(mechanism)];
}

std::optional<Mechanism> SaslMechanismOf(std::string_view name) {
  for (const Mechanism mechanism : kSaslMechanisms) {
    if (EqualsNoCase(name, MechanismName(mechanism))) return mechanism;
  }
  return {};
}

}  // namespace postern
