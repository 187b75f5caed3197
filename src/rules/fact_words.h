// FactWords: facts as people read them, and whether a condition holds for them: slowly, one pattern
// after the other. For explain. Pure; any thread.
#pragma once

#include <string>
#include <vector>

#include "postern/rules/rule.h"
#include "postern/rules/rule_set.h"

namespace postern {

class FactWords {
 public:
  // Views of all of them; command may be null.
  FactWords(const RuleNames& names, const SessionFacts& facts, const CommandFacts* command)
      : names_(names), facts_(facts), command_(command) {}

  bool Known(Fact fact) const;
  // "192.0.2.7", "ann@example.org"; empty when it is not known.
  std::string Text(Fact fact) const;
  // every: all mailboxes in all their readings must match.
  bool Holds(const Condition& condition, bool every) const;
  bool UserMatches(const std::vector<FactValue>& patterns) const;
  std::int64_t time() const { return command_ != nullptr ? command_->time : facts_.time; }

 private:
  bool HoldsValue(Fact fact, const FactValue& value) const;
  // What patterns are matched with.
  std::vector<std::string> Texts(Fact fact) const;
  std::vector<std::string> MailboxTexts() const;
  bool MatchesText(const Condition& condition, const std::string& text) const;
  std::uint64_t Number(Fact fact) const;

  const RuleNames& names_;
  const SessionFacts& facts_;
  const CommandFacts* command_;
};

// "2026-11-22 21:30 UTC"
std::string TimeText(std::int64_t time);

}  // namespace postern
