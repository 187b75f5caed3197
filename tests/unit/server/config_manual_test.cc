// postern.toml(5) against the schema: every key with its type and its default, in both directions.
#include <fmt/format.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "server/config_schema.h"

namespace postern {
namespace {

std::string WithoutEscapes(std::string text) {
  for (std::size_t at = 0; (at = text.find("\\-", at)) != std::string::npos;) text.erase(at, 1);
  return text;
}

std::vector<std::string> ManualLines() {
  std::ifstream file(POSTERN_TESTS_DIR "/../src/packaging/postern.toml.5");
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  REQUIRE(lines.size() > 100);
  return lines;
}

// "[[listener]] tls (implicit, starttls, ...)" for each key, and the headings, as they come.
struct Manual {
  std::vector<std::string> tables;
  std::vector<std::string> keys;
};

// "name (type, default)" of the line "\fBname\fR (type, default)"; empty for all other lines.
std::string KeyOf(const std::string& line) {
  constexpr std::string_view kBold = "\\fB";
  constexpr std::string_view kRoman = "\\fR (";
  const std::size_t end = line.find(kRoman);
  if (line.rfind(kBold, 0) != 0 || end == std::string::npos || line.back() != ')') return {};
  return line.substr(kBold.size(), end - kBold.size()) + " (" +
         WithoutEscapes(line.substr(end + kRoman.size()));
}

Manual ReadManual() {
  Manual manual;
  for (const std::string& line : ManualLines()) {
    if (line.rfind(".SS ", 0) == 0) manual.tables.push_back(line.substr(4));
    const std::string key = KeyOf(line);
    if (key.empty()) continue;
    REQUIRE_FALSE(manual.tables.empty());
    manual.keys.push_back(manual.tables.back() + " " + key);
  }
  return manual;
}

Manual Promised() {
  Manual promised;
  for (const Table& table : Tables()) {
    promised.tables.push_back(Heading(table));
    for (const Key& key : Keys()) {
      if (key.table != table.name) continue;
      const std::string preset = key.required         ? "required"
                                 : key.preset.empty() ? "optional"
                                                      : fmt::format("default {}", key.preset);
      promised.keys.push_back(
          fmt::format("{} {} ({}, {})", promised.tables.back(), key.name, key.type, preset));
    }
  }
  return promised;
}

TEST_CASE("The manual page has the tables and keys of the schema and no others") {
  const Manual manual = ReadManual();
  const Manual promised = Promised();
  CHECK(manual.tables == promised.tables);
  for (const std::string& key : promised.keys) {
    INFO("not so in postern.toml.5: " << key);
    CHECK(std::count(manual.keys.begin(), manual.keys.end(), key) == 1);
  }
  for (const std::string& key : manual.keys) {
    INFO("in postern.toml.5 only: " << key);
    CHECK(std::count(promised.keys.begin(), promised.keys.end(), key) == 1);
  }
}

TEST_CASE("No key of the manual page stands without words") {
  const std::vector<std::string> lines = ManualLines();
  for (std::size_t i = 0; i + 1 < lines.size(); ++i) {
    if (lines[i].rfind("\\fB", 0) != 0) continue;
    CAPTURE(lines[i]);
    CHECK(lines[i - 1] == ".TP");
    CHECK(lines[i + 1].rfind(".TP", 0) != 0);
    CHECK(lines[i + 1].rfind(".S", 0) != 0);
  }
}

}  // namespace
}  // namespace postern
