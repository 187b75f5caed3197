// Rules in words, for tests: one rule a line, without a TOML reader. Values.
//
//   THEN [NAME=VALUE ...]       deny command=FETCH mailbox='Shared/.*' text='Not here'
//
// Names are facts (conditions of `if`; the same name again is another value), `unless.FACT`, and
// the parameters name, text, mode, delay (seconds), minimum, and of hide mailboxes and
// capabilities. A value with spaces stands between apostrophes.
#pragma once

#include <string_view>

#include "postern/rules/rule.h"

namespace postern::testing {

// Ends the process when the words make no rule: a test that is wrong.
Rule RuleInWords(std::string_view words);

}  // namespace postern::testing
