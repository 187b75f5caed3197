// The rows of what faces the backends: [[pool]], [pool.master], [pool.probe], [[pool.backend]].
#include <fmt/format.h>

#include <algorithm>

#include "postern/base/text.h"
#include "postern/imap/command.h"
#include "server/config_schema.h"

namespace postern {
namespace {

std::string_view PoolTlsText(PoolTls tls) {
  switch (tls) {
    case PoolTls::kNone:
      return "none";
    case PoolTls::kStarttls:
      return "starttls";
    case PoolTls::kImplicit:
      return "implicit";
  }
  return {};
}

std::string_view VerifyText(ClientTlsSettings::Verify verify) {
  switch (verify) {
    case ClientTlsSettings::Verify::kFull:
      return "full";
    case ClientTlsSettings::Verify::kPin:
      return "pin";
    case ClientTlsSettings::Verify::kNone:
      return "none";
  }
  return {};
}

void ReadPins(Value& value, std::vector<std::string>& out) {
  std::vector<std::string> pins;
  const bool good = value.Each("a pin", true, [&](const std::string& text) -> Status {
    const Result<std::string> pin = ParsePin(text);
    if (!pin.ok()) return pin.error();
    pins.push_back(pin.value());
    return {};
  });
  if (!good) return;
  if (pins.empty()) return value.Reject("is empty; name a pin or leave the key out");
  out = std::move(pins);
}

std::string PinsText(const std::vector<std::string>& pins) {
  std::vector<std::string> texts;
  for (const std::string& pin : pins) texts.push_back("sha256//" + Base64Encode(pin));
  return texts.empty() ? std::string() : ListText(texts);
}

struct ForwardWay {
  std::string_view name;
  bool PoolConfig::*flag;
};
constexpr ForwardWay kForwardWays[] = {{"id", &PoolConfig::forward_id},
                                       {"xclient", &PoolConfig::forward_xclient},
                                       {"proxy2", &PoolConfig::forward_proxy2}};

void ReadForward(Value& value, PoolConfig& out) {
  std::vector<std::string> names;
  const bool good = value.Each(
      "\"id\", \"xclient\" or \"proxy2\"", false, [&](const std::string& text) -> Status {
        for (const ForwardWay& way : kForwardWays) {
          if (text != way.name) continue;
          names.push_back(text);
          return {};
        }
        return Status::Error("not known; must be \"id\", \"xclient\" or \"proxy2\"");
      });
  if (!good) return;
  for (const ForwardWay& way : kForwardWays) {
    out.*way.flag = std::find(names.begin(), names.end(), way.name) != names.end();
  }
}

std::string ForwardText(const PoolConfig& pool) {
  std::vector<std::string> names;
  for (const ForwardWay& way : kForwardWays) {
    if (pool.*way.flag) names.emplace_back(way.name);
  }
  return ListText(names);
}

// A name as it stands in IMAP, in upper case: an atom.
Status CheckAtom(std::string_view text) {
  const bool good =
      !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
        return c > ' ' && c < 0x7F &&
               std::string_view("(){%*\"\\]").find(c) == std::string_view::npos;
      });
  return good ? Status{} : Status::Error("not a name of IMAP; write it without spaces and braces");
}

void ReadPassCommands(Value& value, std::vector<std::string>& out) {
  std::vector<std::string> verbs;
  const bool good = value.Each("a verb", false, [&](const std::string& text) -> Status {
    if (Status status = CheckAtom(text); !status.ok()) return status;
    if (imap::FindCommand(text) != imap::CommandKind::kOther || EqualsNoCase(text, "UID") ||
        EqualsNoCase(text, "DONE")) {
      return Status::Error("Postern follows this command itself; leave it out");
    }
    verbs.push_back(ToUpper(text));
    return {};
  });
  if (good) out = std::move(verbs);
}

// What Postern does itself, or what would blind it (DESIGN 2.8).
constexpr std::string_view kNeverPassed[] = {
    "STARTTLS", "LOGINDISABLED",   "COMPRESS=",         "AUTH=",          "LITERAL-",
    "LITERAL+", "LOGIN-REFERRALS", "MAILBOX-REFERRALS", "UNAUTHENTICATE", "JMAPACCESS",
};

void ReadPassCapabilities(Value& value, std::vector<std::string>& out) {
  std::vector<std::string> names;
  const bool good = value.Each("a capability", false, [&](const std::string& text) -> Status {
    if (Status status = CheckAtom(text); !status.ok()) return status;
    for (const std::string_view never : kNeverPassed) {
      const bool same =
          never.ends_with('=') ? StartsWithNoCase(text, never) : EqualsNoCase(text, never);
      if (same) return Status::Error("cannot be passed through a gateway; leave it out");
    }
    names.push_back(ToUpper(text));
    return {};
  });
  if (good) out = std::move(names);
}

// A plain pool verifies nothing, so nothing is printed that could make believe it did.
std::string OfTls(const PoolConfig& pool, std::string text) {
  return pool.tls == PoolTls::kNone ? std::string() : text;
}

