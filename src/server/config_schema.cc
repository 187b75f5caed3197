#include "server/config_schema.h"

#include <fmt/format.h>

#include <array>

namespace postern {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::string_view kText = "text";
constexpr std::string_view kName = "name";
constexpr std::string_view kCount = "integer";
constexpr std::string_view kTime = "duration";
constexpr std::string_view kSize = "size";
constexpr std::string_view kFlag = "true or false";
constexpr std::string_view kPath = "path";
constexpr std::string_view kAddress = "host:port";

constexpr std::array<Table, 11> kTables{{
    {"gateway", false, "the process"},
    {"listener", true, "an address that mail programs connect to"},
    {"certificate", true, "the certificate shown to clients"},
    {"tls", false, "TLS towards clients"},
    {"pool", true, "a named set of backends"},
    {"pool.backend", true, "a mail server of the pool above it"},
    {"routing", false, "where sessions go"},
    {"timeouts", false, "when Postern gives up"},
    {"limits", false, "how much is allowed; 0 is no limit of ours"},
    {"log", false, "JSON lines"},
    {"admin", false, "HTTP for operators: /metrics, /healthz, /readyz"},
}};

std::string BackendAddress(bool known, const Address& address) {
  return known ? TomlQuote(address.Text()) : std::string();
}

// clang-format off
constexpr Key kKeys[] = {
  {"gateway", "name", kName, "\"postern\"", "how the gateway calls itself in greetings", false,
   [](Value& v, Target& t) { v.Name(t.config.plan.name); },
   [](const Target& t) { return TomlQuote(t.config.plan.name); }},
  {"gateway", "workers", kCount, "0", "event loops; 0 is one per CPU", false,
   [](Value& v, Target& t) { v.Count(t.config.workers, 0, 256); },
   [](const Target& t) { return fmt::format("{}", t.config.workers); }},
  {"gateway", "drain", kTime, "\"30s\"", "on SIGTERM: how long sessions may run to a boundary", false,
   [](Value& v, Target& t) { v.Time(t.config.drain, seconds(0)); },
   [](const Target& t) { return TomlQuote(DurationText(t.config.drain)); }},
  {"gateway", "user", kText, "", "switch to this user after binding; root must say so", false,
   [](Value& v, Target& t) { v.Text(t.config.user); },
   [](const Target& t) { return t.config.user.empty() ? std::string() : TomlQuote(t.config.user); }},

  {"listener", "name", kName, "", "its name in metrics and logs", true,
   [](Value& v, Target& t) { v.Name(t.listener->name); },
   [](const Target& t) { return TomlQuote(t.listener->name); }},
  {"listener", "protocol", "imap or pop3", "", "what is spoken there", true,
   [](Value& v, Target& t) {
     std::size_t index = 0;
     v.Choice({"imap", "pop3"}, index);
     t.listener->protocol = index == 0 ? Protocol::kImap : Protocol::kPop3;
   },
   [](const Target& t) {
     return TomlQuote(t.listener->protocol == Protocol::kImap ? "imap" : "pop3");
   }},
  {"listener", "address", kAddress, "", "numeric; [::]:993 is IPv6 only; port 0 takes a free one", true,
   [](Value& v, Target& t) { v.Endpoint(t.listener->address); },
   [](const Target& t) { return TomlQuote(t.listener->address.Text()); }},
  {"listener", "tls", "implicit", "\"implicit\"", "TLS from the first byte", false,
   [](Value& v, Target&) { v.Only("implicit", "TLS from the first byte is all there is so far"); },
   [](const Target&) { return TomlQuote("implicit"); }},

  {"certificate", "chain", kPath, "", "PEM, leaf first; relative to this file", true,
   [](Value& v, Target& t) { v.Path(t.certificate->chain); },
   [](const Target& t) { return TomlQuote(t.certificate->chain); }},
  {"certificate", "key", kPath, "", "PEM; relative to this file", true,
   [](Value& v, Target& t) { v.Path(t.certificate->key); },
   [](const Target& t) { return TomlQuote(t.certificate->key); }},

  {"tls", "minimum", "1.2 or 1.3", "\"1.2\"", "the oldest version that clients may speak", false,
   [](Value& v, Target& t) {
     std::size_t index = t.config.minimum_tls13 ? 1 : 0;
     v.Choice({"1.2", "1.3"}, index);
     t.config.minimum_tls13 = index == 1;
   },
   [](const Target& t) { return TomlQuote(t.config.minimum_tls13 ? "1.3" : "1.2"); }},

  {"pool", "name", kName, "", "its name in [routing], metrics and logs", true,
   [](Value& v, Target& t) { v.Name(t.pool->name); },
   [](const Target& t) { return TomlQuote(t.pool->name); }},
  {"pool", "balance", "user", "\"user\"", "the same user goes to the same backend", false,
   [](Value& v, Target&) { v.Only("user", "the same user goes to the same backend"); },
   [](const Target&) { return TomlQuote("user"); }},
  {"pool", "tls", "none", "\"none\"", "plain text towards the backends", false,
   [](Value& v, Target&) { v.Only("none", "backends are reached in plain text so far"); },
   [](const Target&) { return TomlQuote("none"); }},

  {"pool.backend", "name", kName, "", "its name in metrics and logs", true,
   [](Value& v, Target& t) { v.Name(t.backend->name); },
   [](const Target& t) { return TomlQuote(t.backend->name); }},
  {"pool.backend", "imap", kAddress, "", "its IMAP address; needed if a listener serves imap", false,
   [](Value& v, Target& t) { v.Remote(t.backend->imap, t.backend->has_imap); },
   [](const Target& t) { return BackendAddress(t.backend->has_imap, t.backend->imap); }},
  {"pool.backend", "pop3", kAddress, "", "its POP3 address; needed if a listener serves pop3", false,
   [](Value& v, Target& t) { v.Remote(t.backend->pop3, t.backend->has_pop3); },
   [](const Target& t) { return BackendAddress(t.backend->has_pop3, t.backend->pop3); }},

  {"routing", "pool", kName, "", "the pool of every session", true,
   [](Value& v, Target& t) { v.Name(*t.routing_pool); },
   [](const Target& t) { return TomlQuote(t.config.pools[t.config.routing_pool].name); }},

  {"timeouts", "handshake", kTime, "\"10s\"", "accept to TLS done", false,
   [](Value& v, Target& t) { v.Time(t.config.plan.timeouts.handshake, milliseconds(1)); },
   [](const Target& t) { return TomlQuote(DurationText(t.config.plan.timeouts.handshake)); }},
  {"timeouts", "login", kTime, "\"3m\"", "accept to logged in", false,
   [](Value& v, Target& t) { v.Time(t.config.plan.timeouts.login, milliseconds(1)); },
   [](const Target& t) { return TomlQuote(DurationText(t.config.plan.timeouts.login)); }},
  {"timeouts", "connect", kTime, "\"10s\"", "to a backend: connect and greeting", false,
   [](Value& v, Target& t) { v.Time(t.config.plan.timeouts.connect, milliseconds(1)); },
   [](const Target& t) { return TomlQuote(DurationText(t.config.plan.timeouts.connect)); }},
  {"timeouts", "imap_idle", kTime, "\"35m\"", "a client's silence with no command in flight", false,
   [](Value& v, Target& t) { v.Time(t.config.plan.timeouts.imap_idle, milliseconds(1)); },
   [](const Target& t) { return TomlQuote(DurationText(t.config.plan.timeouts.imap_idle)); }},
  {"timeouts", "pop3_idle", kTime, "\"10m\"", "the same for POP3", false,
   [](Value& v, Target& t) { v.Time(t.config.plan.timeouts.pop3_idle, milliseconds(1)); },
   [](const Target& t) { return TomlQuote(DurationText(t.config.plan.timeouts.pop3_idle)); }},
  {"timeouts", "allow_short_idle", kFlag, "false", "imap_idle under 30m, pop3_idle under 10m", false,
   [](Value& v, Target& t) { v.Flag(t.config.allow_short_idle); },
   [](const Target& t) { return std::string(t.config.allow_short_idle ? "true" : "false"); }},

  {"limits", "sessions", kCount, "0", "sessions of the process; 0: what the descriptor limit allows", false,
   [](Value& v, Target& t) { v.Count(t.config.plan.limits.sessions, 0, 10'000'000); },
   [](const Target& t) { return fmt::format("{}", t.config.plan.limits.sessions); }},
  {"limits", "login_attempts", kCount, "3", "failed logins per connection", false,
   [](Value& v, Target& t) { v.Count(t.config.plan.limits.login_attempts, 1, 100); },
   [](const Target& t) { return fmt::format("{}", t.config.plan.limits.login_attempts); }},
  {"limits", "append", kSize, "\"0\"", "the largest message of an APPEND", false,
   [](Value& v, Target& t) { v.Size(t.config.plan.limits.append); },
   [](const Target& t) { return TomlQuote(SizeText(t.config.plan.limits.append)); }},

  {"log", "path", kPath, "\"-\"", "a file, or - for standard output", false,
   [](Value& v, Target& t) { v.Path(t.config.log_path); },
   [](const Target& t) { return TomlQuote(t.config.log_path); }},
  {"log", "slow", kTime, "\"1s\"", "a command that takes this long gets a line", false,
   [](Value& v, Target& t) { v.Time(t.config.plan.slow, milliseconds(1)); },
   [](const Target& t) { return TomlQuote(DurationText(t.config.plan.slow)); }},

  {"admin", "address", "host:port or unix:PATH", "\"127.0.0.1:9143\"", "where to listen", false,
   [](Value& v, Target& t) { v.Local(t.config.admin_address); },
   [](const Target& t) { return TomlQuote(t.config.admin_address); }},
};
// clang-format on

}  // namespace

std::span<const Table> Tables() { return kTables; }
std::span<const Key> Keys() { return kKeys; }

std::string Heading(const Table& table) {
  return fmt::format("{}{}{}", table.repeats ? "[[" : "[", table.name, table.repeats ? "]]" : "]");
}

}  // namespace postern
