// What [[test]] tables say, against rules that do it and rules that do not.
#include "server/rule_tests.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <string>

#include "server/rule_trial.h"

namespace postern {
namespace {

using Catch::Contains;

constexpr std::string_view kRules = R"(
[[rule]]
name = "no dele"
if = { protocol = "pop3", command = "DELE" }
unless = { client = "10.0.0.0/8" }
then = "deny"
[[rule]]
name = "east"
if = { user = '[a-m].*@shard' }
then = "route"
pool = "east"
backend = "e1"
[[rule]]
name = "renamed"
if = { user = '(.*)@old' }
then = "rewrite-user"
to = '\1@new'
[[rule]]
name = "archive"
if = { user = '.*@archive' }
then = "read-only"
[[rule]]
name = "hidden"
if = { user = '.*@hide' }
then = "hide"
mailboxes = 'Secret'
[[rule]]
name = "east is read only"
if = { pool = "east" }
unless = { user = 'ann@.*' }
then = "read-only"
[[rule]]
name = "big"
if = { command = "APPEND", size = ">1KiB", mailbox = 'Sent' }
then = "deny"
[[rule]]
name = "slow"
if = { user = 'slow@.*' }
then = "delay"
delay = "1s"
[[rule]]
name = "watched"
if = { user = 'slow@.*' }
then = "deny"
mode = "report"
[[rule]]
name = "gone"
if = { client = "198.51.100.0/24" }
then = "disconnect"
[[rule]]
name = "old tls"
if = { protocol = "imap" }
then = "require-tls"
minimum = "1.2"
)";

std::vector<std::string> Failures(std::string_view given, std::string_view expect) {
  ConfigErrors errors;
  const std::string text = std::string(kRules) + "[[test]]\nname = \"t\"\ngiven = { " +
                           std::string(given) + " }\nexpect = { " + std::string(expect) + " }\n";
  const RulesRead read = ParseRules(text, "r.toml", nullptr, errors);
  INFO((errors.errors.empty() ? "" : errors.errors[0]));
  REQUIRE(errors.errors.empty());
  return RunRuleTests(read);
}

void Passes(std::string_view given, std::string_view expect) {
  const std::vector<std::string> failures = Failures(given, expect);
  INFO((failures.empty() ? "" : failures[0]));
  CHECK(failures.empty());
}

TEST_CASE("Tests see what rules do") {
  Passes(R"(protocol = "pop3", client = "192.0.2.7", command = "DELE 1")",
         R"(then = "deny", rule = "no dele")");
  Passes(R"(protocol = "pop3", client = "10.0.2.7", command = "DELE 1")", R"(then = "allow")");
  Passes(R"(user = "Ann@Shard")",
         R"(then = "route", rule = "east", pool = "east", backend = "e1")");
  Passes(R"(user = "bob@old")", R"(then = "allow", user = "bob@new")");
  Passes(R"(user = "bob@old")", R"(then = "rewrite-user", rule = "renamed", to = "bob@new")");
  Passes(R"(client = "198.51.100.9")", R"(then = "disconnect", rule = "gone")");
  Passes(R"(user = "slow@x")", R"(then = "allow", also = ["slow"], reports = "watched")");
  Passes(R"(user = "slow@x")", R"(then = "delay", rule = "slow")");
  Passes(R"(user = "quick@x")", R"(then = "allow", also = [], reports = [])");
}

TEST_CASE("TLS that is not given is good enough") {
  Passes(R"(protocol = "imap", user = "x")", R"(then = "allow")");
  Passes(R"(protocol = "imap", tls_version = "1.1")", R"(then = "require-tls", rule = "old tls")");
  Passes(R"(protocol = "imap", tls_version = "none")", R"(then = "deny", rule = "old tls")");
}

TEST_CASE("Commands are read by the engines") {
  for (const char* command : {"APPEND Sent {2000}", "append \\\"Sent\\\" (\\\\Seen) {2000}",
                              "APPEND Sent {2000+}", "APPEND Se&AG4-t {2000}"}) {
    CAPTURE(command);
    Passes(R"(protocol = "imap", user = "x", command = ")" + std::string(command) + "\"",
           R"(then = "deny", rule = "big")");
  }
  Passes(R"(protocol = "imap", user = "x", command = "APPEND Sent {100}")", R"(then = "allow")");
  Passes(R"(protocol = "imap", user = "x", command = "APPEND Drafts {2000}")", R"(then = "allow")");
}

