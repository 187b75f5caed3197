#include "server/config_reader.h"

#include <fmt/format.h>

#include <functional>

#include "postern/base/text.h"

namespace postern {
namespace {

const Table& FindTable(std::string_view name) {
  for (const Table& table : Tables()) {
    if (table.name == name) return table;
  }
  CheckFailed("table in the schema", __FILE__, __LINE__);
}

const Key* FindKey(std::string_view table, std::string_view name) {
  for (const Key& key : Keys()) {
    if (key.table == table && key.name == name) return &key;
  }
  return nullptr;
}

// "did you mean "address"?" or the list of what there is.
std::string Hint(std::string_view word, const std::vector<std::string_view>& known) {
  const std::string_view near = NearestName(word, known);
  if (!near.empty()) return fmt::format("did you mean \"{}\"?", near);
  return fmt::format("known are {}", fmt::join(known, ", "));
}

class Reader {
 public:
  explicit Reader(Problems& problems) : problems_(problems) {}
  Draft Read(const toml::table& root);

 private:
  using ReadOne = std::function<void(const toml::table& table)>;

  void ReadSingle(const toml::table& root, std::string_view name);
  // The table of this name and key, if it is there; reports what is no table.
  const toml::table* SingleIn(const toml::table& parent, std::string_view name,
                              std::string_view key);
  void ReadEach(const toml::table& parent, std::string_view name, std::string_view key,
                const ReadOne& read);
  void ReadListener(const toml::table& table);
  void ReadCertificate(const toml::table& table);
  void ReadPool(const toml::table& table);
  void ReadBackend(const toml::table& table, PoolConfig& pool);
  // One of the pool's own single tables: "pool.master".
  KeyPlaces ReadPart(const toml::table* values, std::string_view name, PoolConfig& pool);
  void ReadLookup(const toml::table& table);
  // Puts the table's values where the target says; reports unknown and missing keys.
  void ReadKeys(const toml::table& values, const Table& table, Target& target);
  KeyPlaces PlacesIn(const toml::table& values, std::string_view table) const;
  void CheckKnown(const toml::key& key, const Table& table);
  void CheckTopLevel(const toml::table& root);
  Place PlaceOfKey(const toml::table& root, std::string_view table, std::string_view key) const;
  Target TargetOf() {
    return Target{.config = draft_.config, .routing_pool = &draft_.routing_pool};
  }

