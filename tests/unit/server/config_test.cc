#include "postern/server/config.h"

#include <catch2/catch.hpp>

#include "postern/base/text.h"
#include "server/config_schema.h"
#include "unit/server/config_fixture.h"

namespace postern {
namespace {

TEST_CASE("A minimal configuration has safe defaults") {
  const Config config = ParseGood(kMinimal).config;
  CHECK(config.file == "/etc/postern/p.toml");
  CHECK(config.plan.name == "postern");
  CHECK(config.workers == 0);
  CHECK(config.drain == std::chrono::seconds(30));
  CHECK(config.user.empty());
  REQUIRE(config.listeners.size() == 1);
  CHECK(config.listeners[0].protocol == Protocol::kImap);
  CHECK(config.listeners[0].address.Text() == "127.0.0.1:993");
  REQUIRE(config.certificates.size() == 1);
  CHECK(config.certificates[0].chain == "/etc/postern/tls/chain.pem");
  CHECK(config.certificates[0].key == "/etc/key.pem");
  CHECK(config.certificates[0].place == "/etc/postern/p.toml:5:1");
  CHECK(config.minimum_tls == ServerTlsSettings::Version::k12);
  CHECK(config.plan.timeouts.imap_idle == std::chrono::minutes(35));
  CHECK(config.plan.limits.login_attempts == 3);
  CHECK(config.log_path == "-");
  CHECK(config.admin_address == "127.0.0.1:9143");
}

TEST_CASE("Every printed default is the one the reference promises") {
  // Of a pool without TLS nothing is printed that could make believe it verified.
  // A lookup in a file has neither timeout nor memory.
  const std::string lookup =
      std::string(kMinimal) + "[[lookup]]\ntype = \"http\"\nurl = \"http://127.0.0.1/\"\n";
  const std::string printed = PrintConfig(ParseGood(kMinimal).config) +
                              PrintConfig(ParseGood(PoolWith("tls = \"starttls\"")).config) +
                              PrintConfig(ParseGood(lookup).config);
  for (const Key& key : Keys()) {
    if (key.preset.empty()) continue;
    CAPTURE(key.table, key.name);
    const std::string line = std::string(key.name) + " = " + std::string(key.preset) + "\n";
    CHECK(printed.find("\n" + line) != std::string::npos);
  }
}

TEST_CASE("Every key can be set and the printed configuration reads back as itself") {
  const Config config = ParseGood(R"([gateway]
name = "mail.example"
workers = 4
drain = "90s"
user = "root"
[[listener]]
name = "imaps"
protocol = "imap"
address = "[::1]:993"
tls = "starttls"
trusted = ["10.0.0.0/8", "2001:db8::/32"]
proxy = ["127.0.0.1/32"]
mechanisms = ["plain", "XOAUTH2"]
strict_sni = true
[[listener]]
name = "pop3s"
protocol = "pop3"
address = "127.0.0.1:0"
[[certificate]]
chain = "chain.pem"
key = "key.pem"
ocsp = "ocsp.der"
[[certificate]]
chain = "rsa-chain.pem"
key = "rsa-key.pem"
[tls]
minimum = "1.3"
allow_obsolete = true
ticket_keys = "ticket.keys"
[[pool]]
name = "old"
balance = "user"
tls = "starttls"
verify = "full"
insecure = false
ca = "ca.pem"
verify_name = "mail.internal"
forward = ["id", "xclient"]
pass_commands = ["XFOLDERS"]
pass_capabilities = ["XFOLDERS"]
probe = { every = "2s", user = "probe", password_file = "probe.pw" }
[pool.master]
user = "gateway"
password_file = "master.pw"
separator = "*"
[[pool.backend]]
name = "mail1"
imap = "127.0.0.1:143"
pop3 = "127.0.0.1:110"
[[pool.backend]]
name = "mail2"
imap = "127.0.0.2:143"
pop3 = "127.0.0.2:110"
[[pool]]
name = "new"
tls = "implicit"
verify = "pin"
pin = "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
forward = []
[[pool.backend]]
name = "mail1"
imap = "localhost:143"
pop3 = "127.0.0.3:110"
[routing]
pool = "new"
[[lookup]]
type = "file"
path = "users.map"
[[lookup]]
type = "http"
name = "web"
url = "https://127.0.0.1:8080/auth"
ca = "web.pem"
timeout = "1s"
ttl = "0s"
stale = "1h"
[[lookup]]
type = "redis"
url = "rediss://127.0.0.1:6379/0"
command = "HGET mail:{domain} {local}"
user = "gateway"
password_file = "redis.pw"
[timeouts]
handshake = "1500ms"
login = "1h"
connect = "2s"
imap_idle = "1m"
pop3_idle = "1m"
allow_short_idle = true
[limits]
sessions = 5000
login_attempts = 1
append = "25MiB"
[rules]
files = ["rules/*.toml", "/srv/a.toml"]
[log]
path = "postern.log"
slow = "250ms"
[admin]
address = "unix:admin.sock"
token_file = "admin.token"
)")
                            .config;
  CHECK(config.plan.timeouts.handshake == std::chrono::milliseconds(1500));
  CHECK(config.plan.limits.append == 25u * 1024 * 1024);
  CHECK(config.plan.limits.sessions == 5000);
  CHECK(config.plan.slow == std::chrono::milliseconds(250));
  CHECK(config.minimum_tls == ServerTlsSettings::Version::k13);
  CHECK(config.ticket_keys == "/etc/postern/ticket.keys");
  CHECK(config.routing_pool == 1);
  REQUIRE(config.backends.size() == 3);
  CHECK(config.backends[2].pool == 1);
  CHECK(config.pools[1].backends == std::vector<BackendId>{2});
  CHECK(config.log_path == "/etc/postern/postern.log");
  CHECK(config.admin_address == "unix:/etc/postern/admin.sock");
  CHECK(config.admin_token_file == "/etc/postern/admin.token");
  CHECK(config.pools[0].balance == Balance::kUser);
  REQUIRE(config.pools[0].master);
  CHECK(config.pools[0].master->separator == "*");
  CHECK(config.pools[0].probe.every == std::chrono::seconds(2));
  CHECK(config.pools[0].probe.password_file == "/etc/postern/probe.pw");
  CHECK_FALSE(config.pools[1].master);
  CHECK(config.pools[1].probe.every == std::chrono::seconds(5));
  REQUIRE(config.lookups.size() == 3);
  CHECK(config.lookups[0].name == "file");
  CHECK(config.lookups[1].ttl == Duration::zero());
  CHECK(config.lookups[2].name == "redis");
  CHECK(config.rule_files == std::vector<std::string>{"/etc/postern/rules/*.toml", "/srv/a.toml"});

  const std::string printed = PrintConfig(config);
  CHECK(PrintConfig(ParseGood(printed).config) == printed);
  for (const Key& key : Keys()) {
    CAPTURE(key.table, key.name);
    CHECK(printed.find("\n" + std::string(key.name) + " = ") != std::string::npos);
  }
}

TEST_CASE("The reference names every key") {
  const std::string reference = DescribeKeys();
  for (const Key& key : Keys()) {
    CAPTURE(key.table, key.name);
    CHECK(reference.find("  " + std::string(key.name) + " ") != std::string::npos);
  }
  for (const Table& table : Tables()) CHECK(reference.find(Heading(table)) != std::string::npos);
}

TEST_CASE("All errors come at once and in order of place") {
  const std::vector<std::string> errors = ErrorsWith(R"([gateway]
drain = "30"
workers = "1"
nme = "x"
[limits]
append = 25
[adminn]
)");
  REQUIRE(errors.size() == 5);
  CHECK(
      errors[0] ==
      "/etc/postern/p.toml:2:9: drain = \"30\": not a duration; write a whole number and ms, s, m "
      "or h, as in \"30s\"");
  CHECK(errors[1] ==
        "/etc/postern/p.toml:3:11: workers = \"1\": is text; must be an integer without quotes");
  CHECK(errors[2] ==
        "/etc/postern/p.toml:4:1: unknown key \"nme\" in [gateway]; did you mean \"name\"?");
  CHECK(errors[3] ==
        "/etc/postern/p.toml:6:10: append = 25: is an integer; must be a size in quotes");
  CHECK(errors[4] == "/etc/postern/p.toml:7:2: unknown table \"adminn\"; did you mean \"admin\"?");
}

TEST_CASE("A syntax error has its place") {
  const std::string error = OnlyErrorOf("[gateway]\nname = \n");
  CHECK(StartsWithNoCase(error, "/etc/postern/p.toml:2:"));
}

TEST_CASE("Control characters of the file are not printed as such") {
  for (const std::string_view text : {"name = n\x02", "\"a\\u001b[2J\" = 1", "\x7f"}) {
    const std::vector<std::string> errors = Parse(text).errors.errors;
    REQUIRE_FALSE(errors.empty());
    for (const std::string& error : errors) {
      for (const char c : error) CHECK((c >= ' ' && c <= '~'));
    }
  }
}

TEST_CASE("A key that is given twice is an error") {
  const std::string error = OnlyErrorOf("[gateway]\nname = \"a\"\nname = \"b\"\n");
  CHECK(StartsWithNoCase(error, "/etc/postern/p.toml:3:"));
}

TEST_CASE("An empty configuration says all that is missing") {
  const std::vector<std::string> errors = Parse("").errors.errors;
  REQUIRE(errors.size() == 3);
  for (const std::string& error : errors) {
    CHECK(StartsWithNoCase(error, "/etc/postern/p.toml:1:1: no "));
  }
  CHECK(Parse("listener = []\ncertificate = []\npool = []\n").errors.errors.size() == 3);
}

TEST_CASE("A required key that is missing is named at its table") {
  CHECK(OnlyErrorOf(Replaced("address = \"127.0.0.1:993\"\n", "")) ==
        "/etc/postern/p.toml:1:1: [[listener]] has no address; add address = \"...\": numeric; "
        "[::]:993 is IPv6 only; port 0 takes a free one");
}

TEST_CASE("Values beyond what is known say what is") {
  CHECK(OnlyErrorOf(ListenerWith("tls = \"startls\"")) ==
        "/etc/postern/p.toml:3:7: tls = \"startls\": not known; must be \"implicit\" or "
        "\"starttls\" or \"refuse\" or \"none\"");
  CHECK_THAT(OnlyErrorOf(PoolWith("tls = \"tls\"")),
             Catch::Contains("must be \"none\" or \"starttls\" or \"implicit\""));
  CHECK_THAT(OnlyErrorOf(Replaced("\"imap\"", "\"smtp\"")),
             Catch::Contains("must be \"imap\" or \"pop3\""));
  CHECK_THAT(OnlyErrorOf("[tls]\nminimum = \"1.4\"\n" + std::string(kMinimal)),
             Catch::Contains("\"1.2\" or \"1.3\""));
}

TEST_CASE("Names must differ and addresses too") {
  const std::string twice = std::string(kMinimal) +
                            "[[listener]]\nname = \"imaps\"\nprotocol = \"imap\"\n"
                            "address = \"127.0.0.1:993\"\n"
                            "[[pool]]\nname = \"legacy\"\n[[pool.backend]]\nname = \"a\"\n"
                            "imap = \"127.0.0.1:1\"\n[[pool.backend]]\nname = \"a\"\n"
                            "imap = \"127.0.0.1:2\"\n";
  const std::vector<std::string> errors = Parse(twice).errors.errors;
  REQUIRE(errors.size() == 4);
  CHECK_THAT(errors[0], Catch::Contains("15:1: a second listener is named \"imaps\""));
  CHECK_THAT(errors[1], Catch::Contains("15:1: 127.0.0.1:993 is listener \"imaps\"'s address too"));
  CHECK_THAT(errors[2], Catch::Contains("19:1: a second pool is named \"legacy\""));
  CHECK_THAT(errors[3],
             Catch::Contains("24:1: a second backend of pool \"legacy\" is named \"a\""));
}

TEST_CASE("The admin address may not be a listener's") {
  CHECK_THAT(OnlyErrorOf("[admin]\naddress = \"127.0.0.1:993\"\n" + std::string(kMinimal)),
             Catch::Contains("127.0.0.1:993 is admin.address too"));
}

TEST_CASE("Routing names a pool that exists") {
  CHECK(OnlyErrorOf(Replaced("pool = \"legacy\"", "pool = \"legcy\"")) ==
        "/etc/postern/p.toml:14:8: pool = \"legcy\": no pool has this name; did you mean "
        "\"legacy\"?");
  CHECK_THAT(OnlyErrorOf(Replaced("pool = \"legacy\"", "pool = \"zzzzzzzz\"")),
             Catch::Contains("there is \"legacy\""));
}

TEST_CASE("A backend has an address for each protocol that is served") {
  CHECK(OnlyErrorOf(Replaced("protocol = \"imap\"", "protocol = \"pop3\"")) ==
        "/etc/postern/p.toml:10:1: backend \"mail1\" has no pop3 address, but listener \"imaps\" "
        "serves it; add pop3 = \"host:port\"");
}

TEST_CASE("Names that mean something else in logs and metrics are refused") {
  CHECK_THAT(OnlyErrorOf(Replaced("\"imaps\"", "\"admin\"")), Catch::Contains("choose another"));
  CHECK_THAT(OnlyErrorOf(Replaced("\"imaps\"", "\"a b\"")), Catch::Contains("not a name"));
  const std::vector<std::string> errors =
      Parse(Replaced("name = \"legacy\"", "name = \"none\"")).errors.errors;
  REQUIRE(errors.size() == 2);
  CHECK_THAT(errors[0], Catch::Contains("choose another"));
}

TEST_CASE("Short idle timeouts need a second word") {
  const std::vector<std::string> errors =
      ErrorsWith("[timeouts]\nimap_idle = \"29m\"\npop3_idle = \"599s\"\n");
  REQUIRE(errors.size() == 2);
  CHECK_THAT(errors[0], Catch::Contains("2:13: imap_idle = \"29m\": the RFC asks for at least"));
  CHECK_THAT(errors[1], Catch::Contains("3:13: pop3_idle = \"599s\""));
  CHECK(ErrorsWith("[timeouts]\nimap_idle = \"1s\"\nallow_short_idle = true\n").empty());
  CHECK(ErrorsWith("[timeouts]\nimap_idle = \"30m\"\npop3_idle = \"10m\"\n").empty());
}

TEST_CASE("Tables and lists of tables are told apart") {
  CHECK_THAT(ErrorsWith("[[gateway]]\nname = \"x\"\n").at(0), Catch::Contains("write [gateway]"));
  CHECK_THAT(OnlyErrorOf(Replaced("[[certificate]]", "[certificate]")),
             Catch::Contains("write [[certificate]]"));
}

TEST_CASE("A pool nobody uses is a warning") {
  const Parsed parsed = ParseGood(std::string(kMinimal) +
                                  "[[pool]]\nname = \"spare\"\n[[pool.backend]]\nname = \"b\"\n"
                                  "imap = \"127.0.0.1:1143\"\n");
  REQUIRE(parsed.errors.warnings.size() == 1);
  CHECK_THAT(parsed.errors.warnings[0],
             Catch::Contains("15:1: pool \"spare\" is not used; routing.pool is \"legacy\""));
}

TEST_CASE("A file that cannot be read says why") {
  for (const auto& [path, reason] : {std::pair("/nonexistent", "No such file or directory"),
                                     std::pair("/tmp", "Is a directory")}) {
    ConfigErrors errors;
    LoadConfig(path, errors);
    REQUIRE(errors.errors.size() == 1);
    CHECK(errors.errors[0] ==
          std::string(path) + ":1:1: cannot be read: " + reason + "; name a file with -c");
  }
}

}  // namespace
}  // namespace postern
