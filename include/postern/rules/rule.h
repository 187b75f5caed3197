// Rule: one [[rule]] as it was read and checked (DESIGN 1.3), not compiled yet; and RuleBook: all
// of them in their order. Values, immutable once made; any thread. Read by server/rules_reader,
// compiled by RuleSet.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "postern/base/clock.h"
#include "postern/base/network.h"
#include "postern/base/status.h"
#include "postern/rules/facts.h"
#include "postern/rules/time_window.h"

namespace postern {

enum class Action : std::uint8_t {
  kAllow,
  kDeny,
  kDisconnect,
  kRequireTls,
  kRoute,
  kRewriteUser,
  kLimit,
  kDelay,
  kReadOnly,
  kHide,
  kLog,
};
inline constexpr std::size_t kActionCount = 11;
// "read-only"; static; at once the value of `then` and of the metric's label.
std::string_view ActionName(Action action);
std::optional<Action> FindAction(std::string_view name);

// A verb of either protocol or of both: FETCH, LIST. The kinds are imap::CommandKind and
// pop3::CommandKind.
struct CommandValue {
  std::optional<std::uint8_t> imap;
  std::optional<std::uint8_t> pop3;
};
// "<1.3", ">=10MiB", "10MiB" (equal). The number is a TlsVersion, or octets.
struct Bound {
  enum class Comparison : std::uint8_t { kLess, kAtMost, kEqual, kAtLeast, kMore };
  Comparison comparison = Comparison::kEqual;
  std::uint64_t number = 0;
  bool Holds(std::uint64_t other) const;
};
// A RE2 pattern (user domain sni client_id mailbox argument tls_cipher client_cert), or the name of
// a listener or a pool: the text itself.
struct TextValue {};

// One of the values of a condition.
struct FactValue {
  std::string text;   // as written
  std::string place;  // "rules/a.toml:3:8", for what is found when it is compiled
  std::variant<TextValue, Protocol, CommandValue, Mechanism, Network, Bound, TimeWindow> what;
};
// text as the value of this fact, place left empty; the error says what would be right, with the
// nearest known name where the list is closed. Patterns are compiled to see that they can be.
Result<FactValue> ParseFactValue(Fact fact, std::string_view text);

// `fact` is any of these.
struct Condition {
  Fact fact = Fact::kProtocol;
  std::vector<FactValue> any_of;
};

// The most that a delay may be, and that delays may add up to (DESIGN 1.3).
inline constexpr Duration kMaxRuleDelay = std::chrono::seconds(30);

// [[rule.exempt]]: the rule does not apply to these users until that day is over (UTC).
struct Exemption {
  std::vector<FactValue> users;  // patterns
  std::int64_t until = 0;        // seconds since 1970: the end of the day; 0: no end
  std::string owner;
};

struct Rule {
  enum class Mode : std::uint8_t { kEnforce, kReport };
  enum class Per : std::uint8_t { kUser, kClient };
  enum class Full : std::uint8_t { kRefuse, kEndOldestIdle };

  std::string name;
  std::string place;                  // "rules/a.toml:3:1"
  std::vector<Condition> conditions;  // all of them (`if`)
  std::vector<Condition> unless;      // all of these: then the rule does not apply; empty: never
  Action action = Action::kAllow;
  Mode mode = Mode::kEnforce;
  std::string text;  // for the client; empty: our own words
  // A stable slice of users, in hundredths of a percent; 10,000: all.
  std::uint32_t share = 10'000;
  std::vector<Exemption> exemptions;
  // The parameters of single actions.
  std::string pool;                       // route
  std::string backend;                    // route; empty: any of the pool
  std::string to;                         // rewrite-user: \1 is a capture of if.user
  TlsVersion minimum = TlsVersion::k12;   // require-tls
  std::uint32_t sessions = 0;             // limit
  Per per = Per::kUser;                   // limit
  Full full = Full::kRefuse;              // limit
  Duration delay{};                       // delay
  std::vector<std::string> capabilities;  // hide; upper case
  std::vector<FactValue> mailboxes;       // hide; patterns
};

// The latest stage of what the rule asks; at least kTls for require-tls, at least kLogin for share,
// exemptions, route, rewrite-user and a limit per user.
Stage StageOf(const Rule& rule);
// Why the rule can never do anything or asks for what cannot be (a route by a command, ...); ok
// otherwise. Errors are load errors.
Status CheckRule(const Rule& rule);

// Index into RuleBook::rules; of this book only.
using RuleId = std::uint16_t;
inline constexpr RuleId kNoRule = 0xFFFF;
inline constexpr std::size_t kMaxRules = 20'000;

struct RuleBook {
  std::vector<Rule> rules;
};

// Which rules can never match, or never decide, because of the rules before them: a sentence each,
// beginning with the rule's place.
std::vector<std::string> FindUselessRules(const RuleBook& book);

}  // namespace postern
