// The rules of a configuration: finds their files, reads them, runs their tests. For config.cc and
// the commands that look at rules only.
#pragma once

#include <string>
#include <vector>

#include "postern/server/config.h"
#include "server/rules_reader.h"

namespace postern {

// Reads config.rule_files into config.rules and runs their tests, unless the configuration has
// errors by which rules cannot be judged. A file that is missing is an error, a pattern that finds
// none a warning.
void LoadRules(Config& config, ConfigErrors& errors);

// The same without a look at tests, for who looks at the rules themselves.
RulesRead ReadRulesOf(const Config& config, ConfigErrors& errors);

// The exemptions whose time is over at this time (seconds since 1970), a sentence each, beginning
// with its place.
std::vector<std::string> EndedExemptions(const RuleBook& book, std::int64_t now);

}  // namespace postern
