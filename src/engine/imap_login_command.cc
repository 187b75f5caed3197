#include "engine/imap_login_command.h"

#include <optional>
#include <string>
#include <utility>

#include "postern/imap/head.h"

namespace postern {
namespace {

bool Offers(const imap::CapabilitySet& known, Mechanism mechanism) {
  return known.Has("AUTH=" + std::string(MechanismName(mechanism)));
}

// LOGIN cannot say that one user speaks for another.
bool ForAnother(const Credentials& credentials) {
  return !credentials.authzid.empty() && credentials.authzid != credentials.user;
}

// The mechanism of AUTHENTICATE; none for LOGIN.
std::optional<Mechanism> MechanismFor(Mechanism mechanism, bool for_another,
                                      const imap::CapabilitySet& known) {
  if (IsOauth(mechanism)) return mechanism;
  const bool preferred =
      mechanism == Mechanism::kPlain || for_another || known.Has("LOGINDISABLED");
  if (preferred && Offers(known, Mechanism::kPlain)) return Mechanism::kPlain;
  return {};
}

std::vector<Secret> Authenticate(std::string_view tag, const Credentials& credentials,
                                 Mechanism mechanism, const imap::CapabilitySet& known) {
  const Secret message = EncodeMessage(mechanism, credentials);
  std::vector<Secret> parts;
  parts.emplace_back(std::string(tag) + " AUTHENTICATE " + std::string(MechanismName(mechanism)));
  if (known.Has("SASL-IR")) {
    parts.back().Append(" ");
  } else {
    parts.back().Append("\r\n");
    parts.emplace_back();
  }
  parts.back().Append(message.Reveal());
  parts.back().Append("\r\n");
  return parts;
}

std::vector<Secret> Login(std::string_view tag, const Credentials& credentials) {
  std::vector<Secret> parts;
  parts.emplace_back(std::string(tag) + " LOGIN");
  for (const std::string_view field : {credentials.login_name(), credentials.password.Reveal()}) {
    parts.back().Append(" ");
    if (std::optional<std::string> quoted = imap::Quote(field)) {
      parts.back().Append(*quoted);
      Wipe(*quoted);
      continue;
    }
    parts.back().Append("{" + std::to_string(field.size()) + "}\r\n");
    parts.emplace_back(field);
  }
  parts.back().Append("\r\n");
  return parts;
}

}  // namespace

ImapLoginCommand MakeImapLogin(std::string_view tag, const Credentials& credentials,
                               Mechanism mechanism, const imap::CapabilitySet& known) {
  using Way = ImapLoginCommand::Way;
  if (IsOauth(mechanism) && !Offers(known, mechanism)) return {Way::kNoMechanism, {}};
  const bool for_another = ForAnother(credentials);
  if (const std::optional<Mechanism> chosen = MechanismFor(mechanism, for_another, known)) {
    return {Way::kFound, Authenticate(tag, credentials, *chosen, known)};
  }
  if (for_another || known.Has("LOGINDISABLED")) return {};
  return {Way::kFound, Login(tag, credentials)};
}

}  // namespace postern
