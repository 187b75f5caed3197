// One [[rule]] or [[test]] table of a rule file, as toml++ has it, into a value. For
// rules_reader.cc only.
#pragma once

#include <string>

#include "server/config_values.h"
#include "server/rules_reader.h"

namespace postern {

// Where problems go, and the configuration whose names count; null: any do.
struct TableReading {
  Problems& problems;
  const Config* config = nullptr;
};

Rule ReadRuleTable(const toml::table& table, const TableReading& reading);
RuleTest ReadTestTable(const toml::table& table, const TableReading& reading);

// Reports a key that is none of known; where: "[[rule]]".
void RejectKey(const toml::key& key, std::string_view where,
               const std::vector<std::string_view>& known, Problems& problems);
// "did you mean "address"?" or the list of what there is.
std::string NameHint(std::string_view word, const std::vector<std::string_view>& known);

}  // namespace postern
