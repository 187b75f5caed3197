// RuleSet: a rule book compiled for one worker (an RE2 object has a lock inside, DESIGN 3), and
// SessionRules: what of it concerns one session. Rules are tried stage by stage; at each stage its
// own once, in file order. Pure but for RE2; one thread at a time.
#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "postern/base/clock.h"
#include "postern/base/status.h"
#include "postern/rules/facts.h"
#include "postern/rules/rule.h"

namespace postern {

// What the names in rules stand for. Indices are the ids.
struct RuleNames {
  std::vector<std::string> listeners;
  std::vector<std::string> pools;
};

// What the rules of one stage, or those about one command, come to. Views are valid until the rule
// set is asked again.
struct Decision {
  enum class Verdict : std::uint8_t {
    kNone,
    kAllow,
    kDeny,
    kDisconnect,
    kTlsTooLow,  // require-tls
  };
  Verdict verdict = Verdict::kNone;
  RuleId verdict_rule = kNoRule;
  RuleId route = kNoRule;    // the first that matched
  RuleId rewrite = kNoRule;  // the first that matched
  Duration delay{};          // the sum, at most 30 s
  // All that matched and took effect, in file order: the above, and limit, delay, read-only, hide,
  // log.
  std::span<const RuleId> hits;
  // Those in report mode that would have taken effect.
  std::span<const RuleId> reports;
  // A match could not be made for want of memory. The verdict is kDeny then if any rule that could
  // not be judged denies or disconnects; verdict_rule is that rule.
  bool failed = false;

  bool refused() const {
    return verdict == Verdict::kDeny || verdict == Verdict::kDisconnect ||
           verdict == Verdict::kTlsTooLow;
  }
};

class RuleSet;
struct CompiledRule;
struct CompileOptions;  // of tests

// What of a rule set concerns one session's commands and answers. Immutable; shared by all sessions
// of the worker for which it is the same; keeps the set alive.
class SessionRules {
 public:
  // Whether any rule may say something about this command (imap::CommandKind, pop3::CommandKind) in
  // this session. False costs nothing more.
  bool Concerns(std::uint8_t command) const { return commands_[command]; }
  // Whether a rule that may match this session asks for it: engines gather only what is asked for.
  bool AsksMailbox() const { return asks_mailbox_; }
  bool AsksArgument() const { return asks_argument_; }

  bool read_only() const { return read_only_ != kNoRule; }
  RuleId read_only_rule() const { return read_only_; }
  // Names in upper case; empty: none.
  const std::vector<std::string>& hidden_capabilities() const { return hidden_capabilities_; }
  bool HidesCapability(std::string_view name) const;
  bool hides_mailboxes() const { return hides_mailboxes_; }
  // Whether the mailbox of this name, in any of its readings, or a parent of it is hidden; also
  // true when that cannot be found out for want of memory. The name as on the wire, decoded from
  // its string.
  bool HidesMailbox(std::string_view name) const;
  // Whether a mailbox below one of this name may be hidden, which moves with it when it is renamed;
  // in doubt true: of `.*/private` nobody can say where it begins.
  bool MayHideBelow(std::string_view name) const;
  // False: no name that begins with this octet is hidden, so it need not be asked for.
  bool MayBeginHidden(char first) const {
    return hidden_beginnings_[static_cast<unsigned char>(first)];
  }
  // Whether login rules wait for a client's ID (RuleSet::DecideById).
  bool AsksClientId() const { return asks_client_id_; }

 private:
  friend class RuleSet;
  // A rule about commands that may match in this session.
  struct Candidate {
    std::uint16_t rule = 0;  // index among the set's rules about commands
    // What the session has answered of `if` and of `unless`: no, yes, unknown.
    std::uint8_t ifs = 0;
    std::uint8_t unlesses = 0;
    std::int64_t exempt_until = 0;
    bool operator==(const Candidate&) const = default;
  };
  static constexpr std::size_t kMostCommands = 64;  // of either protocol

