// The price of rules: a login, a command that rules name, one that they do not, compiling, memory;
// for 10, 100, 1,000 and 5,000 rules of mixed kinds.

#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "micro_allocations.h"
#include "postern/imap/command.h"
#include "postern/rules/rule_set.h"

namespace postern {
namespace {

using imap::CommandKind;

constexpr std::size_t kUsers = 1000;  // varied, so that no cache of the last text flatters

const RuleNames& Names() {
  static const RuleNames names{{"imaps", "pop3s"}, {"legacy", "new"}};
  return names;
}

Condition Where(Fact fact, const std::string& text) {
  return Condition{fact, {ParseFactValue(fact, text).value()}};
}

// What one asks for in practice, in turns: of ten rules one asks for the connection, one for TLS,
// four for the login, four for commands.
Rule MixedRule(std::size_t i) {
  const std::string n = std::to_string(i);
  const std::string domain = "d" + n + "\\.example";
  Rule rule;
  rule.name = "rule " + n;
  rule.action = Action::kDeny;
  switch (i % 10) {
    case 0:
      rule.action = Action::kLog;
      rule.conditions = {Where(Fact::kClient, "10." + std::to_string(i % 250) + ".0.0/16")};
      break;
    case 1:
      rule.conditions = {Where(Fact::kSni, "imap" + n + "\\.example"),
                         Where(Fact::kTlsVersion, "<1.2")};
      break;
    case 2:
      rule.action = Action::kRoute;
      rule.pool = "new";
      rule.conditions = {Where(Fact::kUser, ".*@" + domain)};
      break;
    case 3:
      rule.action = Action::kRewriteUser;
      rule.to = "\\1@new.example";
      rule.conditions = {Where(Fact::kUser, "(.*)@old" + n + "\\.example")};
      break;
    case 4:
      rule.conditions = {Where(Fact::kUser, "user" + n + "@" + domain)};
      rule.unless = {Where(Fact::kClient, "10.0.0.0/8")};
      break;
    case 5:
      rule.action = Action::kReadOnly;
      rule.conditions = {Where(Fact::kDomain, "archive" + n + "\\.example"),
                         Where(Fact::kProtocol, "imap")};
      break;
    case 6:
      rule.conditions = {Where(Fact::kCommand, "DELETE"), Where(Fact::kUser, ".*@" + domain)};
      break;
    case 7:
      rule.conditions = {Where(Fact::kCommand, "SELECT"),
                         Where(Fact::kMailbox, "Shared/" + n + "/.*")};
      break;
    case 8:
      rule.conditions = {Where(Fact::kCommand, "STORE"),
                         Where(Fact::kArgument, ".*\\\\Flag" + n + ".*"),
                         Where(Fact::kDomain, domain)};
      break;
    default:
      rule.mode = Rule::Mode::kReport;
      rule.conditions = {Where(Fact::kCommand, "APPEND"), Where(Fact::kSize, ">10MiB"),
                         Where(Fact::kMailbox, "[A-Z]rchive" + n + "(/.*)?")};
  }
  return rule;
}

std::shared_ptr<const RuleBook> Book(std::size_t count) {
  auto book = std::make_shared<RuleBook>();
  for (std::size_t i = 0; i < count; ++i) book->rules.push_back(MixedRule(i));
  return book;
}

std::size_t Count(const benchmark::State& state) {
  return static_cast<std::size_t>(state.range(0));
}

std::shared_ptr<RuleSet> Compiled(std::size_t count) {
  return RuleSet::Compile(Book(count), Names()).value();
}

std::vector<std::string> Users(std::size_t rules) {
  std::vector<std::string> users;
  for (std::size_t i = 0; i < kUsers; ++i) {
    const std::string n = std::to_string(i * 7919 % (2 * rules + 1));
    users.push_back("User" + n + "@d" + n + ".example");
  }
  return users;
}

SessionFacts Facts(std::string_view user) {
  SessionFacts facts;
  facts.listener = 0;
  facts.client = Address::FromParts("192.0.2.7", 40000).value();
  facts.time = 1'795'305'600;
  facts.sni = "imap.example";
  facts.tls_version = TlsVersion::k13;
  facts.tls_cipher = "TLS_AES_128_GCM_SHA256";
  facts.user = user;
  facts.mechanism = Mechanism::kPlain;
  facts.pool = 0;
  return facts;
}

void BM_RulesConnection(benchmark::State& state) {
  const auto set = Compiled(Count(state));
  const SessionFacts facts = Facts({});
  for (auto _ : state) {
    benchmark::DoNotOptimize(set->Decide(Stage::kConnection, facts));
    benchmark::DoNotOptimize(set->Decide(Stage::kTls, facts));
  }
}

// What a login costs: the login rules, then what of the others concerns the session.
void BM_RulesLogin(benchmark::State& state) {
  const auto set = Compiled(Count(state));
  const std::vector<std::string> users = Users(Count(state));
  std::vector<std::shared_ptr<const SessionRules>> sessions(kUsers);
  std::size_t i = 0;
  const AllocationsPerIteration allocations(state);
  for (auto _ : state) {
    const SessionFacts facts = Facts(users[i]);
    benchmark::DoNotOptimize(set->Decide(Stage::kLogin, facts));
    sessions[i] = set->For(facts);
    i = (i + 1) % kUsers;
  }
}

// A command that rules name, with varied arguments.
void Judge(benchmark::State& state, CommandKind kind) {
  const auto set = Compiled(Count(state));
  const std::vector<std::string> users = Users(Count(state));
  const auto rules = set->For(Facts(users[3]));
  if (rules == nullptr || !rules->Concerns(static_cast<std::uint8_t>(kind))) {
    return state.SkipWithError("no rule concerns the command");
  }
  std::vector<std::string> names;
  for (std::size_t i = 0; i < kUsers; ++i) {
    names.push_back("Shared/" + std::to_string(i * 7919 % (2 * Count(state) + 1)) + "/2026");
  }
  std::size_t i = 0;
  const AllocationsPerIteration allocations(state);
  for (auto _ : state) {
    const std::string_view mailbox = names[i];
    CommandFacts facts;
    facts.command = static_cast<std::uint8_t>(kind);
    facts.mailboxes = {&mailbox, 1};
    facts.argument = mailbox;
    facts.size = 20 << 20;
    facts.time = 1'795'305'600;
    benchmark::DoNotOptimize(set->Judge(*rules, facts));
    i = (i + 1) % kUsers;
  }
}

void BM_RulesSelect(benchmark::State& state) { Judge(state, CommandKind::kSelect); }
// With patterns that only the set of expressions can match.
void BM_RulesAppend(benchmark::State& state) { Judge(state, CommandKind::kAppend); }

void BM_RulesUnnamed(benchmark::State& state) {
  const auto set = Compiled(Count(state));
  const std::vector<std::string> users = Users(Count(state));
  const auto rules = set->For(Facts(users[3]));
  std::size_t concerned = 0;
  for (auto _ : state) {
    const SessionRules* of_session = rules.get();
    benchmark::DoNotOptimize(of_session);
    const auto kind = static_cast<std::uint8_t>(CommandKind::kFetch);
    if (of_session != nullptr && of_session->Concerns(kind)) ++concerned;
  }
  if (concerned > 0) state.SkipWithError("a rule concerns the command");
}

void BM_RulesCompile(benchmark::State& state) {
  const auto book = Book(Count(state));
  std::size_t memory = 0;
  for (auto _ : state) memory = RuleSet::Compile(book, Names()).value()->memory();
  state.counters["memory"] = static_cast<double>(memory);
}

#define POSTERN_RULE_COUNTS Arg(10)->Arg(100)->Arg(1000)->Arg(5000)
BENCHMARK(BM_RulesConnection)->POSTERN_RULE_COUNTS;
BENCHMARK(BM_RulesLogin)->POSTERN_RULE_COUNTS;
BENCHMARK(BM_RulesSelect)->POSTERN_RULE_COUNTS;
BENCHMARK(BM_RulesAppend)->POSTERN_RULE_COUNTS;
BENCHMARK(BM_RulesUnnamed)->POSTERN_RULE_COUNTS;
BENCHMARK(BM_RulesCompile)->POSTERN_RULE_COUNTS->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace postern
