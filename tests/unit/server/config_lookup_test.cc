// [[lookup]], pool.master, pool.probe and [rules]: what is read, what is refused and with which
// words.
#include "unit/server/config_fixture.h"

namespace postern {
namespace {

using Catch::Contains;

std::string LookupWith(std::string_view lines) {
  return std::string(kMinimal) + "[[lookup]]\n" + std::string(lines) + "\n";
}

TEST_CASE("Lookups without a name are called by their type and a number") {
  const Config config = ParseGood(std::string(kMinimal) + R"(
[[lookup]]
type = "file"
path = "a.map"
[[lookup]]
type = "http"
name = "file2"
url = "http://127.0.0.1:8080/auth"
[[lookup]]
type = "file"
path = "b.map"
)")
                            .config;
  REQUIRE(config.lookups.size() == 3);
  CHECK(config.lookups[0].name == "file");
  CHECK(config.lookups[0].path == "/etc/postern/a.map");
  CHECK(config.lookups[1].name == "file2");
  CHECK(config.lookups[2].name == "file3");
}

TEST_CASE("Lookups must have different names") {
  const std::string one = "[[lookup]]\ntype = \"file\"\npath = \"a\"\nname = \"x\"\n";
  CHECK_THAT(OnlyErrorOf(std::string(kMinimal) + one + one), Contains("names must differ"));
}

TEST_CASE("A lookup has the keys of its type and no others") {
  CHECK_THAT(OnlyErrorOf(LookupWith("type = \"file\"\npath = \"a\"\nurl = \"http://a\"")),
             Contains("18:7: url is not a key of a lookup of type \"file\"; it has path"));
  CHECK_THAT(OnlyErrorOf(LookupWith("type = \"http\"\nurl = \"http://a.b\"\ncommand = \"GET x\"")),
             Contains("it has url, ca, timeout, ttl, stale"));
  CHECK_THAT(OnlyErrorOf(LookupWith("type = \"file\"")),
             Contains("15:1: a lookup of type \"file\" needs path"));
  CHECK_THAT(OnlyErrorOf(LookupWith("type = \"redis\"\nurl = \"redis://a.b\"")),
             Contains("needs command"));
  CHECK_THAT(OnlyErrorOf(LookupWith("type = \"ldap\"")),
             Contains("must be \"file\" or \"http\" or \"redis\""));
  CHECK_THAT(OnlyErrorOf(LookupWith("path = \"a\"")), Contains("[[lookup]] has no type"));
}

TEST_CASE("The scheme of a URL fits the lookup") {
  const auto of = [](std::string_view type, std::string_view url) {
    return LookupWith("type = \"" + std::string(type) + "\"\nurl = \"" + std::string(url) + "\"" +
                      (type == "redis" ? "\ncommand = \"GET {user}\"" : ""));
  };
  for (const char* url : {"http://a.example", "https://a.example:8443/x?y=1", "http://[::1]:80/"}) {
    CAPTURE(url);
    ParseGood(of("http", url));
  }
  for (const char* url : {"redis://127.0.0.1", "rediss://cache.internal:6380/15"}) {
    CAPTURE(url);
    ParseGood(of("redis", url));
  }
  for (const char* url : {"redis://a.example", "a.example", "ftp://a.example", "http:/a.example"}) {
    CAPTURE(url);
    CHECK_THAT(OnlyErrorOf(of("http", url)), Contains("speaks http or https"));
  }
  CHECK_THAT(OnlyErrorOf(of("http", "http://")), Contains("has no host"));
  CHECK_THAT(OnlyErrorOf(of("http", "http://a.example:0/")), Contains("has no port"));
  CHECK_THAT(OnlyErrorOf(of("redis", "redis://u:p@127.0.0.1/0")), Contains("password_file"));
  CHECK_THAT(OnlyErrorOf(of("redis", "redis://127.0.0.1/users")), Contains("names no database"));
}

TEST_CASE("A roots file without TLS does nothing") {
  CHECK_THAT(OnlyWarningOf(LookupWith("type = \"http\"\nurl = \"http://a.b\"\nca = \"x.pem\"")),
             Contains("ca does nothing without TLS"));
}

TEST_CASE("The braces of a command are those that are known") {
  const auto with = [](std::string_view command) {
    return LookupWith("type = \"redis\"\nurl = \"redis://a.b\"\ncommand = \"" +
                      std::string(command) + "\"");
  };
  ParseGood(with("HGET mail:{domain} {local} {user}"));
  CHECK_THAT(OnlyErrorOf(with("GET {usr}")), Contains("{usr} is not known"));
  CHECK_THAT(OnlyErrorOf(with("GET {user")), Contains("a brace stands alone"));
  CHECK_THAT(OnlyErrorOf(with("GET user}")), Contains("a brace stands alone"));
}

TEST_CASE("A name at redis needs its password") {
  CHECK_THAT(OnlyErrorOf(LookupWith("type = \"redis\"\nurl = \"redis://a.b\"\ncommand = \"GET "
                                    "{user}\"\nuser = \"me\"")),
             Contains("add password_file"));
}

TEST_CASE("A master account without a lookup that vouches is of no use") {
  const std::string master = PoolWith("master = { user = \"m\", password_file = \"m.pw\" }");
  CHECK_THAT(OnlyWarningOf(master), Contains("10:") && Contains("a lookup has vouched for"));
  ParseGood(master + "[[lookup]]\ntype = \"http\"\nurl = \"http://127.0.0.1/\"\n");
  CHECK_THAT(OnlyErrorOf(PoolWith("master = { user = \"m\" }")),
             Contains("[pool.master] has no password_file"));
  CHECK_THAT(OnlyErrorOf(PoolWith("master = 3")),
             Contains("must be one table; write [pool.master]"));
}

TEST_CASE("A probe logs in with both user and password or not at all") {
  CHECK_THAT(OnlyErrorOf(PoolWith("probe = { user = \"p\" }")), Contains("add password_file"));
  CHECK_THAT(OnlyErrorOf(PoolWith("probe = { password_file = \"p\" }")), Contains("add user"));
  CHECK_THAT(OnlyErrorOf(PoolWith("probe = { every = \"5ms\" }")), Contains("at least \"100ms\""));
  CHECK_THAT(OnlyErrorOf(PoolWith("probe = { evry = \"5s\" }")),
             Contains("did you mean \"every\"?"));
}

TEST_CASE("What a pool may pass is a name and nothing that Postern does itself") {
  const Config config =
      ParseGood(PoolWith("pass_commands = [\"xlookup\"]\npass_capabilities = [\"x-foo\"]")).config;
  CHECK(config.pools[0].pass_commands == std::vector<std::string>{"XLOOKUP"});
  CHECK(config.pools[0].pass_capabilities == std::vector<std::string>{"X-FOO"});
  CHECK_THAT(OnlyErrorOf(PoolWith("pass_commands = [\"FETCH\"]")),
             Contains("follows this command"));
  CHECK_THAT(OnlyErrorOf(PoolWith("pass_commands = [\"X Y\"]")), Contains("not a name of IMAP"));
  for (const char* name : {"starttls", "COMPRESS=DEFLATE", "AUTH=SCRAM-SHA-256-PLUS", "LITERAL-"}) {
    CAPTURE(name);
    CHECK_THAT(OnlyErrorOf(PoolWith("pass_capabilities = [\"" + std::string(name) + "\"]")),
               Contains("cannot be passed"));
  }
}

TEST_CASE("The balance is by user or by least sessions") {
  CHECK(ParseGood(PoolWith("balance = \"least\"")).config.pools[0].balance == Balance::kLeast);
  CHECK_THAT(OnlyErrorOf(PoolWith("balance = \"round\"")), Contains("\"user\" or \"least\""));
}

TEST_CASE("Rule files are one path or several") {
  CHECK(ParseGood(std::string(kMinimal) + "[rules]\nfiles = \"r.toml\"\n").config.rule_files ==
        std::vector<std::string>{"/etc/postern/r.toml"});
  CHECK_THAT(OnlyErrorOf(std::string(kMinimal) + "[rules]\nfiles = [3]\n"), Contains("in quotes"));
}

}  // namespace
}  // namespace postern
