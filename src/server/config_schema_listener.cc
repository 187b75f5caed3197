// The rows of what faces the clients: [[listener]], [[certificate]], [tls].
#include <fmt/format.h>

#include "postern/base/text.h"
#include "server/config_schema.h"

namespace postern {
namespace {

std::string_view ListenerTlsText(ListenerTls tls) {
  switch (tls) {
    case ListenerTls::kImplicit:
      return "implicit";
    case ListenerTls::kStarttls:
      return "starttls";
    case ListenerTls::kRefuse:
      return "refuse";
    case ListenerTls::kNone:
      return "none";
  }
  return {};
}

std::string_view VersionText(ServerTlsSettings::Version version) {
  switch (version) {
    case ServerTlsSettings::Version::k10:
      return "1.0";
    case ServerTlsSettings::Version::k11:
      return "1.1";
    case ServerTlsSettings::Version::k12:
      return "1.2";
    case ServerTlsSettings::Version::k13:
      return "1.3";
  }
  return {};
}

void ReadNetworks(Value& value, std::vector<Network>& out) {
  std::vector<Network> networks;
  const bool good = value.Each("a network", false, [&](const std::string& text) -> Status {
    const Result<Network> network = Network::Parse(text);
    if (!network.ok()) return network.error();
    networks.push_back(network.value());
    return {};
  });
  if (good) out = std::move(networks);
}

std::string NetworksText(const std::vector<Network>& networks) {
  std::vector<std::string> texts;
  for (const Network& network : networks) texts.push_back(network.Text());
  return ListText(texts);
}

std::string MechanismHint(const std::string& text) {
  std::vector<std::string_view> known;
  for (const Mechanism mechanism : kSaslMechanisms) known.push_back(MechanismName(mechanism));
  const std::string_view near = NearestName(ToUpper(text), known);
  if (!near.empty()) return fmt::format("not a mechanism; did you mean \"{}\"?", near);
  return fmt::format("not a mechanism; known are {}", fmt::join(known, ", "));
}

void ReadMechanisms(Value& value, MechanismSet& out) {
  MechanismSet mechanisms;
  const bool good = value.Each("a mechanism", false, [&](const std::string& text) -> Status {
    const auto mechanism = SaslMechanismOf(text);
    if (!mechanism) return Status::Error(MechanismHint(text));
    mechanisms.Add(*mechanism);
    return {};
  });
  if (!good) return;
  if (mechanisms.empty()) {
    return value.Reject("is empty, and nobody could log in; name some or leave the key out");
  }
  out = mechanisms;
}

std::string MechanismsText(MechanismSet mechanisms) {
  std::vector<std::string> texts;
  for (const Mechanism mechanism : kSaslMechanisms) {
    if (mechanisms.Has(mechanism)) texts.emplace_back(MechanismName(mechanism));
  }
  return ListText(texts);
}

// clang-format off
constexpr Key kKeys[] = {
  {"listener", "name", kName, "", "its name in metrics and logs", true,
   [](Value& v, Target& t) { v.Name(t.listener->name); },
   [](const Target& t) { return TomlQuote(t.listener->name); }},
  {"listener", "protocol", "imap or pop3", "", "what is spoken there", true,
   [](Value& v, Target& t) { v.Choice({"imap", "pop3"}, t.listener->protocol); },
   [](const Target& t) {
     return TomlQuote(ProtocolName(t.listener->protocol));
   }},
  {"listener", "address", kAddress, "", "numeric; [::]:993 is IPv6 only; port 0 takes a free one", true,
   [](Value& v, Target& t) { v.Endpoint(t.listener->address); },
   [](const Target& t) { return TomlQuote(t.listener->address.Text()); }},
  {"listener", "tls", "implicit, starttls, refuse or none", "\"implicit\"",
   "from the first byte; by STARTTLS or STLS, no login before; every login is told to use TLS; plain text for trusted",
   false,
   [](Value& v, Target& t) { v.Choice({"implicit", "starttls", "refuse", "none"}, t.listener->tls); },
   [](const Target& t) { return TomlQuote(ListenerTlsText(t.listener->tls)); }},
  {"listener", "trusted", kNetworks, "[]",
   "webmails and inner proxies: may use tls = \"none\", may state the client's address by ID or XCLIENT", false,
   [](Value& v, Target& t) { ReadNetworks(v, t.listener->trusted); },
   [](const Target& t) { return NetworksText(t.listener->trusted); }},
  {"listener", "proxy", kNetworks, "[]",
   "must send a PROXY v1 or v2 header; all others must not, and are served without it", false,
   [](Value& v, Target& t) { ReadNetworks(v, t.listener->proxy); },
   [](const Target& t) { return NetworksText(t.listener->proxy); }},
  {"listener", "mechanisms", "list of mechanisms", "[\"PLAIN\", \"LOGIN\", \"XOAUTH2\", \"OAUTHBEARER\"]",
   "ways to log in; IMAP's LOGIN and POP3's USER go with PLAIN or LOGIN", false,
   [](Value& v, Target& t) { ReadMechanisms(v, t.listener->mechanisms); },
   [](const Target& t) { return MechanismsText(t.listener->mechanisms); }},
  {"listener", "strict_sni", kFlag, "false", "refuse clients that name a host no certificate is for", false,
   [](Value& v, Target& t) { v.Flag(t.listener->strict_sni); },
   [](const Target& t) { return FlagText(t.listener->strict_sni); }},

  {"certificate", "chain", kPath, "", "PEM, leaf first; relative to this file", true,
   [](Value& v, Target& t) { v.Path(t.certificate->chain); },
   [](const Target& t) { return TomlQuote(t.certificate->chain); }},
  {"certificate", "key", kPath, "", "PEM; RSA and ECDSA of one name may stand side by side", true,
   [](Value& v, Target& t) { v.Path(t.certificate->key); },
   [](const Target& t) { return TomlQuote(t.certificate->key); }},
  {"certificate", "ocsp", kPath, "", "DER; an OCSP response to staple", false,
   [](Value& v, Target& t) { v.Path(t.certificate->ocsp); },
   [](const Target& t) { return OptionalText(t.certificate->ocsp); }},

  {"tls", "minimum", "1.0, 1.1, 1.2 or 1.3", "\"1.2\"",
   "the oldest version that clients may speak; below 1.2 only with allow_obsolete", false,
   [](Value& v, Target& t) { v.Choice({"1.0", "1.1", "1.2", "1.3"}, t.config.minimum_tls); },
   [](const Target& t) { return TomlQuote(VersionText(t.config.minimum_tls)); }},
  {"tls", "allow_obsolete", kFlag, "false", "TLS 1.0 and 1.1, to measure who still needs them", false,
   [](Value& v, Target& t) { v.Flag(t.config.allow_obsolete_tls); },
   [](const Target& t) { return FlagText(t.config.allow_obsolete_tls); }},
  {"tls", "ticket_keys", kPath, "", "secrets for session tickets, shared by several machines", false,
   [](Value& v, Target& t) { v.Path(t.config.ticket_keys); },
   [](const Target& t) { return OptionalText(t.config.ticket_keys); }},
};
// clang-format on

}  // namespace

std::span<const Key> ListenerKeys() { return kKeys; }

}  // namespace postern