  Problems& problems_;
  Draft draft_;
};

void Reader::CheckTopLevel(const toml::table& root) {
  std::vector<std::string_view> known;
  for (const Table& table : Tables()) {
    if (table.name.find('.') == std::string_view::npos) known.push_back(table.name);
  }
  for (const auto& [key, value] : root) {
    if (std::find(known.begin(), known.end(), key.str()) != known.end()) continue;
    problems_.Error(PlaceOf(key.source()),
                    fmt::format("unknown {} \"{}\"; {}", value.is_value() ? "key" : "table",
                                key.str(), Hint(key.str(), known)));
  }
}

void Reader::CheckKnown(const toml::key& key, const Table& table) {
  std::vector<std::string_view> known;
  for (const Key& each : Keys()) {
    if (each.table == table.name) known.push_back(each.name);
  }
  // [[pool.backend]] appears in [[pool]] as the list "backend".
  for (const Table& each : Tables()) {
    if (!each.name.starts_with(table.name) || each.name == table.name) continue;
    if (each.name[table.name.size()] != '.') continue;
    known.push_back(each.name.substr(table.name.size() + 1));
  }
  if (std::find(known.begin(), known.end(), key.str()) != known.end()) return;
  problems_.Error(PlaceOf(key.source()), fmt::format("unknown key \"{}\" in {}; {}", key.str(),
                                                     Heading(table), Hint(key.str(), known)));
}

void Reader::ReadKeys(const toml::table& values, const Table& table, Target& target) {
  for (const auto& [name, node] : values) {
    CheckKnown(name, table);
    const Key* key = FindKey(table.name, name.str());
    if (key == nullptr) continue;
    Value value(key->name, node, problems_);
    key->set(value, target);
  }
  for (const Key& key : Keys()) {
    if (key.table != table.name || !key.required || values.contains(key.name)) continue;
    problems_.Error(PlaceOf(values.source()),
                    fmt::format("{} has no {}; add {} = {}: {}", Heading(table), key.name, key.name,
                                "\"...\"", key.meaning));
  }
}

const toml::table* Reader::SingleIn(const toml::table& parent, std::string_view name,
                                    std::string_view key) {
  const toml::node* node = parent.get(key);
  if (node == nullptr || node->is_table()) return node == nullptr ? nullptr : node->as_table();
  problems_.Error(PlaceOf(node->source()),
                  fmt::format("\"{}\" must be one table; write [{}]", key, name));
  return nullptr;
}

void Reader::ReadSingle(const toml::table& root, std::string_view name) {
  const toml::table* table = SingleIn(root, name, name);
  if (table == nullptr) return;
  Target target = TargetOf();
  ReadKeys(*table, FindTable(name), target);
}

void Reader::ReadEach(const toml::table& parent, std::string_view name, std::string_view key,
                      const ReadOne& read) {
  const toml::node* node = parent.get(key);
  if (node == nullptr) return;
  const toml::array* list = node->as_array();
  const bool tables =
      list != nullptr && (list->empty() || list->is_homogeneous(toml::node_type::table));
  if (!tables) {
    problems_.Error(PlaceOf(node->source()),
                    fmt::format("\"{}\" must be a list of tables; write [[{}]]", key, name));
    return;
  }
  for (const toml::node& each : *list) read(*each.as_table());
}

void Reader::ReadListener(const toml::table& table) {
  ListenerConfig listener;
  Target target = TargetOf();
  target.listener = &listener;
  ReadKeys(table, FindTable("listener"), target);
  draft_.config.listeners.push_back(std::move(listener));
  draft_.listener_places.push_back(PlaceOf(table.source()));
  draft_.listener_keys.push_back(PlacesIn(table, "listener"));
}

void Reader::ReadCertificate(const toml::table& table) {
  CertificateConfig certificate;
  Target target = TargetOf();
  target.certificate = &certificate;
  ReadKeys(table, FindTable("certificate"), target);
  certificate.place = problems_.Locate(PlaceOf(table.source()));
  draft_.config.certificates.push_back(std::move(certificate));
  draft_.certificate_places.push_back(PlaceOf(table.source()));
}

void Reader::ReadPool(const toml::table& table) {
  PoolConfig pool;
  Target target = TargetOf();
  target.pool = &pool;
  ReadKeys(table, FindTable("pool"), target);
  const toml::table* master = SingleIn(table, "pool.master", "master");
  if (master != nullptr) pool.master.emplace();
  draft_.master_keys.push_back(ReadPart(master, "pool.master", pool));
  draft_.probe_keys.push_back(ReadPart(SingleIn(table, "pool.probe", "probe"), "pool.probe", pool));
  ReadEach(table, "pool.backend", "backend",
           [&](const toml::table& each) { ReadBackend(each, pool); });
  pool.place = problems_.Locate(PlaceOf(table.source()));
  draft_.config.pools.push_back(std::move(pool));
  draft_.pool_places.push_back(PlaceOf(table.source()));
  draft_.pool_keys.push_back(PlacesIn(table, "pool"));
}

void Reader::ReadBackend(const toml::table& table, PoolConfig& pool) {
  BackendConfig backend;
  backend.pool = static_cast<PoolId>(draft_.config.pools.size());
  Target target = TargetOf();
  target.backend = &backend;
  ReadKeys(table, FindTable("pool.backend"), target);
  pool.backends.push_back(static_cast<BackendId>(draft_.config.backends.size()));
  backend.place = problems_.Locate(PlaceOf(table.source()));
  draft_.config.backends.push_back(std::move(backend));
  draft_.backend_places.push_back(PlaceOf(table.source()));
}

KeyPlaces Reader::ReadPart(const toml::table* values, std::string_view name, PoolConfig& pool) {
  if (values == nullptr) return {};
  Target target = TargetOf();
  target.pool = &pool;
  ReadKeys(*values, FindTable(name), target);
  return PlacesIn(*values, name);
}

void Reader::ReadLookup(const toml::table& table) {
  LookupConfig lookup;
  Target target = TargetOf();
  target.lookup = &lookup;
  const std::size_t mistakes = problems_.errors();
  ReadKeys(table, FindTable("lookup"), target);
  lookup.place = problems_.Locate(PlaceOf(table.source()));
  draft_.config.lookups.push_back(std::move(lookup));
  draft_.lookup_places.push_back(PlaceOf(table.source()));
  draft_.lookup_keys.push_back(PlacesIn(table, "lookup"));
  // Of a table with a mistake nothing more is judged: its type may be another one.
  if (problems_.errors() != mistakes) draft_.lookup_keys.back().erase("type");
}

KeyPlaces Reader::PlacesIn(const toml::table& values, std::string_view table) const {
  KeyPlaces places;
  for (const auto& [name, node] : values) {
    const Key* key = FindKey(table, name.str());
    if (key != nullptr) places[key->name] = PlaceOf(node.source());
  }
  return places;
}

// The value's place; the file's beginning when it is not there.
Place Reader::PlaceOfKey(const toml::table& root, std::string_view table,
                         std::string_view key) const {
  const toml::table* values = root[table].as_table();
  const toml::node* node = values == nullptr ? nullptr : values->get(key);
  return node == nullptr ? Place{} : PlaceOf(node->source());
}

Draft Reader::Read(const toml::table& root) {
  CheckTopLevel(root);
  for (const std::string_view name :
       {"gateway", "tls", "routing", "timeouts", "limits", "rules", "log", "admin"}) {
    ReadSingle(root, name);
  }
  ReadEach(root, "listener", "listener", [this](const toml::table& each) { ReadListener(each); });
  ReadEach(root, "certificate", "certificate",
           [this](const toml::table& each) { ReadCertificate(each); });
  ReadEach(root, "pool", "pool", [this](const toml::table& each) { ReadPool(each); });
  ReadEach(root, "lookup", "lookup", [this](const toml::table& each) { ReadLookup(each); });
  draft_.routing_pool_place = PlaceOfKey(root, "routing", "pool");
  draft_.imap_idle_place = PlaceOfKey(root, "timeouts", "imap_idle");
  draft_.pop3_idle_place = PlaceOfKey(root, "timeouts", "pop3_idle");
  draft_.tls_minimum_place = PlaceOfKey(root, "tls", "minimum");
  draft_.config.rule_files_place = problems_.Locate(PlaceOfKey(root, "rules", "files"));
  draft_.config.admin_token_place = problems_.Locate(PlaceOfKey(root, "admin", "token_file"));
  draft_.config.ticket_keys_place = problems_.Locate(PlaceOfKey(root, "tls", "ticket_keys"));
  return std::move(draft_);
}

}  // namespace

Draft ReadTables(const toml::table& root, Problems& problems) {
  return Reader(problems).Read(root);
}

}  // namespace postern
