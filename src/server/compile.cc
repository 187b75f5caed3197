#include "server/compile.h"

#include <utility>

#include "server/secret_file.h"

namespace postern {
namespace {

LookupSettings::Type TypeOf(LookupConfig::Type type) {
  switch (type) {
    case LookupConfig::Type::kFile:
      return LookupSettings::Type::kFile;
    case LookupConfig::Type::kHttp:
      return LookupSettings::Type::kHttp;
    case LookupConfig::Type::kRedis:
      return LookupSettings::Type::kRedis;
  }
  return LookupSettings::Type::kFile;
}

Result<LookupSettings> SettingsOf(const LookupConfig& from, LookupSlot slot) {
  LookupSettings settings;
  settings.type = TypeOf(from.type);
  settings.name = from.name;
  settings.slot = slot;
  settings.path = from.path;
  settings.url = from.url;
  settings.command = from.command;
  settings.user = from.user;
  settings.verification.ca_file = from.ca;
  settings.timeout = from.timeout;
  settings.ttl = from.ttl;
  settings.stale = from.stale;
  if (from.password_file.empty()) return settings;
  Result<Secret> password = ReadSecretFile(from.password_file);
  if (!password.ok()) return password.error();
  settings.password = std::move(password.value());
  return settings;
}

Status MakeLookups(const CompileOrder& order, Compiled& compiled) {
  if (order.lookups.empty()) return {};
  std::vector<LookupSettings> all;
  for (std::size_t i = 0; i < order.lookups.size(); ++i) {
    Result<LookupSettings> settings = SettingsOf(order.lookups[i], order.lookup_slots[i]);
    if (!settings.ok()) {
      return Status::Error(order.lookups[i].place + ": " + settings.error().message());
    }
    all.push_back(std::move(settings.value()));
  }
  auto made = order.lookup_thread->Make(std::move(all), order.targets);
  if (!made.ok()) return made.error();
  compiled.lookup = std::move(made.value());
  return {};
}

Status ReadMasters(const CompileOrder& order, Compiled& compiled) {
  for (const std::optional<MasterConfig>& master : order.masters) {
    compiled.masters.emplace_back();
    if (!master) continue;
    Result<Secret> password = ReadSecretFile(master->password_file);
    if (!password.ok()) return password.error();
    compiled.masters.back() = std::make_shared<const MasterAccount>(
        MasterAccount{master->user, std::move(password.value()), master->separator});
  }
  return {};
}

}  // namespace

Result<Compiled> Compile(const CompileOrder& order) {
  Compiled compiled;
  for (std::size_t i = 0; i < order.workers; ++i) {
    Result<std::shared_ptr<RuleSet>> rules = RuleSet::Compile(order.book, order.names);
    if (!rules.ok()) return rules.error();
    compiled.rules.push_back(std::move(rules.value()));
  }
  if (Status status = MakeLookups(order, compiled); !status.ok()) return status;
  if (Status status = ReadMasters(order, compiled); !status.ok()) return status;
  return compiled;
}

}  // namespace postern
