// Walks a parsed file by the schema: unknown keys, missing keys, and every value into its place.
// For config.cc only.
#pragma once

#include <string>
#include <vector>

#include "server/config_schema.h"
#include "server/config_values.h"

namespace postern {

// A configuration that is read but not yet judged as a whole, with the places its judges point at.
struct Draft {
  Config config;
  std::vector<Place> listener_places;
  std::vector<Place> certificate_places;
  std::vector<Place> pool_places;
  std::vector<Place> backend_places;
  std::string routing_pool;
  Place routing_pool_place;
  Place imap_idle_place;
  Place pop3_idle_place;
  Place admin_place;
};

Draft ReadTables(const toml::table& root, Problems& problems);

}  // namespace postern
