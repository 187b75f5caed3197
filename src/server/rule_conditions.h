// The parts of a [[rule]] that are tables of their own: conditions, exemptions, and what in a rule
// names something of the configuration. For rule_table.cc only.
#pragma once

#include "server/rule_table.h"

namespace postern {

// value, a text or a list of them, as values of this fact.
void ReadFactValues(Value& value, Fact fact, const TableReading& reading,
                    std::vector<FactValue>& out);
// key: "if" or "unless".
void ReadConditions(std::string_view key, const toml::node& node, const TableReading& reading,
                    std::vector<Condition>& out);
// [[rule.exempt]].
void ReadExemptions(const toml::node& node, const TableReading& reading, Rule& rule);
// Of a route that is read without mistakes: whether its pool and backend exist.
void CheckRoute(const toml::table& table, const Rule& rule, const TableReading& reading);
// One line that is printed as it is, in answers and labels; most: octets.
void ReadLine(Value& value, std::string& out, std::size_t most);
inline constexpr std::size_t kMostName = 128;

}  // namespace postern
