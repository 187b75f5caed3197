// Reads rule files (DESIGN 1.3): TOML with [[rule]] and [[test]] tables. Collects every error with
// its file, line and column. Knows nothing of what rules do; any thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "postern/rules/rule.h"
#include "postern/server/config.h"
#include "server/given.h"

namespace postern {

// One [[test]].
struct RuleTest {
  // What is not said is not looked at; then always is.
  struct Expectation {
    std::string then;  // allow, deny, disconnect, route, or the name of another action
    std::string rule;
    // Rules that add up, and rules in report mode: all of these are among them; none at all when
    // the list is empty.
    std::optional<std::vector<std::string>> also;
    std::optional<std::vector<std::string>> reports;
    std::string pool;
    std::string backend;
    std::string user;  // after rewriting
  };
  std::string name;
  std::string place;  // "rules/a.toml:12:1"
  Given given;
  Expectation expect;
};

// What some rule files say; valid only when there was no error.
struct RulesRead {
  std::shared_ptr<RuleBook> book = std::make_shared<RuleBook>();
  std::vector<RuleTest> tests;
};

// The files in this order. With a configuration, the listeners, pools and backends that rules name
// must be its own; without (null), names are taken as they are.
RulesRead ReadRules(const std::vector<std::string>& files, const Config* config,
                    ConfigErrors& errors);
// The same from one file's text; opens nothing.
RulesRead ParseRules(std::string_view text, const std::string& path, const Config* config,
                     ConfigErrors& errors);

}  // namespace postern
