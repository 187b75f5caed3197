#include "lookup/user_map.h"

#include <stdlib.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdio>
#include <fstream>
#include <string>

#include "unit/lookup/targets_fixture.h"

namespace postern {
namespace {

const Places& ThePlaces() {
  static const Places places(testing::Targets());
  return places;
}

Result<UserMap> Parse(std::string_view text) {
  return UserMap::Parse(text, "users.map", ThePlaces(), {});
}

// "legacy", "legacy/mail1", or "-" for somebody unknown.
std::string Where(const UserMap& map, std::string_view user) {
  const std::optional<Place> place = map.Find(user);
  if (!place) return "-";
  static const LookupTargets targets = testing::Targets();
  std::string text = targets.pools[place->pool].name;
  if (place->backend != kNoBackend) text += "/" + targets.backends[place->backend].name;
  return text;
}

TEST_CASE("User map finds users in any case") {
  const Result<UserMap> map =
      Parse("ann@a.example\tlegacy\nBob@B.Example\tmodern/new1\ncarl\tlegacy/mail2\n");
  REQUIRE(map.ok());
  CHECK(map.value().size() == 3);
  CHECK(Where(map.value(), "ann@a.example") == "legacy");
  CHECK(Where(map.value(), "ANN@a.example") == "legacy");
  CHECK(Where(map.value(), "bob@b.example") == "modern/new1");
  CHECK(Where(map.value(), "carl") == "legacy/mail2");
  CHECK(Where(map.value(), "ann@b.example") == "-");
  CHECK(Where(map.value(), "ann") == "-");
  CHECK(Where(map.value(), "") == "-");
}

TEST_CASE("User map skips comments and blank lines and takes any line end") {
  const Result<UserMap> map =
      Parse("# users\r\n\r\n  # more\nann\tlegacy\r\n   \nbob\tmodern  \n\ncarl\tlegacy");
  REQUIRE(map.ok());
  CHECK(map.value().size() == 3);
  CHECK(Where(map.value(), "ann") == "legacy");
  CHECK(Where(map.value(), "bob") == "modern");
  CHECK(Where(map.value(), "carl") == "legacy");
}

TEST_CASE("User map begins behind a byte order mark") {
  const Result<UserMap> map = Parse(
      "\xEF\xBB\xBF"
      "ann\tlegacy\n");
  REQUIRE(map.ok());
  CHECK(Where(map.value(), "ann") == "legacy");
}

TEST_CASE("User map of nothing knows nobody") {
  const Result<UserMap> map = Parse("");
  REQUIRE(map.ok());
  CHECK(Where(map.value(), "ann") == "-");
}

TEST_CASE("User map sends a domain where its line says") {
  const Result<UserMap> map = Parse("@a.example\tlegacy\nann@a.example\tmodern\n");
  REQUIRE(map.ok());
  CHECK(Where(map.value(), "bob@A.example") == "legacy");
  CHECK(Where(map.value(), "ann@a.example") == "modern");
  CHECK(Where(map.value(), "odd@x@a.example") == "legacy");
  CHECK(Where(map.value(), "bob@b.example") == "-");
  CHECK(Where(map.value(), "a.example") == "-");
}

TEST_CASE("User map names what is wrong with a line") {
  struct Row {
    const char* text;
    const char* said;
  };
  const Row rows[] = {
      {"ann\n", "line 1: no tab between user and pool"},
      {"ann legacy\n", "line 1: no tab"},
      {"a\tlegacy\n\n\tlegacy\n", "line 3: no user before the tab"},
      {"ann\t\n", "line 1: no tab"},
      {"ann\t\tlegacy\n", "line 1: pool \"\\u0009legacy\" is not configured"},
      {"ann\tlegacyy\n", "pool \"legacyy\" is not configured, did you mean \"legacy\"?"},
      {"ann\tgone\n", "pool \"gone\" is not configured"},
      {"ann\tmodern/new2\n", "did you mean \"new1\"?"},
      {"ann\tmodern/mail1\n", "backend of pool \"modern\": \"mail1\" is not configured"},
      {"ann\tlegacy/\n", "backend of pool \"legacy\": \"\" is not configured"},
      {"# x\nann\tlegacy\nANN\tlegacy\n", "line 3: user \"ann\" has a line already"},
      {"a\x01"
       "b\tlegacy\n",
       "a control character in the user"},
  };
  for (const Row& row : rows) {
    INFO(row.text);
    const Result<UserMap> map = Parse(row.text);
    REQUIRE_FALSE(map.ok());
    CHECK_THAT(map.error().message(), Catch::Matchers::StartsWith("users.map: 1 line is wrong: "));
    CHECK_THAT(map.error().message(), Catch::Matchers::Contains(row.said));
  }
}

TEST_CASE("User map takes users of up to 255 octets") {
  const std::string longest(255, 'u');
  const Result<UserMap> map = Parse(longest + "\tlegacy\n");
  REQUIRE(map.ok());
  CHECK(Where(map.value(), longest) == "legacy");
  CHECK(Where(map.value(), longest + "u") == "-");
  CHECK_FALSE(Parse(longest + "u\tlegacy\n").ok());
}

TEST_CASE("User map tells the first ten mistakes and their number") {
  std::string text;
  for (int i = 0; i < 25; ++i) text += "fine" + std::to_string(i) + "\tlegacy\nwrong\n";
  const Result<UserMap> map = Parse(text);
  REQUIRE_FALSE(map.ok());
  const std::string& said = map.error().message();
  CHECK_THAT(said, Catch::Matchers::StartsWith("users.map: 25 lines are wrong: line 2: "));
  CHECK_THAT(said, Catch::Matchers::Contains("line 20: "));
  CHECK(said.find("line 22") == std::string::npos);
  CHECK_THAT(said, Catch::Matchers::EndsWith("; and so on"));
}

TEST_CASE("User map reads a file and names one that cannot be read") {
  std::string path = "/tmp/postern-user-map-XXXXXX";
  const int descriptor = mkstemp(path.data());
  REQUIRE(descriptor >= 0);
  close(descriptor);
  std::ofstream(path) << "ann\tlegacy\n";
  const Result<UserMap> map = UserMap::Load(path, ThePlaces(), {});
  std::remove(path.c_str());
  REQUIRE(map.ok());
  CHECK(Where(map.value(), "ann") == "legacy");
  const Result<UserMap> none = UserMap::Load(path, ThePlaces(), {});
  REQUIRE_FALSE(none.ok());
  CHECK_THAT(none.error().message(), Catch::Matchers::StartsWith(path));
}

TEST_CASE("User map of a hundred thousand lines is compact and complete") {
  constexpr int kUsers = 100'000;
  std::string text;
  for (int i = 0; i < kUsers; ++i) {
    text += "user" + std::to_string(i) + "@domain" + std::to_string(i % 97) + ".example\t" +
            (i % 3 == 0 ? "legacy/mail1\n" : "modern\n");
  }
  std::size_t told = 0;
  const Result<UserMap> map =
      UserMap::Parse(text, "users.map", ThePlaces(), [&](std::size_t lines) { told = lines; });
  REQUIRE(map.ok());
  CHECK(told == 65'536);
  CHECK(map.value().size() == kUsers);
  CHECK(map.value().memory() < 64 * kUsers);
  for (int i = 0; i < kUsers; i += 7) {
    const std::string user =
        "USER" + std::to_string(i) + "@domain" + std::to_string(i % 97) + ".example";
    const std::optional<Place> place = map.value().Find(user);
    REQUIRE(place.has_value());
    REQUIRE(place->pool == (i % 3 == 0 ? 0 : 1));
    REQUIRE_FALSE(map.value().Find("x" + user).has_value());
  }
}

}  // namespace
}  // namespace postern
