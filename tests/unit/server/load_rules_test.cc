// The rules of a configuration: their files, their tests, what is warned of; and files of secrets.
#include "server/load_rules.h"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "server/secret_file.h"
#include "server/text_file.h"
#include "unit/net/tls_fixture.h"
#include "unit/server/config_fixture.h"

namespace postern {
namespace {

using Catch::Contains;

// A folder with a configuration and rule files.
struct RuleFolder {
  std::string Write(const std::string& name, std::string_view text) {
    const std::filesystem::path path = folder.Path(name);
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
    return path.string();
  }
  Config Load(const std::string& files) {
    errors = {};
    return LoadConfig(Write("p.toml", std::string(kMinimal) + "[rules]\nfiles = " + files + "\n"),
                      errors);
  }

  TemporaryFolder folder;
  ConfigErrors errors;
};

std::string RuleNamed(const std::string& name) {
  return "[[rule]]\nname = \"" + name + "\"\nif = { user = \"" + name + "\" }\nthen = \"log\"\n";
}

TEST_CASE("Rule files are one book in the order of their names") {
  RuleFolder folder;
  folder.Write("rules/b.toml", RuleNamed("b"));
  folder.Write("more/a.toml", RuleNamed("a"));
  folder.Write("rules/c.toml", RuleNamed("c"));
  folder.Write("rules/.d.toml", RuleNamed("d"));
  folder.Write("rules/e.toml~", RuleNamed("e"));
  const Config config = folder.Load(R"(["rules/*.toml", "more/?.toml", "rules/b.toml"])");
  CHECK(folder.errors.errors == std::vector<std::string>{});
  REQUIRE(config.rules->rules.size() == 3);
  CHECK(config.rules->rules[0].name == "a");
  CHECK(config.rules->rules[1].name == "b");
  CHECK(config.rules->rules[2].name == "c");
}

TEST_CASE("A file that is missing is an error and a pattern that finds none a warning") {
  RuleFolder folder;
  folder.Load(R"(["none.toml"])");
  REQUIRE(folder.errors.errors.size() == 1);
  CHECK_THAT(folder.errors.errors[0], Contains("none.toml:1:1: cannot be read"));
  folder.Load(R"(["none/*.toml"])");
  CHECK(folder.errors.errors == std::vector<std::string>{});
  REQUIRE(folder.errors.warnings.size() == 1);
  CHECK_THAT(folder.errors.warnings[0], Contains("p.toml:16:9: no file is"));
}

TEST_CASE("A test that fails refuses the configuration") {
  RuleFolder folder;
  const std::string test =
      "[[test]]\nname = \"t\"\ngiven = { user = \"a\" }\nexpect = { then = \"deny\" }\n";
  folder.Write("a.toml", RuleNamed("a") + test);
  CHECK(folder.Load("\"a.toml\"").rule_tests == 1);
  REQUIRE(folder.errors.errors.size() == 1);
  CHECK_THAT(folder.errors.errors[0], Contains("a.toml:5:1: test \"t\" fails"));
}

TEST_CASE("Mistakes of all files are told at once") {
  RuleFolder folder;
  folder.Write("rules/a.toml", "[[rule]]\nname = \"a\"\n");
  folder.Write("rules/b.toml", "x = 1\n");
  folder.Load("\"rules/?.toml\"");
  CHECK(folder.errors.errors.size() == 2);
}

TEST_CASE("A rule with the name of another file's is an error") {
  RuleFolder folder;
  folder.Write("rules/a.toml", RuleNamed("x"));
  folder.Write("rules/b.toml", RuleNamed("x"));
  folder.Load("\"rules/?.toml\"");
  REQUIRE(folder.errors.errors.size() == 1);
  CHECK_THAT(folder.errors.errors[0], Contains("b.toml:1:1") && Contains("a.toml:1:1"));
}

TEST_CASE("Exemptions that are over are named") {
  ConfigErrors errors;
  const RulesRead read = ParseRules(RuleNamed("x") +
                                        "[[rule.exempt]]\nuser = \"a\"\nuntil = 2020-01-01\n"
                                        "[[rule.exempt]]\nuser = \"b\"\nuntil = 2099-01-01\n"
                                        "[[rule.exempt]]\nuser = \"c\"\n",
                                    "r.toml", nullptr, errors);
  REQUIRE(errors.errors.empty());
  const std::vector<std::string> ended = EndedExemptions(*read.book, 1'795'000'000);
  REQUIRE(ended.size() == 1);
  CHECK_THAT(ended[0], Contains("r.toml:6:8: rule \"x\": the exemption of \"a\"") &&
                           Contains("ended on 2020-01-01"));
  CHECK(EndedExemptions(*read.book, 1'577'836'800).empty());  // that day has begun
}

TEST_CASE("A path with stars and question marks is those that fit") {
  RuleFolder folder;
  const std::string root = folder.folder.Path("").substr(0, folder.folder.Path("").size() - 1);
  folder.Write("one/a.toml", "");
  folder.Write("one/ab.toml", "");
  folder.Write("two/a.toml", "");
  CHECK(ExpandPath(root + "/one/a?.toml") == std::vector<std::string>{root + "/one/ab.toml"});
  CHECK(ExpandPath(root + "/*/a.toml").size() == 2);
  CHECK(ExpandPath(root + "/*/*").size() == 3);
  CHECK(ExpandPath(root + "/*/*b*l").size() == 1);
  CHECK(ExpandPath(root + "/none/*").empty());
  CHECK(ExpandPath(root + "/none") == std::vector<std::string>{root + "/none"});
}

TEST_CASE("A file of a secret holds one line") {
  RuleFolder folder;
  const auto read = [&](std::string_view text) {
    return ReadSecretFile(folder.Write("secret", text));
  };
  CHECK(read("geheim\n").value().Reveal() == "geheim");
  CHECK(read("geheim\r\n").value().Reveal() == "geheim");
  CHECK(read(" with spaces ").value().Reveal() == " with spaces ");
  for (const std::string_view bad : {std::string_view(""), std::string_view("\n"),
                                     std::string_view("a\nb\n"), std::string_view("a\0b", 3)}) {
    CAPTURE(bad);
    CHECK_FALSE(read(bad).ok());
  }
  CHECK_FALSE(read(std::string(5000, 'x')).ok());
  const auto missing = ReadSecretFile(folder.folder.Path("none"));
  REQUIRE_FALSE(missing.ok());
  CHECK_THAT(missing.error().message(), Contains("cannot be read"));
}

TEST_CASE("Files that lookups, accounts and the token need are looked at") {
  RuleFolder folder;
  const auto check = [&](const std::string& more) {
    ConfigErrors errors;
    Config config = ParseConfig(std::string(kMinimal) + more, folder.folder.Path("p.toml"), errors);
    REQUIRE(errors.errors.empty());
    config.certificates.clear();
    errors = {};
    CheckFiles(config, errors);
    return errors;
  };
  CHECK_THAT(check("[[lookup]]\ntype = \"file\"\npath = \"none.map\"\n").errors.at(0),
             Contains("p.toml:15:1: ") && Contains("none.map: cannot be read"));
  CHECK_THAT(check("[admin]\ntoken_file = \"none\"\n").errors.at(0), Contains("p.toml:16:14: "));
  const std::string token = folder.Write("token", "short\n");
  REQUIRE(chmod(token.c_str(), 0644) == 0);
  const ConfigErrors of_token = check("[admin]\ntoken_file = \"token\"\n");
  CHECK(of_token.errors.empty());
  REQUIRE(of_token.warnings.size() == 2);
  CHECK_THAT(of_token.warnings[0], Contains("fewer than 16 characters"));
  CHECK_THAT(of_token.warnings[1], Contains("everybody on this machine can read the token"));
}

}  // namespace
}  // namespace postern
