// One [[test]] table: what is given and what is expected.
#include <fmt/format.h>

#include <array>

#include "postern/base/text.h"
#include "server/rule_table.h"

namespace postern {
namespace {

using Expectation = RuleTest::Expectation;

// TOML has times of its own; they are read as their text.
std::string TextOf(const toml::date_time& time) {
  const auto minutes = time.offset ? time.offset->minutes : std::int16_t{0};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{}{:02}:{:02}", time.date.year,
                     time.date.month, time.date.day, time.time.hour, time.time.minute,
                     time.time.second, minutes < 0 ? '-' : '+', std::abs(minutes) / 60,
                     std::abs(minutes) % 60);
}

void ReadGivenKey(const toml::key& name, const toml::node& node, const TableReading& reading,
                  Given& given) {
  Value value(name.str(), node, reading.problems);
  std::string text;
  if (const auto* time = node.as_date_time(); time != nullptr && name.str() == "time") {
    if (!time->get().offset) {
      return value.Reject("has no zone; write it as in 2026-11-23T08:30:00+01:00");
    }
    text = TextOf(time->get());
  } else {
    const std::size_t mistakes = reading.problems.errors();
    value.Text(text);
    if (reading.problems.errors() != mistakes) return;
  }
  const Status status = SetGiven(given, name.str(), text);
  if (!status.ok()) value.Reject(status.message());
}

void ReadGiven(const toml::node& node, const TableReading& reading, Given& given) {
  const toml::table* table = node.as_table();
  if (table == nullptr) {
    return Value("given", node, reading.problems)
        .Reject("must be a table; write given = { protocol = \"imap\", user = \"...\" }");
  }
  for (const auto& [name, each] : *table) ReadGivenKey(name, each, reading, given);
}

void ReadThen(Value& value, std::string& out) {
  std::string text;
  value.Text(text);
  if (text.empty()) return;
  std::vector<std::string_view> known;
  for (std::size_t i = 0; i < kActionCount; ++i)
    known.push_back(ActionName(static_cast<Action>(i)));
  if (FindAction(text)) {
    out = std::move(text);
  } else {
    value.Reject("no rule does this; " + NameHint(text, known));
  }
}

void ReadNames(Value& value, std::optional<std::vector<std::string>>& out) {
  std::vector<std::string> names;
  const bool good = value.Each("the name of a rule", true, [&](const std::string& text) -> Status {
    names.push_back(text);
    return {};
  });
  if (good) out = std::move(names);
}

struct ExpectKey {
  std::string_view name;
  void (*set)(Value& value, Expectation& expect);
};
// clang-format off
constexpr std::array<ExpectKey, 8> kExpectKeys{{
  {"then", [](Value& v, Expectation& e) { ReadThen(v, e.then); }},
  {"rule", [](Value& v, Expectation& e) { v.Text(e.rule); }},
  {"also", [](Value& v, Expectation& e) { ReadNames(v, e.also); }},
  {"reports", [](Value& v, Expectation& e) { ReadNames(v, e.reports); }},
  {"pool", [](Value& v, Expectation& e) { v.Text(e.pool); }},
  {"backend", [](Value& v, Expectation& e) { v.Text(e.backend); }},
  {"user", [](Value& v, Expectation& e) { v.Text(e.user); }},
  {"to", [](Value& v, Expectation& e) { v.Text(e.user); }},
}};
// clang-format on

void ReadExpectation(const toml::node& node, const TableReading& reading, Expectation& expect) {
  const toml::table* table = node.as_table();
  if (table == nullptr) {
    return Value("expect", node, reading.problems)
        .Reject("must be a table; write expect = { then = \"deny\", rule = \"...\" }");
  }
  std::vector<std::string_view> known;
  for (const ExpectKey& key : kExpectKeys) known.push_back(key.name);
  for (const auto& [name, each] : *table) {
    bool found = false;
    for (const ExpectKey& key : kExpectKeys) {
      if (key.name != name.str()) continue;
      Value value(key.name, each, reading.problems);
      key.set(value, expect);
      found = true;
    }
    if (!found) RejectKey(name, "expect", known, reading.problems);
  }
  if (!table->contains("then")) {
    reading.problems.Error(PlaceOf(node.source()),
                           "expect has no then; add then = \"allow\", \"deny\", \"disconnect\" or "
                           "\"route\"");
  }
}

}  // namespace

RuleTest ReadTestTable(const toml::table& table, const TableReading& reading) {
  RuleTest test;
  test.place = reading.problems.Locate(PlaceOf(table.source()));
  for (const auto& [name, node] : table) {
    if (name.str() == "name") {
      Value(name.str(), node, reading.problems).Text(test.name);
    } else if (name.str() == "given") {
      ReadGiven(node, reading, test.given);
    } else if (name.str() == "expect") {
      ReadExpectation(node, reading, test.expect);
    } else {
      RejectKey(name, "[[test]]", {"name", "given", "expect"}, reading.problems);
    }
  }
  for (const std::string_view key : {"name", "given", "expect"}) {
    if (table.contains(key)) continue;
    reading.problems.Error(
        PlaceOf(table.source()),
        fmt::format("[[test]] has no {}; add {}", key,
                    key == "name" ? "name = \"...\"" : fmt::format("{} = {{ ... }}", key)));
  }
  return test;
}

}  // namespace postern
