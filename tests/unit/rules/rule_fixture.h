// Rules and facts for tests, written as an operator would.
#pragma once

#include <catch2/catch.hpp>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "postern/imap/command.h"
#include "postern/rules/rule.h"
#include "postern/rules/rule_set.h"

namespace postern {

inline Condition Where(Fact fact, std::initializer_list<std::string_view> values) {
  Condition condition{fact, {}};
  for (const std::string_view value : values) {
    Result<FactValue> parsed = ParseFactValue(fact, value);
    INFO(value << ": " << parsed.error().message());
    REQUIRE(parsed.ok());
    condition.any_of.push_back(parsed.value());
  }
  return condition;
}
inline Condition Where(Fact fact, std::string_view value) { return Where(fact, {value}); }

inline Rule Make(Action action, std::vector<Condition> conditions,
                 std::vector<Condition> unless = {}) {
  Rule rule;
  rule.name = std::string(ActionName(action));
  rule.place = "rules/a.toml:1:1";
  rule.action = action;
  rule.conditions = std::move(conditions);
  rule.unless = std::move(unless);
  return rule;
}

inline const RuleNames& TestNames() {
  static const RuleNames names{{"imaps", "pop3s"}, {"legacy", "new"}};
  return names;
}

inline std::shared_ptr<const RuleBook> BookOf(std::vector<Rule> rules) {
  return std::make_shared<const RuleBook>(RuleBook{std::move(rules)});
}

inline std::shared_ptr<RuleSet> SetOf(std::vector<Rule> rules) {
  auto set = RuleSet::Compile(BookOf(std::move(rules)), TestNames());
  INFO(set.error().message());
  REQUIRE(set.ok());
  return set.value();
}

// A session of ann@legacy.example over TLS 1.2 at the pool legacy.
inline SessionFacts Ann() {
  SessionFacts facts;
  facts.client = Address::FromParts("192.0.2.7", 40000).value();
  facts.time = 1'795'435'200;  // Monday, 2026-11-23, 12:00 UTC
  facts.sni = "imap.example";
  facts.tls_version = TlsVersion::k12;
  facts.tls_cipher = "TLS_RSA_WITH_AES_128_CBC_SHA";
  facts.user = "ann@legacy.example";
  facts.mechanism = Mechanism::kPlain;
  facts.pool = 0;
  return facts;
}

inline constexpr std::uint8_t KindNumber(imap::CommandKind kind) {
  return static_cast<std::uint8_t>(kind);
}

// One command that names these mailboxes.
class Naming {
 public:
  Naming(imap::CommandKind kind, std::initializer_list<std::string_view> mailboxes)
      : mailboxes_(mailboxes) {
    facts_.command = KindNumber(kind);
    facts_.mailboxes = mailboxes_;
    facts_.time = Ann().time;
  }
  Naming(const Naming&) = delete;
  Naming& operator=(const Naming&) = delete;
  CommandFacts& facts() { return facts_; }

 private:
  std::vector<std::string_view> mailboxes_;
  CommandFacts facts_;
};

// What the rules of this session say of the command; kNone when none concerns it.
inline Decision::Verdict Judged(RuleSet& set, const SessionFacts& session,
                                const CommandFacts& command) {
  const auto rules = set.For(session);
  if (rules == nullptr || !rules->Concerns(command.command)) return Decision::Verdict::kNone;
  return set.Judge(*rules, command).verdict;
}

}  // namespace postern
