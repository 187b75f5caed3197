#include "rules/compiled_rules.h"

#include <algorithm>
#include <limits>

#include "postern/base/text.h"
#include "postern/imap/command.h"
#include "postern/pop3/command.h"
#include "rules/command_bits.h"

namespace postern {
namespace {

static_assert(imap::kCommandCount <= 64 && pop3::kCommandCount <= 64,
              "a command is a bit of a word");

std::uint64_t BitOf(std::uint64_t value) { return std::uint64_t{1} << value; }

std::string PatternText(Fact fact, const FactValue& value) {
  return fact == Fact::kMailbox ? MailboxPattern(value.text) : value.text;
}

// What narrows most for least comes first.
int CostOf(const Test& test) {
  switch (KindOf(test.fact)) {
    case TextKind::kNone:
      return test.fact == Fact::kClient || test.fact == Fact::kTime ? 1 : 0;
    case TextKind::kFolded:
    case TextKind::kOctets:
      return 2;
    case TextKind::kUtf8:
      return 3;
  }
  return 3;
}

bool Has(const std::vector<Condition>& conditions, Fact fact) {
  return std::any_of(conditions.begin(), conditions.end(),
                     [fact](const Condition& condition) { return condition.fact == fact; });
}

bool Asks(const Rule& rule, Fact fact) {
  return Has(rule.conditions, fact) || Has(rule.unless, fact);
}

class Compiler {
 public:
  Compiler(const RuleNames& names, CompiledRules& out) : names_(names), out_(out) {}

  Status Add(const Rule& rule, RuleId id);

 private:
  Result<Test> Compile(const Condition& condition, bool every);
  Status AddValue(const FactValue& value, Test& test);
  Status AddName(const FactValue& value, const std::vector<std::string>& names);
  // Whether it is not a literal.
  bool AddPattern(Fact fact, const FactValue& value);
  Status AddTests(const std::vector<Condition>& conditions, bool every, std::vector<Test> first,
                  std::uint8_t& of_session, std::uint8_t& of_command);
  void AddExemptions(const Rule& rule, CompiledRule& compiled);
  void AddCommands(const Rule& rule, const CompiledRule& compiled);
  void Place(const Rule& rule, const CompiledRule& compiled);
  std::uint32_t RowsOf(Fact fact) const;

  const RuleNames& names_;
  CompiledRules& out_;
};

// Where the next value of the fact goes.
std::uint32_t Compiler::RowsOf(Fact fact) const {
  const auto count = [](const auto& rows) { return static_cast<std::uint32_t>(rows.size()); };
  if (fact == Fact::kClient) return count(out_.networks);
  if (fact == Fact::kTime) return count(out_.windows);
  return fact == Fact::kSize ? count(out_.bounds) : count(out_.ids);
}

bool Compiler::AddPattern(Fact fact, const FactValue& value) {
  auto& table = out_.tables[static_cast<std::size_t>(fact)];
  if (!table) table = std::make_unique<PatternTable>(KindOf(fact));
  const std::uint32_t id = table->Add(PatternText(fact, value));
  out_.ids.push_back(id);
  return table->InSet(id);
}

Status Compiler::AddName(const FactValue& value, const std::vector<std::string>& names) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (!EqualsNoCase(names[i], value.text)) continue;
    out_.ids.push_back(static_cast<std::uint32_t>(i));
    return {};
  }
  const std::string_view nearest = NearestName(value.text, names);
  return Status::Error(value.place + ": nothing here is called '" + value.text + "'" +
                       (nearest.empty() ? "" : "; did you mean '" + std::string(nearest) + "'?"));
}

Status Compiler::AddValue(const FactValue& value, Test& test) {
  if (const auto* protocol = std::get_if<Protocol>(&value.what)) {
    test.bits[0] |= BitOf(static_cast<std::uint64_t>(*protocol));
  } else if (const auto* command = std::get_if<CommandValue>(&value.what)) {
    if (command->imap) test.bits[0] |= BitOf(*command->imap);
    if (command->pop3) test.bits[1] |= BitOf(*command->pop3);
  } else if (const auto* mechanism = std::get_if<Mechanism>(&value.what)) {
    test.bits[0] |= BitOf(static_cast<std::uint64_t>(*mechanism));
  } else if (const auto* network = std::get_if<Network>(&value.what)) {
    out_.networks.push_back(*network);
  } else if (const auto* window = std::get_if<TimeWindow>(&value.what)) {
    out_.windows.push_back(*window);
  } else if (const auto* bound = std::get_if<Bound>(&value.what)) {
    if (test.fact == Fact::kSize) {
      out_.bounds.push_back(*bound);
      return {};
    }
    for (std::uint64_t version = 0; version <= static_cast<std::uint64_t>(TlsVersion::k13);
         ++version)
      if (bound->Holds(version)) test.bits[0] |= BitOf(version);
  } else if (test.fact == Fact::kListener) {
    return AddName(value, names_.listeners);
  } else if (test.fact == Fact::kPool) {
    return AddName(value, names_.pools);
  } else {
    test.in_set = AddPattern(test.fact, value) || test.in_set;
  }
  return {};
}

