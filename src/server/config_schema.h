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

struct Table {
  std::string_view name;
  bool repeats;  // [[name]]
  std::string_view meaning;
};

// In the order of the printed configuration.
std::span<const Table> Tables();
std::span<const Key> Keys();
// "[gateway]" or "[[listener]]".
std::string Heading(const Table& table);

}  // namespace postern
