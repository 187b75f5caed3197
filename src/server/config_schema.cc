#include "server/config_schema.h"

#include <fmt/format.h>

#include <array>
#include <vector>

namespace postern {
namespace {

constexpr std::array<Table, 15> kTables{{
    {"gateway", false, "the process"},
    {"listener", true, "an address that mail programs connect to"},
    {"certificate", true, "shown to clients; the first is the default, SNI picks"},
    {"tls", false, "TLS towards clients"},
    {"pool", true, "a named set of backends"},
    {"pool.master", false,
     "how to log in at the pool above it for users an http lookup vouched for"},
    {"pool.probe", false, "how the backends of the pool above it are looked after"},
    {"pool.backend", true, "a mail server of the pool above it"},
    {"routing", false, "where sessions go that neither a rule nor a lookup sends elsewhere"},
    {"lookup", true, "who knows a user's pool; asked in order until one knows the user"},
    {"timeouts", false, "when Postern gives up"},
    {"limits", false, "how much is allowed; 0 is no limit of ours"},
    {"rules", false, "what sessions may do, and where they go"},
    {"log", false, "JSON lines"},
    {"admin", false, "HTTP for operators: /metrics, /healthz, /readyz"},
}};

std::vector<Key> AllKeys() {
  std::vector<Key> all;
  for (const auto& keys :
       {GatewayKeys(), ListenerKeys(), PoolKeys(), LookupKeys(), OperationKeys()}) {
    all.insert(all.end(), keys.begin(), keys.end());
  }
  return all;
}

}  // namespace

std::span<const Table> Tables() { return kTables; }

std::span<const Key> Keys() {
  static const std::vector<Key> all = AllKeys();
  return all;
}

std::string Heading(const Table& table) {
  return fmt::format("{}{}{}", table.repeats ? "[[" : "[", table.name, table.repeats ? "]]" : "]");
}

}  // namespace postern
