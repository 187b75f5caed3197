// The schema of the configuration: one row per key. Reading, printing and the reference of all keys
// are made from these rows, so that they cannot disagree.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "postern/server/config.h"
#include "server/config_values.h"

namespace postern {

// What a row reads into or prints from. The tables that repeat point at the one in question.
struct Target {
  Config& config;
  ListenerConfig* listener = nullptr;
  CertificateConfig* certificate = nullptr;
  PoolConfig* pool = nullptr;
  BackendConfig* backend = nullptr;
  LookupConfig* lookup = nullptr;
  // The name of the pool of [routing], until all pools are known.
  std::string* routing_pool = nullptr;
};

struct Key {
  std::string_view table;  // "listener", "pool.backend"
  std::string_view name;
  std::string_view type;    // for people
  std::string_view preset;  // as written in TOML; empty: none
  std::string_view meaning;
  bool required;
  void (*set)(Value& value, Target& target);
  // The value as written in TOML; empty when it is not there.
  std::string (*print)(const Target& target);
};

// How the types of keys are called in the reference.
inline constexpr std::string_view kText = "text";
inline constexpr std::string_view kName = "name";
inline constexpr std::string_view kCount = "integer";
inline constexpr std::string_view kTime = "duration";
inline constexpr std::string_view kSize = "size";
inline constexpr std::string_view kFlag = "true or false";
inline constexpr std::string_view kPath = "path";
inline constexpr std::string_view kAddress = "host:port";
inline constexpr std::string_view kNetworks = "list of networks";

struct Table {
  std::string_view name;
  bool repeats;  // [[name]]
  std::string_view meaning;
};

// In the order of the printed configuration.
std::span<const Table> Tables();
std::span<const Key> Keys();
// The parts of Keys, a file each.
std::span<const Key> GatewayKeys();    // [gateway]
std::span<const Key> ListenerKeys();   // [[listener]], [[certificate]], [tls]
std::span<const Key> PoolKeys();       // [[pool]], [pool.master], [pool.probe], [[pool.backend]]
std::span<const Key> LookupKeys();     // [[lookup]], [rules]
std::span<const Key> OperationKeys();  // [routing], [timeouts], [limits], [log], [admin]
// "[gateway]" or "[[listener]]".
std::string Heading(const Table& table);

}  // namespace postern
