#include "engine/imap_offer.h"

#include "postern/imap/capability.h"

namespace postern {

using imap::CommandKind;

ImapOffer::ImapOffer(const ListenerPlan& listener, const ClientFacts& client)
    : tls_(listener.tls),
      secure_(client.secure),
      needs_tls_(!client.secure && !(listener.tls == ListenerTls::kNone && client.trusted)),
      mechanisms_(listener.mechanisms) {}

std::optional<Trouble> ImapOffer::Refusal(CommandKind kind) const {
  if (kind != CommandKind::kLogin && kind != CommandKind::kAuthenticate) return {};
  if (needs_tls_) return Trouble::kTlsRequired;
  if (kind == CommandKind::kLogin && !mechanisms_.passwords()) return Trouble::kMechanism;
  return {};
}

std::string_view ImapOffer::Advice() const {
  if (starttls()) return "use STARTTLS before you log in";
  if (needs_tls_) return "nobody logs in here without TLS: use TLS, mostly on port 993";
  return "this way to log in is not offered";
}

std::string ImapOffer::Capabilities(const CommonOffer& common) const {
  std::string names = "IMAP4rev1 LITERAL+ SASL-IR ID";
  if (starttls()) names += " STARTTLS";
  if (needs_tls_ || !mechanisms_.passwords()) names += " LOGINDISABLED";
  for (const Mechanism mechanism : kSaslMechanisms) {
    if (!needs_tls_ && Has(mechanism)) names.append(" AUTH=").append(MechanismName(mechanism));
  }
  if (common.imap.empty()) return names;
  const imap::CapabilitySet ours = imap::CapabilitySet::Parse(names);
  for (const std::string& name : common.imap) {
    if (imap::MayPass(name) && !ours.Has(name)) names.append(" ").append(name);
  }
  return names;
}

imap::CommandSet ImapOffer::Commands() const {
  imap::CommandSet set;
  for (const CommandKind kind :
       {CommandKind::kCapability, CommandKind::kNoop, CommandKind::kLogout, CommandKind::kId,
        CommandKind::kLogin, CommandKind::kAuthenticate}) {
    set.set(static_cast<std::size_t>(kind));
  }
  set.set(static_cast<std::size_t>(CommandKind::kStarttls), starttls());
  return set;
}

}  // namespace postern
