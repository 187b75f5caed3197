// PrintConfig and DescribeKeys of config.h: the schema as people read it.
#include <fmt/format.h>

#include <functional>

#include "postern/server/config.h"
#include "server/config_schema.h"

namespace postern {
namespace {

void AppendTable(std::string& out, std::string_view name, const Target& target) {
  for (const Table& table : Tables()) {
    if (table.name == name) out += fmt::format("\n{}  # {}\n", Heading(table), table.meaning);
  }
  for (const Key& key : Keys()) {
    if (key.table != name) continue;
    const std::string value = key.print(target);
    if (!value.empty()) out += fmt::format("{} = {}\n", key.name, value);
  }
}

}  // namespace

std::string PrintConfig(const Config& config) {
  // The rows point into a configuration they could also change.
  Config copy = config;
  Target target{.config = copy};
  std::string out = fmt::format("# {}, with every default written out\n", config.file);
  AppendTable(out, "gateway", target);
  for (ListenerConfig& listener : copy.listeners) {
    target.listener = &listener;
    AppendTable(out, "listener", target);
  }
  for (CertificateConfig& certificate : copy.certificates) {
    target.certificate = &certificate;
    AppendTable(out, "certificate", target);
  }
  AppendTable(out, "tls", target);
  for (PoolConfig& pool : copy.pools) {
    target.pool = &pool;
    AppendTable(out, "pool", target);
    if (pool.master) AppendTable(out, "pool.master", target);
    AppendTable(out, "pool.probe", target);
    for (const BackendId id : pool.backends) {
      target.backend = &copy.backends[id];
      AppendTable(out, "pool.backend", target);
    }
  }
  AppendTable(out, "routing", target);
  for (LookupConfig& lookup : copy.lookups) {
    target.lookup = &lookup;
    AppendTable(out, "lookup", target);
  }
  for (const std::string_view name : {"timeouts", "limits", "rules", "log", "admin"}) {
    AppendTable(out, name, target);
  }
  return out;
}

std::string DescribeKeys() {
  std::string out;
  for (const Table& table : Tables()) {
    out += fmt::format("{}{}  {}\n", out.empty() ? "" : "\n", Heading(table), table.meaning);
    for (const Key& key : Keys()) {
      if (key.table != table.name) continue;
      const std::string preset = key.required         ? "required"
                                 : key.preset.empty() ? "optional"
                                                      : fmt::format("default {}", key.preset);
      out += fmt::format("  {:<16} {} ({}, {})\n", key.name, key.meaning, key.type, preset);
    }
  }
  return out;
}

}  // namespace postern
