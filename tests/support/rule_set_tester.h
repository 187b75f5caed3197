// Rule sets as only tests make them: with little memory, or with matches that fail.
#pragma once

#include <memory>
#include <utility>

#include "postern/rules/rule_set.h"
#include "rules/pattern_table.h"

namespace postern {

struct RuleSetTester {
  static Result<std::shared_ptr<RuleSet>> Compile(std::shared_ptr<const RuleBook> book,
                                                  const RuleNames& names,
                                                  const CompileOptions& options) {
    return RuleSet::CompileWith(std::move(book), names, options);
  }
};

}  // namespace postern
