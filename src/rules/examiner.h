// Examiner: answers the tests of compiled rules for one set of facts at a time, each text matched
// once. Owned by a rule set; one thread at a time; allocates nothing once its strings have grown.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "rules/compiled_rules.h"

namespace postern {

// kUnknown: a match failed, or a text is too long to be matched.
enum class Answer : std::uint8_t { kNo, kYes, kUnknown };

constexpr Answer Both(Answer a, Answer b) {
  if (a == Answer::kNo || b == Answer::kNo) return Answer::kNo;
  return a == Answer::kYes && b == Answer::kYes ? Answer::kYes : Answer::kUnknown;
}
constexpr Answer Not(Answer a) {
  if (a == Answer::kUnknown) return a;
  return a == Answer::kYes ? Answer::kNo : Answer::kYes;
}

class Examiner {
 public:
  explicit Examiner(CompiledRules& rules);

  // The facts of the questions that follow; valid until the last of them. Without a session only
  // tests ByCommand may be asked.
  void Begin(Protocol protocol, const SessionFacts* session, const CommandFacts* command);

  // All of these tests; yes when there are none.
  Answer AskAll(std::uint32_t first, std::uint32_t count);
  // The whole rule.
  Answer AskRule(const CompiledRule& rule);
  // Of these needs (kNeeds...) of a command those that no rule at all finds met.
  std::uint8_t Unmet(std::uint8_t needs);
  // Whether the user is in the rule's share.
  bool InShare(const CompiledRule& rule);
  // Whether the exemption names the user; says nothing of its time.
  Answer Names(const CompiledExemption& exemption);
  std::int64_t time() const { return command_ != nullptr ? command_->time : session_->time; }

  // Whether one of these patterns of hidden mailboxes matches any reading of the name.
  Answer Hidden(std::string_view name, std::span<const std::uint32_t> patterns);

 private:
  enum class Text : std::uint8_t { kNotLooked, kMissing, kTooLong, kMatched };
  // A text, prepared as its kind asks, and what it matches.
  struct Reading {
    std::string text;
    PatternTable::Outcome outcome;
  };
  // One fact's text as it came, kept for the next time it is the same.
  struct Seen {
    std::string text;
    Reading reading;
    bool matched = false;
  };

  Answer Ask(const Test& test);
  static bool NothingFound(PatternTable& table, Reading& reading);
  Answer AskText(Fact fact, std::uint32_t first, std::uint32_t count, bool in_set);
  Answer AskMailboxes(const Test& test);
  bool AnyClient(const Test& test) const;
  bool AnyWindow(const Test& test) const;
  bool AnySize(const Test& test) const;
  bool HasId(const Test& test, std::uint32_t id) const;
  Answer AnyPattern(PatternTable& table, Reading& reading, std::span<const std::uint32_t> patterns,
                    bool in_set) const;
  std::string_view TextOf(Fact fact) const;
  Text Look(Fact fact);
  static void Prepare(Fact fact, std::string_view text, std::string& out);
  Text LookAtClientId(Seen& seen);
  void LookAtMailboxes();
  Answer Exempt(const CompiledRule& rule);
  Reading& NextReading(const PatternTable& table);
  void AddReadings(std::string_view name, PatternTable& table);

  CompiledRules& rules_;
  Protocol protocol_ = Protocol::kImap;
  const SessionFacts* session_ = nullptr;
  const CommandFacts* command_ = nullptr;
  std::array<Text, kFactCount> looked_{};
  std::array<Seen, kFactCount> seen_;
  std::optional<std::uint32_t> share_;
  std::array<std::string, 3> client_id_;
  std::vector<std::string> readings_;
  // Of every mailbox of the command; the first reading_count_ are in use.
  std::vector<Reading> mailboxes_;
  std::size_t reading_count_ = 0;
  bool too_long_ = false;
};

}  // namespace postern
