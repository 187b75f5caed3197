#include "server/rule_conditions.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "postern/base/text.h"

namespace postern {
namespace {

template <typename Items>
std::vector<std::string_view> NamesOf(const Items& items) {
  std::vector<std::string_view> names;
  for (const auto& item : items) names.push_back(item.name);
  return names;
}

void CheckNamed(const std::vector<FactValue>& values, Fact fact, const TableReading& reading,
                Value& value) {
  if (reading.config == nullptr) return;
  if (fact != Fact::kListener && fact != Fact::kPool) return;
  const std::vector<std::string_view> known =
      fact == Fact::kListener ? NamesOf(reading.config->listeners) : NamesOf(reading.config->pools);
  for (const FactValue& each : values) {
    const bool there = std::any_of(known.begin(), known.end(), [&](std::string_view name) {
      return EqualsNoCase(name, each.text);
    });
    if (there) continue;
    value.Reject(fmt::format("no {} is named {}; {}", FactName(fact), TomlQuote(each.text),
                             NameHint(each.text, known)));
  }
}

// The end of the day, UTC.
void ReadUntil(const toml::node& node, Exemption& out, Problems& problems) {
  const auto* date = node.as_date();
  if (date == nullptr) {
    Value("until", node, problems).Reject("must be a date without quotes, as in 2027-01-01");
    return;
  }
  const std::chrono::year_month_day day{std::chrono::year(date->get().year),
                                        std::chrono::month(date->get().month),
                                        std::chrono::day(date->get().day)};
  out.until = (std::int64_t{std::chrono::sys_days(day).time_since_epoch().count()} + 1) * 86'400;
}

Exemption ReadExemption(const toml::table& table, const TableReading& reading) {
  Exemption exemption;
  for (const auto& [name, node] : table) {
    Value value(name.str(), node, reading.problems);
    if (name.str() == "user") {
      ReadFactValues(value, Fact::kUser, reading, exemption.users);
    } else if (name.str() == "until") {
      ReadUntil(node, exemption, reading.problems);
    } else if (name.str() == "owner") {
      ReadLine(value, exemption.owner, kMostName);
    } else {
      RejectKey(name, "[[rule.exempt]]", {"user", "until", "owner"}, reading.problems);
    }
  }
  if (!table.contains("user")) {
    reading.problems.Error(PlaceOf(table.source()),
                           "[[rule.exempt]] has no user; add user = \"...\"");
  }
  return exemption;
}

}  // namespace

void ReadLine(Value& value, std::string& out, std::size_t most) {
  std::string text;
  value.Text(text);
  if (text.empty()) return;
  const bool printable = std::none_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
  });
  if (!printable) return value.Reject("holds control characters; write one line of text");
  if (text.size() > most) return value.Reject(fmt::format("longer than {} octets", most));
  out = std::move(text);
}

void ReadFactValues(Value& value, Fact fact, const TableReading& reading,
                    std::vector<FactValue>& out) {
  const std::size_t before = out.size();
  const bool good = value.EachAt("text", true, [&](const std::string& text, Place place) -> Status {
    Result<FactValue> parsed = ParseFactValue(fact, text);
    if (!parsed.ok()) return parsed.error();
    parsed.value().place = reading.problems.Locate(place);
    out.push_back(std::move(parsed.value()));
    return {};
  });
  if (good && out.size() == before) {
    value.Reject("is an empty list, which holds for nothing; name a value or leave the key out");
  }
}

void ReadConditions(std::string_view key, const toml::node& node, const TableReading& reading,
                    std::vector<Condition>& out) {
  const toml::table* table = node.as_table();
  if (table == nullptr) {
    Value(key, node, reading.problems)
        .Reject(fmt::format("must be a table; write {} = {{ user = \"...\" }}", key));
    return;
  }
  std::vector<std::string_view> known;
  for (std::size_t i = 0; i < kFactCount; ++i) known.push_back(FactName(static_cast<Fact>(i)));
  for (const auto& [name, each] : *table) {
    const auto fact = FindFact(name.str());
    if (!fact) {
      RejectKey(name, key, known, reading.problems);
      continue;
    }
    Condition condition;
    condition.fact = *fact;
    Value value(FactName(*fact), each, reading.problems);
    ReadFactValues(value, *fact, reading, condition.any_of);
    CheckNamed(condition.any_of, *fact, reading, value);
    out.push_back(std::move(condition));
  }
}

void ReadExemptions(const toml::node& node, const TableReading& reading, Rule& rule) {
  const toml::array* list = node.as_array();
  if (list == nullptr || !list->is_homogeneous(toml::node_type::table)) {
    reading.problems.Error(PlaceOf(node.source()),
                           "\"exempt\" must be a list of tables; write [[rule.exempt]]");
    return;
  }
  for (const toml::node& each : *list) {
    rule.exemptions.push_back(ReadExemption(*each.as_table(), reading));
  }
}

void CheckRoute(const toml::table& table, const Rule& rule, const TableReading& reading) {
  if (reading.config == nullptr || rule.pool.empty()) return;
  const Config& config = *reading.config;
  const auto pool = std::find_if(config.pools.begin(), config.pools.end(),
                                 [&](const PoolConfig& each) { return each.name == rule.pool; });
  if (pool == config.pools.end()) {
    Value(("pool"), *table.get("pool"), reading.problems)
        .Reject("no pool has this name; " + NameHint(rule.pool, NamesOf(config.pools)));
    return;
  }
  if (rule.backend.empty()) return;
  std::vector<std::string_view> known;
  for (const BackendId id : pool->backends) known.push_back(config.backends[id].name);
  if (std::find(known.begin(), known.end(), rule.backend) != known.end()) return;
  Value("backend", *table.get("backend"), reading.problems)
      .Reject(fmt::format("pool \"{}\" has no such backend; {}", rule.pool,
                          NameHint(rule.backend, known)));
}

}  // namespace postern
