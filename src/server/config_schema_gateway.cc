// The rows of the tables that tell the process what to be: [gateway], [routing], [timeouts],
// [limits], [log], [admin].
#include <fmt/format.h>

#include "server/config_schema.h"

namespace postern {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// clang-format off
constexpr Key kGateway[] = {
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
};

constexpr Key kOperation[] = {
  {"routing", "pool", kName, "", "the pool when neither a rule nor a lookup says otherwise", true,
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
  {"admin", "token_file", kPath, "", "one line, the secret of postern ctl; without it nothing can be changed", false,
   [](Value& v, Target& t) { v.Path(t.config.admin_token_file); },
   [](const Target& t) { return OptionalText(t.config.admin_token_file); }},
};
// clang-format on

}  // namespace

std::span<const Key> GatewayKeys() { return kGateway; }
std::span<const Key> OperationKeys() { return kOperation; }

}  // namespace postern
