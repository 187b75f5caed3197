// What may be hidden below a mailbox: where the matches of a pattern can begin at all.
#include <algorithm>

#include "postern/imap/mailbox.h"
#include "rules/fact_texts.h"
#include "rules/pattern.h"
#include "rules/rule_set_inner.h"

namespace postern {
namespace {

// Octets of a range's ends; what is longer than that is compared as far as it goes.
constexpr int kRangeLength = 512;

}  // namespace

bool PatternTable::MayMatchBehind(std::string_view beginning, std::uint32_t id) const {
  const auto named = std::find_if(ids_.begin(), ids_.end(),
                                  [id](const auto& entry) { return entry.second == id; });
  if (named == ids_.end() || beginning.size() > kRangeLength) return true;
  const auto pattern = CompilePattern(named->first, kind_);
  std::string least;
  std::string most;
  if (!pattern.ok() || !pattern.value()->PossibleMatchRange(&least, &most, kRangeLength)) {
    return true;
  }
  return most >= beginning && std::string_view(least).substr(0, beginning.size()) <= beginning;
}

bool SessionRules::MayHideBelow(std::string_view name) const {
  std::vector<std::string> readings;
  const std::size_t count = imap::MailboxReadings(name, readings);
  std::string text;
  for (std::size_t i = 0; i < count; ++i) {
    MakeUtf8(readings[i], text);
    for (const char* separator : {"/", ".", "\\"}) {
      const std::string beginning = text + separator;
      for (const std::uint32_t id : hidden_patterns_) {
        if (set_->compiled_->rules->hidden.MayMatchBehind(beginning, id)) return true;
      }
    }
  }
  return false;
}

}  // namespace postern