  void Clear();
  bool SameAs(const SessionRules& other) const;
  std::uint64_t Hash() const;
  // From the patterns (hide_below.cc).
  void FindHiddenBeginnings();

  std::shared_ptr<RuleSet> set_;
  Protocol protocol_ = Protocol::kImap;
  std::vector<Candidate> candidates_;
  // Indices of candidates, ascending: those about any command; those about the command i from
  // first_[i] to first_[i + 1].
  std::vector<std::uint16_t> about_any_;
  std::vector<std::uint16_t> about_one_;
  std::array<std::uint32_t, kMostCommands + 1> first_{};
  std::vector<std::uint32_t> hidden_patterns_;
  std::bitset<256> hidden_beginnings_;
  std::bitset<256> commands_;
  bool asks_mailbox_ = false;
  bool asks_argument_ = false;
  bool asks_client_id_ = false;
  bool hides_mailboxes_ = false;
  RuleId read_only_ = kNoRule;
  std::vector<std::string> hidden_capabilities_;
};

class RuleSet {
 public:
  // Fails with the rule's place when a pattern cannot be compiled within the memory there is for
  // it. Takes tens of milliseconds for a thousand rules: not on a loop's thread.
  static Result<std::shared_ptr<RuleSet>> Compile(std::shared_ptr<const RuleBook> book,
                                                  const RuleNames& names);
  ~RuleSet();
  RuleSet(const RuleSet&) = delete;
  RuleSet& operator=(const RuleSet&) = delete;

  const RuleBook& book() const { return *book_; }
  bool empty() const { return book_->rules.empty(); }
  const Rule& rule(RuleId id) const { return book_->rules[id]; }
  // Octets that the compiled rules hold, and may come to hold in use.
  std::size_t memory() const { return memory_; }

  // The rules of one stage before the commands. At kCommand: those for the whole session
  // (read-only, hide) that ask for the pool, once it is known.
  Decision Decide(Stage stage, const SessionFacts& facts);
  // The login rules that name client_id, again: the first ID came after the login.
  Decision DecideById(const SessionFacts& facts);
  // What follows for the session: the effects of the stages whose facts are known, and the command
  // rules that may match. Null when that is nothing.
  std::shared_ptr<const SessionRules> For(const SessionFacts& facts);
  // The same before the login, when no command can be judged yet: the effects only.
  std::shared_ptr<const SessionRules> ForArrival(const SessionFacts& facts);
  // About one command; only if rules.Concerns() it. No allocation.
  Decision Judge(const SessionRules& rules, const CommandFacts& facts);

  // The user's new name by a rewrite-user rule that matched; the name itself when the pattern does
  // not match after all.
  std::string RewriteUser(RuleId rule, std::string_view user);

 private:
  friend class SessionRules;
  friend struct RuleSetTester;  // tests/support
  struct Compiled;
  explicit RuleSet(std::shared_ptr<const RuleBook> book);
  static Result<std::shared_ptr<RuleSet>> CompileWith(std::shared_ptr<const RuleBook> book,
                                                      const RuleNames& names,
                                                      const CompileOptions& options);
  bool FindExemption(const CompiledRule& rule, SessionRules::Candidate& candidate);
  bool IsCandidate(const CompiledRule& rule, SessionRules::Candidate& candidate);
  std::shared_ptr<const SessionRules> Find(const SessionFacts& facts, bool commands);
  void FindCandidates(SessionRules& out);
  void FindEffects(const SessionFacts& facts, SessionRules& out);
  std::shared_ptr<const SessionRules> Intern(const SessionRules& found);
  void Index(SessionRules& out) const;

  std::shared_ptr<const RuleBook> book_;
  std::unique_ptr<Compiled> compiled_;
  std::weak_ptr<RuleSet> self_;
  std::size_t memory_ = 0;
};

// Where a user stands in the slice of `share`: 0 to 9,999, the same on every machine and every day.
std::uint32_t ShareOf(std::string_view user);

}  // namespace postern