// clang-format off
constexpr Key kKeys[] = {
  {"pool", "name", kName, "", "its name in [routing], metrics and logs", true,
   [](Value& v, Target& t) { v.Name(t.pool->name); },
   [](const Target& t) { return TomlQuote(t.pool->name); }},
  {"pool", "balance", "user or least", "\"user\"",
   "the same user goes to the same backend; the backend with the fewest sessions", false,
   [](Value& v, Target& t) { v.Choice({"user", "least"}, t.pool->balance); },
   [](const Target& t) { return TomlQuote(t.pool->balance == Balance::kUser ? "user" : "least"); }},
  {"pool", "tls", "none, starttls or implicit", "\"none\"",
   "plain text; STARTTLS or STLS, never without; TLS from the first byte", false,
   [](Value& v, Target& t) { v.Choice({"none", "starttls", "implicit"}, t.pool->tls); },
   [](const Target& t) { return TomlQuote(PoolTlsText(t.pool->tls)); }},
  {"pool", "verify", "full, pin or none", "\"full\"",
   "chain and name; one of the pins and nothing else; nothing, only with insecure = true", false,
   [](Value& v, Target& t) { v.Choice({"full", "pin", "none"}, t.pool->verification.verify); },
   [](const Target& t) { return OfTls(*t.pool, TomlQuote(VerifyText(t.pool->verification.verify))); }},
  {"pool", "insecure", kFlag, "false", "says that verify = \"none\" is meant", false,
   [](Value& v, Target& t) { v.Flag(t.pool->insecure); },
   [](const Target& t) { return FlagText(t.pool->insecure); }},
  {"pool", "ca", kPath, "", "PEM, the roots to trust; default: the system's bundle", false,
   [](Value& v, Target& t) { v.Path(t.pool->verification.ca_file); },
   [](const Target& t) { return OptionalText(t.pool->verification.ca_file); }},
  {"pool", "pin", "pin or list of pins", "",
   "SHA-256 of the backend's public key or certificate: sha256//BASE64 or hex", false,
   [](Value& v, Target& t) { ReadPins(v, t.pool->verification.pins); },
   [](const Target& t) { return OfTls(*t.pool, PinsText(t.pool->verification.pins)); }},
  {"pool", "verify_name", "host name", "",
   "the name in the backend's certificate, sent as SNI; default: the host part of its address", false,
   [](Value& v, Target& t) { v.Host(t.pool->verify_name); },
   [](const Target& t) { return OptionalText(t.pool->verify_name); }},
  {"pool", "forward", "list of id, xclient, proxy2", "[\"id\"]",
   "how the client's address reaches the backend: IMAP ID, POP3 XCLIENT, PROXY v2", false,
   [](Value& v, Target& t) { ReadForward(v, *t.pool); },
   [](const Target& t) { return ForwardText(*t.pool); }},
  {"pool", "pass_commands", "list of verbs", "[]",
   "further IMAP commands that its backends may be trusted with, without literals", false,
   [](Value& v, Target& t) { ReadPassCommands(v, t.pool->pass_commands); },
   [](const Target& t) { return ListText(t.pool->pass_commands); }},
  {"pool", "pass_capabilities", "list of capabilities", "[]",
   "further IMAP capabilities of its backends that clients are told of", false,
   [](Value& v, Target& t) { ReadPassCapabilities(v, t.pool->pass_capabilities); },
   [](const Target& t) { return ListText(t.pool->pass_capabilities); }},

  {"pool.master", "user", kText, "", "the account that may log in for others", true,
   [](Value& v, Target& t) { v.Text(t.pool->master->user); },
   [](const Target& t) { return TomlQuote(t.pool->master->user); }},
  {"pool.master", "password_file", kPath, "", "its password, the file's one line", true,
   [](Value& v, Target& t) { v.Path(t.pool->master->password_file); },
   [](const Target& t) { return TomlQuote(t.pool->master->password_file); }},
  {"pool.master", "separator", kText, "",
   "log in as USER, separator, MASTER; without it by PLAIN with the user as authzid", false,
   [](Value& v, Target& t) { v.Text(t.pool->master->separator); },
   [](const Target& t) { return OptionalText(t.pool->master->separator); }},

  {"pool.probe", "every", kTime, "\"5s\"", "how often each backend is tried", false,
   [](Value& v, Target& t) { v.Time(t.pool->probe.every, std::chrono::milliseconds(100)); },
   [](const Target& t) { return TomlQuote(DurationText(t.pool->probe.every)); }},
  {"pool.probe", "user", kText, "", "log in with this account; without it up to the greeting and capabilities", false,
   [](Value& v, Target& t) { v.Text(t.pool->probe.user); },
   [](const Target& t) { return OptionalText(t.pool->probe.user); }},
  {"pool.probe", "password_file", kPath, "", "its password, the file's one line", false,
   [](Value& v, Target& t) { v.Path(t.pool->probe.password_file); },
   [](const Target& t) { return OptionalText(t.pool->probe.password_file); }},

  {"pool.backend", "name", kName, "", "its name in metrics and logs", true,
   [](Value& v, Target& t) { v.Name(t.backend->name); },
   [](const Target& t) { return TomlQuote(t.backend->name); }},
  {"pool.backend", "imap", kAddress, "", "its IMAP address; needed if a listener serves imap", false,
   [](Value& v, Target& t) { v.Remote(t.backend->imap, t.backend->imap_text, t.backend->has_imap); },
   [](const Target& t) { return OptionalText(t.backend->imap_text); }},
  {"pool.backend", "pop3", kAddress, "", "its POP3 address; needed if a listener serves pop3", false,
   [](Value& v, Target& t) { v.Remote(t.backend->pop3, t.backend->pop3_text, t.backend->has_pop3); },
   [](const Target& t) { return OptionalText(t.backend->pop3_text); }},
};
// clang-format on

}  // namespace

std::span<const Key> PoolKeys() { return kKeys; }

}  // namespace postern