TEST_CASE("What read-only and hide keep from the backend is denied by them") {
  Passes(R"(user = "x@archive", command = "STORE 1 FLAGS \\Seen")",
         R"(then = "deny", rule = "archive")");
  Passes(R"(user = "x@archive", command = "EXPUNGE")", R"(then = "read-only", rule = "archive")");
  Passes(R"(user = "x@archive", client = "10.0.0.9", command = "DELE 1")",
         R"(then = "deny", rule = "archive")");
  Passes(R"(user = "x@archive", command = "SELECT INBOX")",
         R"(then = "allow", also = ["archive"])");
  Passes(R"(user = "x@hide", command = "SELECT Secret")", R"(then = "deny", rule = "hidden")");
  Passes(R"(user = "x@hide", command = "SELECT Secret/Plans")", R"(then = "hide")");
  Passes(R"(user = "x@hide", command = "SELECT Open")", R"(then = "allow", also = ["hidden"])");
}

TEST_CASE("The route's pool is that of the commands") {
  Passes(R"(user = "bob@shard", command = "EXPUNGE")",
         R"(then = "deny", rule = "east is read only")");
  Passes(R"(user = "bob@shard", command = "NOOP")",
         R"(then = "route", also = "east is read only")");
  Passes(R"(user = "ann@shard", command = "EXPUNGE")", R"(then = "route", also = [])");
  Passes(R"(user = "x", pool = "EAST", command = "EXPUNGE")", R"(then = "deny")");
}

TEST_CASE("A test that fails says where, what was expected and what came of it") {
  const auto only = [](std::string_view given, std::string_view expect) {
    const std::vector<std::string> failures = Failures(given, expect);
    REQUIRE(failures.size() == 1);
    return failures[0];
  };
  const auto line = std::to_string(1 + std::count(kRules.begin(), kRules.end(), '\n'));
  CHECK(only(R"(protocol = "pop3", command = "DELE 1")", R"(then = "allow")") ==
        "r.toml:" + line +
            ":1: test \"t\" fails: expected then = \"allow\"; got then = \"deny\", rule = \"no "
            "dele\"");
  CHECK_THAT(only(R"(protocol = "pop3", command = "DELE 1")", R"(then = "deny", rule = "east")"),
             Contains("rule = \"no dele\""));
  CHECK_THAT(only(R"(user = "ann@shard")", R"(then = "route", pool = "west")"),
             Contains("pool = \"east\""));
  CHECK_THAT(only(R"(user = "a@old")", R"(then = "allow", user = "a@old")"),
             Contains("user = \"a@new\""));
  CHECK_THAT(only(R"(user = "slow@x")", R"(then = "allow", also = [])"),
             Contains("also = [\"slow\"]"));
  CHECK_THAT(only(R"(user = "x")", R"(then = "allow", reports = ["watched"])"),
             Contains("reports = []"));
  only(R"(user = "x")", R"(then = "deny")");
  only(R"(user = "x")", R"(then = "limit")");
}

TEST_CASE("What is given is what rules may ask of a command") {
  Given given;
  REQUIRE(SetGiven(given, "protocol", "imap").ok());
  REQUIRE(SetGiven(given, "command", "UID COPY 1:* \"A b\"").ok());
  const auto tried = RuleTrial::Read(given);
  REQUIRE(tried);
  CHECK(tried->mailboxes == std::vector<std::string>{"A b"});
  CHECK(tried->argument == "1:* A b");
  CHECK_FALSE(tried->size);
}

TEST_CASE("Every example of rules passes its tests, alone and with all others") {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(POSTERN_TESTS_DIR "/../rules")) {
    if (entry.path().extension() == ".toml") files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  REQUIRE(files.size() >= 9);
  const auto check = [](const std::vector<std::string>& some) {
    ConfigErrors errors;
    const RulesRead read = ReadRules(some, nullptr, errors);
    CHECK(errors.errors == std::vector<std::string>{});
    CHECK(FindUselessRules(*read.book) == std::vector<std::string>{});
    CHECK(read.tests.size() >= 3);
    CHECK(RunRuleTests(read) == std::vector<std::string>{});
  };
  for (const std::string& file : files) {
    CAPTURE(file);
    check({file});
  }
  check(files);
}

}  // namespace
}  // namespace postern
