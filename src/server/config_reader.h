// Walks a parsed file by the schema: unknown keys, missing keys, and every value into its place.
// For config.cc only.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "server/config_schema.h"
#include "server/config_values.h"

namespace postern {

// Where the keys that one table has stand, by their names in the schema.
using KeyPlaces = std::map<std::string_view, Place>;
// Where the key stands; its table, if it was left out.
inline Place PlaceIn(const KeyPlaces& keys, std::string_view key, Place table) {
  const auto found = keys.find(key);
  return found == keys.end() ? table : found->second;
}

// A configuration that is read but not yet judged as a whole, with the places its judges point at.
struct Draft {
  Config config;
  std::vector<Place> listener_places;
  std::vector<Place> certificate_places;
  std::vector<Place> pool_places;
  std::vector<Place> backend_places;
  std::vector<Place> lookup_places;
  std::vector<KeyPlaces> listener_keys;
  std::vector<KeyPlaces> pool_keys;
  std::vector<KeyPlaces> master_keys;  // by pool; empty where there is none
  std::vector<KeyPlaces> probe_keys;
  std::vector<KeyPlaces> lookup_keys;
  std::string routing_pool;
  Place routing_pool_place;
  Place imap_idle_place;
  Place pop3_idle_place;
  Place tls_minimum_place;
};

Draft ReadTables(const toml::table& root, Problems& problems);

}  // namespace postern
