#include "server/cli_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <ostream>

#include "postern/rules/explain.h"
#include "server/cli_check.h"
#include "server/config_values.h"
#include "server/load_rules.h"
#include "server/rule_tests.h"
#include "server/rule_trial.h"
#include "server/text_file.h"
#include "server/transcript.h"

namespace postern {
namespace {

constexpr int kOk = 0;
constexpr int kFailed = 1;
constexpr int kUsage = 2;

// ---- explain

// What KEY=VALUE say, with the time of now where they say none. False: a complaint was printed.
bool ReadFacts(const std::vector<std::string>& facts, Given& given, std::ostream& err) {
  bool good = true;
  for (const std::string& fact : facts) {
    const std::size_t equals = fact.find('=');
    const std::string key = fact.substr(0, equals);
    const Status status =
        equals == fact.npos
            ? Status::Error("not a fact; write KEY=VALUE, as in user=ann@example.org")
            : SetGiven(given, key, std::string_view(fact).substr(equals + 1));
    if (status.ok()) continue;
    err << "postern: " << fact << ": " << status.message() << '\n';
    good = false;
  }
  if (!given.time) given.time = std::time(nullptr);
  if (!given.tls_version) given.tls_version = TlsVersion::k13;
  return good;
}

bool CheckNamed(std::string_view what, const std::string& name,
                const std::vector<std::string>& known, std::ostream& err) {
  if (name.empty() || std::find(known.begin(), known.end(), name) != known.end()) return true;
  err << fmt::format("postern: {}={}: the configuration has no such {}; it has {}\n", what, name,
                     what, fmt::join(known, ", "));
  return false;
}

std::string VerdictText(const RuleVerdict& verdict) {
  if (verdict.took_effect) return "matched";
  return fmt::format("{}: {}", verdict.matched ? "matched without effect" : "no", verdict.why);
}

void PrintRules(const RuleBook& book, const std::vector<RuleVerdict>& verdicts, std::ostream& out) {
  std::optional<Stage> stage;
  for (const RuleVerdict& verdict : verdicts) {
    if (stage != verdict.stage) {
      stage = verdict.stage;
      out << StageName(verdict.stage) << '\n';
    }
    const Rule& rule = book.rules[verdict.rule];
    out << fmt::format("  {} {}: {}\n    {}\n", TomlQuote(rule.name), ActionName(rule.action),
                       VerdictText(verdict), rule.place);
  }
}

void PrintOutcome(const RuleBook& book, const Given& given, const TrialOutcome& outcome,
                  std::ostream& out) {
  const auto named = [&](RuleId id) {
    return fmt::format("{} ({})", TomlQuote(book.rules[id].name), book.rules[id].place);
  };
  const std::string_view then = OutcomeName(outcome.kind);
  out << fmt::format(
      "decides: {}{}\n", then,
      outcome.rule == kNoRule ? ", no rule says otherwise" : " by " + named(outcome.rule));
  if (outcome.kind == TrialOutcome::Kind::kRoute) {
    const Rule& route = book.rules[outcome.rule];
    out << fmt::format("  to pool {}{}\n", route.pool,
                       route.backend.empty() ? "" : ", backend " + route.backend);
  }
  if (outcome.user != given.user) out << fmt::format("  as user {}\n", outcome.user);
  for (const RuleId id : outcome.hits) {
    if (id == outcome.rule) continue;
    out << fmt::format("  also {} by {}\n", ActionName(book.rules[id].action), named(id));
  }
  for (const RuleId id : outcome.reports) {
    out << fmt::format("  would {} by {}, which only reports\n", ActionName(book.rules[id].action),
                       named(id));
  }
}

RuleNames NamesOf(const Config& config) {
  RuleNames names;
  for (const ListenerConfig& listener : config.listeners) names.listeners.push_back(listener.name);
  for (const PoolConfig& pool : config.pools) names.pools.push_back(pool.name);
  return names;
}

// The rules of a configuration; nothing when something is wrong, which was printed.
std::optional<RulesRead> RulesOf(const std::string& file, Config& config, std::ostream& err) {
  ConfigErrors errors;
  const Result<std::string> text = ReadTextFile(file);
  if (!text.ok()) {
    err << fmt::format("{}:1:1: {}; name a file with -c\n", file, text.error().message());
    return {};
  }
  config = ParseConfig(text.value(), file, errors);
  RulesRead read;
  if (errors.errors.empty()) read = ReadRulesOf(config, errors);
  errors.warnings.clear();  // check tells them
  if (!Report(errors, err)) return {};
  return read;
}

void ExplainGiven(const Config& config, const RuleBook& book, Given given, RuleTrial& trial,
                  std::ostream& out) {
  const TrialOutcome outcome = trial.Run(given);
  if (given.pool.empty()) {
    given.pool = outcome.route == kNoRule ? config.pools[config.routing_pool].name
                                          : book.rules[outcome.route].pool;
  }
  const std::optional<TriedCommand> tried = RuleTrial::Read(given);
  CommandFacts command;
  std::vector<std::string_view> mailboxes;
  if (tried) {
    mailboxes.assign(tried->mailboxes.begin(), tried->mailboxes.end());
    command.command = tried->command;
    command.mailboxes = mailboxes;
    command.argument = tried->argument;
    command.size = tried->size;
    command.time = given.time.value_or(0);
  }
  const SessionFacts facts = SessionFactsOf(given, trial.names());
  PrintRules(book, Explain(book, trial.names(), facts, tried ? &command : nullptr), out);
  PrintOutcome(book, given, trial.Run(given), out);
}

int PlayOne(const RulesRead& read, const std::string& path, std::ostream& out, std::ostream& err) {
  const Result<std::string> text = ReadTextFile(path);
  RuleNames names = NamesIn(read);
  const auto rules = RuleSet::Compile(read.book, names);
  const std::string wrong = !text.ok() ? fmt::format("{}:1:1: {}", path, text.error().message())
                            : !rules.ok()
                                ? rules.error().message()
                                : PlayTranscript(text.value(), path, *rules.value(), names, out);
  if (wrong.empty()) return kOk;
  err << wrong << '\n';
  return kFailed;
}

}  // namespace

int RunTest(const TestOrder& order, std::ostream& out, std::ostream& err) {
  ConfigErrors errors;
  const RulesRead read = ReadRules(order.files, nullptr, errors);
  if (errors.errors.empty()) errors.warnings = FindUselessRules(*read.book);
  if (!Report(errors, err)) {
    err << CountText(errors.errors.size(), "error") << '\n';
    return kFailed;
  }
  if (!order.transcript.empty()) return PlayOne(read, order.transcript, out, err);
  const std::vector<std::string> failures = RunRuleTests(read);
  for (const std::string& failure : failures) err << failure << '\n';
  out << fmt::format("{}, {}, {} failed\n", CountText(read.book->rules.size(), "rule"),
                     CountText(read.tests.size(), "test"), failures.size());
  return failures.empty() ? kOk : kFailed;
}

int RunExplain(const ExplainOrder& order, std::ostream& out, std::ostream& err) {
  Given given;
  if (!ReadFacts(order.facts, given, err)) return kUsage;
  Config config;
  const std::optional<RulesRead> read = RulesOf(order.config, config, err);
  if (!read) return kFailed;
  const RuleNames names = NamesOf(config);
  if (!CheckNamed("listener", given.listener, names.listeners, err) ||
      !CheckNamed("pool", given.pool, names.pools, err)) {
    return kUsage;
  }
  const auto trial = RuleTrial::Make(read->book, names);
  if (!trial.ok()) {
    err << trial.error().message() << '\n';
    return kFailed;
  }
  ExplainGiven(config, *read->book, given, *trial.value(), out);
  return kOk;
}

std::string DescribeFacts() { return fmt::format("{}", fmt::join(GivenKeys(), " ")); }

}  // namespace postern