Result<Test> Compiler::Compile(const Condition& condition, bool every) {
  Test test;
  test.fact = condition.fact;
  test.every = every && condition.fact == Fact::kMailbox;
  test.first = RowsOf(condition.fact);
  for (const FactValue& value : condition.any_of) {
    if (Status added = AddValue(value, test); !added.ok()) return added;
  }
  test.count = RowsOf(condition.fact) - test.first;
  if (KindOf(condition.fact) != TextKind::kNone) {
    const auto begin = out_.ids.begin() + static_cast<std::ptrdiff_t>(test.first);
    std::sort(begin, out_.ids.end());
  }
  return test;
}

// The least that meets the bound.
std::uint64_t LeastOf(const Bound& bound) {
  switch (bound.comparison) {
    case Bound::Comparison::kLess:
    case Bound::Comparison::kAtMost:
      return 0;
    case Bound::Comparison::kEqual:
    case Bound::Comparison::kAtLeast:
    case Bound::Comparison::kMore:
      return bound.number;
  }
  return 0;
}

Status Compiler::AddTests(const std::vector<Condition>& conditions, bool every,
                          std::vector<Test> first, std::uint8_t& of_session,
                          std::uint8_t& of_command) {
  std::vector<Test> tests = std::move(first);
  for (const Condition& condition : conditions) {
    Result<Test> test = Compile(condition, every);
    if (!test.ok()) return test.error();
    tests.push_back(test.value());
  }
  std::stable_sort(tests.begin(), tests.end(),
                   [](const Test& a, const Test& b) { return CostOf(a) < CostOf(b); });
  const auto commands = std::stable_partition(
      tests.begin(), tests.end(), [](const Test& test) { return !ByCommand(test.fact); });
  of_session = static_cast<std::uint8_t>(commands - tests.begin());
  of_command = static_cast<std::uint8_t>(tests.end() - commands);
  out_.tests.insert(out_.tests.end(), tests.begin(), tests.end());
  return {};
}

void Compiler::AddExemptions(const Rule& rule, CompiledRule& compiled) {
  compiled.first_exemption = static_cast<std::uint32_t>(out_.exemptions.size());
  compiled.exemptions = static_cast<std::uint16_t>(rule.exemptions.size());
  for (const Exemption& exemption : rule.exemptions) {
    CompiledExemption row;
    row.first = static_cast<std::uint32_t>(out_.ids.size());
    row.count = static_cast<std::uint32_t>(exemption.users.size());
    row.until = exemption.until;
    for (const FactValue& user : exemption.users) {
      row.in_set = AddPattern(Fact::kUser, user) || row.in_set;
    }
    std::sort(out_.ids.begin() + static_cast<std::ptrdiff_t>(row.first), out_.ids.end());
    out_.exemptions.push_back(row);
  }
}

// require-tls is a refusal with a condition of its own.
std::vector<Test> OwnTests(const Rule& rule) {
  if (rule.action != Action::kRequireTls) return {};
  Test test;
  test.fact = Fact::kTlsVersion;
  test.bits[0] = BitOf(static_cast<std::uint64_t>(rule.minimum)) - 1;
  return {test};
}

void Compiler::AddCommands(const Rule& rule, const CompiledRule& compiled) {
  const std::span<const Test> tests(out_.tests);
  const auto others = tests.subspan(compiled.tests + compiled.session_ifs, compiled.command_ifs);
  std::array<std::uint64_t, kProtocolCount> named{~std::uint64_t{0}, ~std::uint64_t{0}};
  for (const Condition& condition : rule.conditions) {
    // Has no rows, so that nothing is left behind.
    if (condition.fact == Fact::kCommand) named = Compile(condition, false).value().bits;
  }
  for (std::size_t i = 0; i < kProtocolCount; ++i) {
    out_.commands[i].push_back(named[i] & CommandsThatMeet(others, static_cast<Protocol>(i)));
  }
}

