// The words for a client whom a rule refuses, where the rule has none of its own. Pure; any thread.
#pragma once

#include <string_view>

#include "postern/rules/rule.h"

namespace postern {

// Static.
std::string_view DefaultText(Action action);
// The rule's own words, or those.
inline std::string_view RefusalText(const Rule& rule) {
  return rule.text.empty() ? DefaultText(rule.action) : std::string_view(rule.text);
}

}  // namespace postern
