// Runs the [[test]] tables of rule files (DESIGN 1.3) against their rules. Any thread.
#pragma once

#include <string>
#include <vector>

#include "server/rules_reader.h"

namespace postern {

// What each test that fails expected and got, a sentence each, beginning with its place; or why the
// rules cannot be used at all. Empty: all is well.
std::vector<std::string> RunRuleTests(const RulesRead& read);

// Every listener and pool that the rules and tests name.
RuleNames NamesIn(const RulesRead& read);

}  // namespace postern