void Compiler::Place(const Rule& rule, const CompiledRule& compiled) {
  const Stage stage = StageOf(rule);
  const bool lasts = rule.action == Action::kReadOnly || rule.action == Action::kHide;
  if (lasts) {
    SessionEffect effect{compiled, stage, {}};
    for (const FactValue& mailbox : rule.mailboxes) {
      effect.hidden.push_back(out_.hidden.Add(MailboxPattern(mailbox.text), true));
    }
    out_.effects.push_back(std::move(effect));
  }
  if (!lasts || stage != Stage::kCommand) {
    out_.stages[static_cast<std::size_t>(stage)].push_back(compiled);
    if (stage == Stage::kCommand) AddCommands(rule, compiled);
  }
  const bool by_client_id = Asks(rule, Fact::kClientId);
  out_.asks_client_id = out_.asks_client_id || by_client_id;
  if (by_client_id && stage == Stage::kLogin) out_.by_client_id.push_back(compiled);
}

Status Compiler::Add(const Rule& rule, RuleId id) {
  CompiledRule compiled;
  compiled.id = id;
  compiled.action = rule.action;
  compiled.report = rule.mode == Rule::Mode::kReport;
  compiled.share = rule.share;
  compiled.names_command = Has(rule.conditions, Fact::kCommand);
  compiled.asks_mailbox = Asks(rule, Fact::kMailbox);
  compiled.asks_argument = Asks(rule, Fact::kArgument);
  compiled.tests = static_cast<std::uint32_t>(out_.tests.size());
  // No second mailbox and no spelling may dodge a refusal, nor earn an allowance.
  if (Has(rule.conditions, Fact::kArgument)) compiled.needs |= kNeedsArgument;
  if (Has(rule.conditions, Fact::kMailbox)) compiled.needs |= kNeedsMailbox;
  if (Has(rule.conditions, Fact::kSize)) compiled.needs |= kNeedsSize;
  const bool allows = rule.action == Action::kAllow;
  std::vector<Condition> ifs = rule.conditions;
  std::erase_if(ifs, [](const Condition& condition) { return condition.fact == Fact::kCommand; });
  Status added = AddTests(ifs, allows, OwnTests(rule), compiled.session_ifs, compiled.command_ifs);
  if (!added.ok()) return added;
  added = AddTests(rule.unless, !allows, {}, compiled.session_unlesses, compiled.command_unlesses);
  if (!added.ok()) return added;
  AddExemptions(rule, compiled);
  Place(rule, compiled);
  return {};
}

}  // namespace

Result<std::unique_ptr<CompiledRules>> CompiledRules::Make(const RuleBook& book,
                                                           const RuleNames& names,
                                                           const CompileOptions& options) {
  auto out = std::make_unique<CompiledRules>();
  Compiler compiler(names, *out);
  for (std::size_t i = 0; i < book.rules.size(); ++i) {
    Status added = compiler.Add(book.rules[i], static_cast<RuleId>(i));
    if (!added.ok()) return added;
  }
  for (std::size_t i = 0; i < kFactCount; ++i) {
    if (!out->tables[i]) continue;
    const Status compiled = out->tables[i]->Compile(options);
    if (compiled.ok()) continue;
    return Status::Error("the rules' patterns of " + std::string(FactName(static_cast<Fact>(i))) +
                         ": " + compiled.message());
  }
  for (const Bound& bound : out->bounds)
    out->least_size = std::min(out->least_size, LeastOf(bound));
  const Status compiled = out->hidden.Compile(options);
  if (!compiled.ok()) return Status::Error("the hidden mailboxes: " + compiled.message());
  return Result<std::unique_ptr<CompiledRules>>(std::move(out));
}

std::size_t CompiledRules::memory() const {
  const auto rows = [](const auto& vector) { return vector.capacity() * sizeof vector[0]; };
  std::size_t octets = sizeof *this + rows(by_client_id) + rows(effects) + rows(commands[0]) +
                       rows(commands[1]) + rows(tests) + rows(ids) + rows(networks) +
                       rows(windows) + rows(bounds) + rows(exemptions) + hidden.memory();
  for (const auto& stage : stages) octets += rows(stage);
  for (const auto& effect : effects) octets += rows(effect.hidden);
  for (const auto& table : tables) octets += table ? table->memory() : 0;
  return octets;
}

}  // namespace postern
