// Config: the configuration file as values (DESIGN 1.2). Loaded once on the main thread; immutable
// after. Loading collects all errors with file:line:column and a hint; it opens no socket and
// starts nothing.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "postern/base/address.h"
#include "postern/base/ids.h"
#include "postern/base/network.h"
#include "postern/base/status.h"
#include "postern/engine/plan.h"
#include "postern/gateway/routes.h"
#include "postern/net/tls.h"
#include "postern/rules/rule.h"

namespace postern {

struct ListenerConfig {
  std::string name;
  Protocol protocol = Protocol::kImap;
  Address address;
  ListenerTls tls = ListenerTls::kImplicit;
  std::vector<Network> trusted;
  std::vector<Network> proxy;
  MechanismSet mechanisms = kAllMechanisms;
  bool strict_sni = false;
};

struct CertificateConfig {
  std::string chain;  // absolute: what the file says, resolved against the file's folder
  std::string key;
  std::string ocsp;   // empty: no staple
  std::string place;  // "postern.toml:12:1", for errors found when the files are read
};

struct BackendConfig {
  std::string name;
  PoolId pool = 0;
  bool has_imap = false;
  bool has_pop3 = false;
  // Numeric ones as the file has them; of a name what ResolveBackends found. An address whose
  // family() is AF_UNSPEC is not resolved yet.
  Address imap;
  Address pop3;
  // As the file has them, "mail1.internal:143": names are resolved again while Postern runs.
  std::string imap_text;
  std::string pop3_text;
  std::string place;  // "postern.toml:12:1", for what is found out later
};

struct MasterConfig {
  std::string user;
  std::string password_file;  // absolute
  std::string separator;      // empty: by SASL authzid
};

struct ProbeConfig {
  Duration every = std::chrono::seconds(5);
  std::string user;           // empty: no login
  std::string password_file;  // absolute
};

// One [[lookup]].
struct LookupConfig {
  enum class Type : std::uint8_t { kFile, kHttp, kRedis };
  std::string name;  // the metric label; default: the type, with a number from the second on
  Type type = Type::kFile;
  std::string path;           // file; absolute
  std::string url;            // http, https; redis, rediss
  std::string command;        // redis: "HGET mail:{domain} {user}"
  std::string user;           // redis: AUTH; empty: none
  std::string password_file;  // redis; absolute
  std::string ca;             // https, rediss; absolute; empty: the system's
  Duration timeout = std::chrono::seconds(2);
  Duration ttl = std::chrono::seconds(60);
  Duration stale = std::chrono::minutes(10);
  std::string place;  // "postern.toml:12:1"
};

struct PoolConfig {
  std::string name;
  Balance balance = Balance::kUser;
  std::optional<MasterConfig> master;
  ProbeConfig probe;
  std::vector<std::string> pass_commands;      // upper case
  std::vector<std::string> pass_capabilities;  // upper case
  std::vector<BackendId> backends;             // indices into Config::backends
  PoolTls tls = PoolTls::kNone;
  ClientTlsSettings verification;  // verify, ca, pin
  bool insecure = false;
  std::string verify_name;  // empty: the host part of the backend's address
  bool forward_id = true;
  bool forward_xclient = false;
  bool forward_proxy2 = false;
  std::string place;
};

struct Config {
  std::string file;
  unsigned workers = 0;  // 0: one per CPU
  Duration drain = std::chrono::seconds(30);
  std::string user;  // empty: stay who we are
  Plan plan;         // name, timeouts, limits, log.slow
  std::vector<ListenerConfig> listeners;
  std::vector<CertificateConfig> certificates;
  ServerTlsSettings::Version minimum_tls = ServerTlsSettings::Version::k12;
  bool allow_obsolete_tls = false;
  std::string ticket_keys;  // a file; empty: keys of this process alone
  std::string ticket_keys_place;
  bool allow_short_idle = false;
  std::vector<PoolConfig> pools;
  std::vector<BackendConfig> backends;
  PoolId routing_pool = 0;
  std::vector<LookupConfig> lookups;
  std::vector<std::string> rule_files;  // as written, absolute, with * and ?
  std::string rule_files_place;
  // Of all these files in their order; never null. LoadConfig reads them, ParseConfig does not.
  std::shared_ptr<const RuleBook> rules = std::make_shared<const RuleBook>();
  std::size_t rule_tests = 0;  // how many [[test]] tables of theirs were run
  std::string log_path = "-";
  std::string admin_address = "127.0.0.1:9143";  // host:port or unix:PATH
  std::string admin_token_file;                  // absolute; empty: nothing can be changed
  std::string admin_token_place;
};

struct ConfigErrors {
  // "postern.toml:3:8: what is wrong; what would be right", in order of place.
  std::vector<std::string> errors;
  std::vector<std::string> warnings;
};

// The configuration with its rules, valid only when errors.errors is empty. The [[test]] tables of
// the rule files have run: one that failed is an error. Takes tens of milliseconds for a thousand
// rules.
Config LoadConfig(const std::string& path, ConfigErrors& errors);
// The same from text and without the rules, for tests and fuzzers; path is used in messages and to
// resolve relative paths.
Config ParseConfig(std::string_view text, const std::string& path, ConfigErrors& errors);
// The effective configuration as TOML with every default written out (postern check --print).
std::string PrintConfig(const Config& config);
// The reference of all keys: type, default and meaning, a line each.
std::string DescribeKeys();
// Whether this process may run as this configuration says: root must name an account, and only root
// can switch to another. For run, not for check.
Status CheckUser(const Config& config);
// Whether the files that the configuration names can be used: certificates, their keys and staples,
// the CA files, the ticket keys, the files of passwords, of the token and of lookups. Errors and
// warnings name their table's place.
void CheckFiles(const Config& config, ConfigErrors& errors);
// Asks the system's resolver for the backends whose addresses are names. Blocks, for many seconds
// where no name server answers: not while sessions depend on this thread. A name that nobody knows
// is a warning.
void ResolveBackends(Config& config, ConfigErrors& errors);

}  // namespace postern
