// CompiledRules: a rule book with its names resolved, its patterns in tables and its conditions in
// rows. Made once for a rule set; immutable but for the tables' scratch.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "postern/rules/rule.h"
#include "postern/rules/rule_set.h"
#include "rules/pattern_table.h"

namespace postern {

// One condition. The values of the closed facts are bits, those of the others rows elsewhere.
struct Test {
  Fact fact = Fact::kProtocol;
  // Mailboxes: every reading of every one that is named must match, not any.
  bool every = false;
  bool in_set = false;  // one of its patterns is not a literal
  // Bit of the value of a protocol, mechanism, TLS version; of a command by protocol.
  std::array<std::uint64_t, kProtocolCount> bits{};
  // The rows of any_of: in ids (listeners, pools, patterns), networks, windows or bounds.
  std::uint32_t first = 0;
  std::uint32_t count = 0;
};

struct CompiledExemption {
  std::uint32_t first = 0;  // patterns of users, in ids
  std::uint32_t count = 0;
  bool in_set = false;
  std::int64_t until = 0;
};

// Facts of a command that most of the time are nothing to any rule.
inline constexpr std::uint8_t kNeedsArgument = 1;
inline constexpr std::uint8_t kNeedsMailbox = 2;
inline constexpr std::uint8_t kNeedsSize = 4;

// The tests of a rule are neighbours, but for `command` in `if`, which the row of commands answers:
// of `if` those that a session answers, those that each command
// answers anew, then the same of `unless`.
struct CompiledRule {
  RuleId id = kNoRule;
  Action action = Action::kAllow;
  bool report = false;
  bool names_command = false;
  bool asks_mailbox = false;
  bool asks_argument = false;
  std::uint8_t needs = 0;  // what `if` wants a pattern to match: kNeedsArgument, ...
  std::uint8_t session_ifs = 0;
  std::uint8_t command_ifs = 0;
  std::uint8_t session_unlesses = 0;
  std::uint8_t command_unlesses = 0;
  std::uint16_t exemptions = 0;
  std::uint32_t tests = 0;
  std::uint32_t first_exemption = 0;
  std::uint32_t share = 10'000;
};

// A rule whose effect lasts as long as its session: read-only and hide.
struct SessionEffect {
  CompiledRule rule;
  Stage stage = Stage::kConnection;
  std::vector<std::uint32_t> hidden;  // patterns of the table of hidden mailboxes
};

struct CompiledRules {
  // Places are those of the first value that does not compile.
  static Result<std::unique_ptr<CompiledRules>> Make(const RuleBook& book, const RuleNames& names,
                                                     const CompileOptions& options);

  PatternTable* TableOf(Fact fact) { return tables[static_cast<std::size_t>(fact)].get(); }
  std::size_t memory() const;

  std::array<std::vector<CompiledRule>, 4> stages;  // by Stage; read-only and hide not at kCommand
  // By protocol and index in stages[kCommand]: the commands that may match, a bit a command.
  std::array<std::vector<std::uint64_t>, kProtocolCount> commands;
  std::vector<CompiledRule> by_client_id;  // the login rules that ask for it
  std::vector<SessionEffect> effects;
  bool asks_client_id = false;  // any rule at all
  // No rule's size is met by less.
  std::uint64_t least_size = ~std::uint64_t{0};

  std::vector<Test> tests;
  std::vector<std::uint32_t> ids;
  std::vector<Network> networks;
  std::vector<TimeWindow> windows;
  std::vector<Bound> bounds;
  std::vector<CompiledExemption> exemptions;
  std::array<std::unique_ptr<PatternTable>, kFactCount> tables;  // null where nothing is asked
  PatternTable hidden{TextKind::kUtf8};
};

// Whether a command may give another answer than the one before it.
constexpr bool ByCommand(Fact fact) {
  return fact == Fact::kCommand || fact == Fact::kMailbox || fact == Fact::kArgument ||
         fact == Fact::kSize || fact == Fact::kTime;
}

}  // namespace postern
