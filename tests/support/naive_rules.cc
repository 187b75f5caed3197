#include "support/naive_rules.h"

#include <algorithm>
#include <cctype>

#include "postern/base/check.h"
#include "postern/imap/mailbox.h"

namespace postern::testing {
namespace {

std::string Lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

bool IsFolded(Fact fact) {
  return fact == Fact::kUser || fact == Fact::kDomain || fact == Fact::kSni ||
         fact == Fact::kClientId;
}

bool IsCharacters(Fact fact) { return fact == Fact::kMailbox || fact == Fact::kArgument; }

// One character of any length, as RE2 sees it.
const re2::RE2& OneCharacter() {
  static const re2::RE2 one("(?s)(.)");
  return one;
}

std::string Latin1(char c) {
  const unsigned value = static_cast<unsigned char>(c);
  return {static_cast<char>(0xC0 + value / 64), static_cast<char>(0x80 + value % 64)};
}

// Characters stay, other octets become the Latin-1 character of their value.
std::string Characters(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    std::size_t length = std::min<std::size_t>(4, text.size());
    for (; length > 0; --length) {
      if (re2::RE2::FullMatch(re2::StringPiece(text.data(), length), OneCharacter())) break;
    }
    out += length > 0 ? std::string(text.substr(0, length)) : Latin1(text.front());
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out;
}

bool IsInbox(std::string_view name) {
  return Lower(name.substr(0, 5)) == "inbox" &&
         (name.size() == 5 || name[5] == '/' || name[5] == '.' || name[5] == '\\');
}

std::vector<std::string> Readings(std::string_view name) {
  std::vector<std::string> readings;
  readings.resize(imap::MailboxReadings(name, readings));
  for (std::string& reading : readings) {
    reading = Characters(reading);
    if (IsInbox(reading)) reading.replace(0, 5, "INBOX");
  }
  return readings;
}

bool Named(const std::vector<std::string>& names, std::size_t index, std::string_view name) {
  return index < names.size() && Lower(names[index]) == Lower(name);
}

// What of a fact is matched with patterns; empty: it is missing.
std::vector<std::string> Texts(Fact fact, const SessionFacts& facts, const CommandFacts* command) {
  std::vector<std::string> texts;
  const auto add = [&texts](std::string text) {
    if (!text.empty()) texts.push_back(std::move(text));
  };
  if (fact == Fact::kUser) add(Lower(facts.user));
  if (fact == Fact::kDomain) {
    const std::size_t at = facts.user.rfind('@');
    if (at != facts.user.npos) add(Lower(facts.user.substr(at + 1)));
  }
  if (fact == Fact::kSni) add(Lower(facts.sni));
  if (fact == Fact::kTlsCipher) add(std::string(facts.tls_cipher));
  if (fact == Fact::kClientCert) add(std::string(facts.client_cert));
  if (fact == Fact::kClientId && !facts.client_name.empty()) {
    const std::string name = Lower(facts.client_name), version = Lower(facts.client_version);
    add(name);
    if (!version.empty()) add(name + " " + version);
    if (!version.empty()) add(name + "/" + version);
  }
  if (command == nullptr) return texts;
  if (fact == Fact::kArgument) add(Characters(command->argument));
  if (fact == Fact::kMailbox) {
    for (const std::string_view name : command->mailboxes) {
      for (std::string& reading : Readings(name)) texts.push_back(std::move(reading));
    }
  }
  return texts;
}

bool HoldsClosed(Fact fact, const FactValue& value, const RuleNames& names,
                 const SessionFacts& facts, const CommandFacts* command) {
  const std::int64_t time = command != nullptr ? command->time : facts.time;
  if (fact == Fact::kProtocol) return std::get<Protocol>(value.what) == facts.protocol;
  if (fact == Fact::kListener) return Named(names.listeners, facts.listener, value.text);
  if (fact == Fact::kPool) {
    return facts.pool != kNoPool && Named(names.pools, facts.pool, value.text);
  }
  if (fact == Fact::kClient) return std::get<Network>(value.what).Contains(facts.client);
  if (fact == Fact::kTime) return std::get<TimeWindow>(value.what).Contains(time);
  if (fact == Fact::kMechanism) return facts.mechanism == std::get<Mechanism>(value.what);
  if (fact == Fact::kTlsVersion) {
    return std::get<Bound>(value.what).Holds(static_cast<std::uint64_t>(facts.tls_version));
  }
  if (command == nullptr) return false;
  if (fact == Fact::kSize) {
    return command->size.has_value() && std::get<Bound>(value.what).Holds(*command->size);
  }
  const auto& named = std::get<CommandValue>(value.what);
  return (facts.protocol == Protocol::kImap ? named.imap : named.pop3) == command->command;
}

bool IsPattern(Fact fact) {
  return IsFolded(fact) || IsCharacters(fact) || fact == Fact::kTlsCipher ||
         fact == Fact::kClientCert;
}

bool Lasts(const Rule& rule) {
  return rule.action == Action::kReadOnly || rule.action == Action::kHide;
}

}  // namespace

NaiveDecision Plainly(const Decision& decision) {
  NaiveDecision plain;
  plain.verdict = decision.verdict;
  plain.verdict_rule = decision.verdict_rule;
  plain.route = decision.route;
  plain.rewrite = decision.rewrite;
  plain.delay = decision.delay;
  plain.hits.assign(decision.hits.begin(), decision.hits.end());
  plain.reports.assign(decision.reports.begin(), decision.reports.end());
  return plain;
}

bool NaiveRules::Match(const std::string& pattern, Fact fact, const std::string& text) {
  auto& compiled = compiled_[{fact, pattern}];
  if (!compiled) {
    re2::RE2::Options options;
    options.set_log_errors(false);
    options.set_dot_nl(true);
    if (!IsCharacters(fact)) options.set_encoding(re2::RE2::Options::EncodingLatin1);
    options.set_case_sensitive(!IsFolded(fact));
    compiled = std::make_unique<re2::RE2>(pattern, options);
    POSTERN_CHECK(compiled->ok());
  }
  return re2::RE2::FullMatch(text, *compiled);
}

bool NaiveRules::AnyPattern(const std::vector<FactValue>& values, Fact fact,
                            const std::string& text) {
  for (const FactValue& value : values) {
    if (Match(value.text, fact, text)) return true;
  }
  return false;
}

bool NaiveRules::Holds(const Condition& condition, bool every, const SessionFacts& facts,
                       const CommandFacts* command) {
  if (!IsPattern(condition.fact)) {
    for (const FactValue& value : condition.any_of) {
      if (HoldsClosed(condition.fact, value, names_, facts, command)) return true;
    }
    return false;
  }
  const std::vector<std::string> texts = Texts(condition.fact, facts, command);
  std::size_t matched = 0;
  for (const std::string& text : texts) {
    if (AnyPattern(condition.any_of, condition.fact, text)) ++matched;
  }
  if (every && condition.fact == Fact::kMailbox) return matched > 0 && matched == texts.size();
  return matched > 0;
}

bool NaiveRules::Exempt(const Rule& rule, const SessionFacts& facts, std::int64_t time) {
  for (const Exemption& exemption : rule.exemptions) {
    const bool over = exemption.until != 0 && time >= exemption.until;
    if (!over && !facts.user.empty() &&
        AnyPattern(exemption.users, Fact::kUser, Lower(facts.user))) {
      return true;
    }
  }
  return false;
}

bool NaiveRules::Matches(const Rule& rule, const SessionFacts& facts, const CommandFacts* command) {
  const bool allows = rule.action == Action::kAllow;
  for (const Condition& condition : rule.conditions) {
    if (!Holds(condition, allows, facts, command)) return false;
  }
  bool lifted = !rule.unless.empty();
  for (const Condition& condition : rule.unless) {
    lifted = lifted && Holds(condition, !allows, facts, command);
  }
  if (lifted) return false;
  if (rule.action == Action::kRequireTls && facts.tls_version >= rule.minimum) return false;
  if (rule.share < 10'000 && (facts.user.empty() || ShareOf(facts.user) >= rule.share)) {
    return false;
  }
  return !Exempt(rule, facts, command != nullptr ? command->time : facts.time);
}

void NaiveRules::Take(NaiveDecision& decision, RuleId id) {
  const Rule& rule = book_.rules[id];
  const std::map<Action, Decision::Verdict> verdicts{
      {Action::kAllow, Decision::Verdict::kAllow},
      {Action::kDeny, Decision::Verdict::kDeny},
      {Action::kDisconnect, Decision::Verdict::kDisconnect},
      {Action::kRequireTls, Decision::Verdict::kTlsTooLow}};
  const auto verdict = verdicts.find(rule.action);
  RuleId* slot = nullptr;
  if (verdict != verdicts.end()) slot = &decision.verdict_rule;
  if (rule.action == Action::kRoute) slot = &decision.route;
  if (rule.action == Action::kRewriteUser) slot = &decision.rewrite;
  if (slot != nullptr && *slot != kNoRule) return;
  if (rule.mode == Rule::Mode::kReport) return decision.reports.push_back(id);
  decision.hits.push_back(id);
  if (slot != nullptr) *slot = id;
  if (verdict != verdicts.end()) decision.verdict = verdict->second;
  if (rule.action == Action::kDelay) {
    decision.delay = std::min<Duration>(decision.delay + rule.delay, std::chrono::seconds(30));
  }
}

NaiveDecision NaiveRules::Decide(Stage stage, const SessionFacts& facts) {
  NaiveDecision decision;
  for (std::size_t i = 0; i < book_.rules.size(); ++i) {
    const Rule& rule = book_.rules[i];
    if (StageOf(rule) == stage && Matches(rule, facts, nullptr)) {
      Take(decision, static_cast<RuleId>(i));
    }
  }
  return decision;
}

NaiveDecision NaiveRules::DecideById(const SessionFacts& facts) {
  NaiveDecision decision;
  for (std::size_t i = 0; i < book_.rules.size(); ++i) {
    const Rule& rule = book_.rules[i];
    bool asks = false;
    for (const auto* conditions : {&rule.conditions, &rule.unless}) {
      for (const Condition& condition : *conditions) {
        asks = asks || condition.fact == Fact::kClientId;
      }
    }
    if (asks && StageOf(rule) == Stage::kLogin && Matches(rule, facts, nullptr)) {
      Take(decision, static_cast<RuleId>(i));
    }
  }
  return decision;
}

NaiveDecision NaiveRules::Judge(const SessionFacts& facts, const CommandFacts& command) {
  NaiveDecision decision;
  for (std::size_t i = 0; i < book_.rules.size(); ++i) {
    const Rule& rule = book_.rules[i];
    if (StageOf(rule) == Stage::kCommand && !Lasts(rule) && Matches(rule, facts, &command)) {
      Take(decision, static_cast<RuleId>(i));
    }
  }
  return decision;
}

// Whether it is a lasting one whose stage is reached.
bool NaiveRules::InEffect(const Rule& rule, const SessionFacts& facts) {
  const Stage stage = StageOf(rule);
  if (rule.mode == Rule::Mode::kReport || !Lasts(rule)) return false;
  if (stage == Stage::kLogin && facts.user.empty()) return false;
  if (stage == Stage::kCommand && facts.pool == kNoPool) return false;
  return Matches(rule, facts, nullptr);
}

RuleId NaiveRules::ReadOnly(const SessionFacts& facts) {
  for (std::size_t i = 0; i < book_.rules.size(); ++i) {
    const Rule& rule = book_.rules[i];
    if (rule.action == Action::kReadOnly && InEffect(rule, facts)) return static_cast<RuleId>(i);
  }
  return kNoRule;
}

std::vector<std::string> NaiveRules::HiddenCapabilities(const SessionFacts& facts) {
  std::vector<std::string> names;
  for (const Rule& rule : book_.rules) {
    if (rule.action != Action::kHide || !InEffect(rule, facts)) continue;
    names.insert(names.end(), rule.capabilities.begin(), rule.capabilities.end());
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

bool NaiveRules::HidesMailbox(const SessionFacts& facts, std::string_view name) {
  for (const Rule& rule : book_.rules) {
    if (rule.action != Action::kHide || !InEffect(rule, facts)) continue;
    for (const FactValue& mailbox : rule.mailboxes) {
      for (const std::string& reading : Readings(name)) {
        // Itself, or what it is a parent of.
        for (std::size_t end = 1; end <= reading.size(); ++end) {
          const bool whole = end == reading.size();
          if (!whole && reading.find_first_of("/.\\", end) != end) continue;
          if (Match(mailbox.text, Fact::kMailbox, reading.substr(0, end))) return true;
        }
        if (reading.empty() && Match(mailbox.text, Fact::kMailbox, reading)) return true;
      }
    }
  }
  return false;
}

}  // namespace postern::testing
