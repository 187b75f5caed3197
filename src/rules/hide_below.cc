// What may be hidden below a mailbox: where the matches of a pattern can begin at all.
#include "postern/imap/mailbox.h"
#include "rules/fact_texts.h"
#include "rules/pattern.h"
#include "rules/rule_set_inner.h"

namespace postern {
namespace {

// Octets of a range's ends; what is longer than that is compared as far as it goes.
constexpr int kRangeLength = 128;

}  // namespace

PatternTable::Range PatternTable::RangeOf(std::string_view pattern) const {
  Range range;
  const auto compiled = CompilePattern(pattern, kind_);
  range.known = compiled.ok() &&
                compiled.value()->PossibleMatchRange(&range.least, &range.most, kRangeLength);
  return range;
}

bool PatternTable::MayMatchBehind(std::string_view beginning, std::uint32_t id) const {
  const Range& range = ranges_[id];
  if (!range.known) return true;
  return range.most >= beginning &&
         std::string_view(range.least).substr(0, beginning.size()) <= beginning;
}

void SessionRules::FindHiddenBeginnings() {
  // A separator to spare, and what begins modified UTF-7, or an octet that is read as Latin-1.
  for (const char c : {'/', '.', '\\', '&'}) hidden_beginnings_.set(static_cast<unsigned char>(c));
  for (std::size_t c = 0x80; c < 0x100; ++c) hidden_beginnings_.set(c);
  for (std::size_t c = 0; c < 0x80; ++c) {
    const char text = static_cast<char>(c);
    for (const std::uint32_t id : hidden_patterns_) {
      if (hidden_beginnings_[c]) break;
      hidden_beginnings_[c] =
          set_->compiled_->rules->hidden.MayMatchBehind(std::string_view(&text, 1), id);
    }
  }
  // INBOX in any case.
  if (hidden_beginnings_['I']) hidden_beginnings_.set('i');
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
