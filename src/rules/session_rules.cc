#include <algorithm>

#include "postern/base/text.h"
#include "rules/rule_set_inner.h"

namespace postern {
namespace {

void AddHidden(const Rule& rule, std::vector<std::string>& names) {
  for (const std::string& name : rule.capabilities) names.push_back(ToUpper(name));
}

template <typename T>
void SortUnique(std::vector<T>& values) {
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
}

class Hasher {
 public:
  void Add(std::uint64_t value) {
    hash_ ^= value;
    hash_ *= 0x9E3779B97F4A7C15;
    hash_ ^= hash_ >> 29;
  }
  void Add(std::string_view text) {
    for (const char c : text) Add(static_cast<unsigned char>(c));
    Add(text.size());
  }
  std::uint64_t value() const { return hash_; }

 private:
  std::uint64_t hash_ = 0xCBF29CE484222325;
};

}  // namespace

bool SessionRules::HidesCapability(std::string_view name) const {
  return std::any_of(hidden_capabilities_.begin(), hidden_capabilities_.end(),
                     [name](const std::string& hidden) { return EqualsNoCase(hidden, name); });
}

bool SessionRules::HidesMailbox(std::string_view name) const {
  if (!hides_mailboxes_) return false;
  return set_->compiled_->examiner.Hidden(name, hidden_patterns_) != Answer::kNo;
}

bool SessionRules::SameAs(const SessionRules& other) const {
  return protocol_ == other.protocol_ && candidates_ == other.candidates_ &&
         hidden_patterns_ == other.hidden_patterns_ && read_only_ == other.read_only_ &&
         asks_client_id_ == other.asks_client_id_ &&
         hidden_capabilities_ == other.hidden_capabilities_;
}

void SessionRules::Clear() {
  candidates_.clear();
  hidden_patterns_.clear();
  hidden_capabilities_.clear();
  read_only_ = kNoRule;
  hides_mailboxes_ = false;
}

std::uint64_t SessionRules::Hash() const {
  Hasher hasher;
  hasher.Add(static_cast<std::uint64_t>(protocol_) << 32 | std::uint64_t{asks_client_id_} << 16 |
             read_only_);
  for (const Candidate& candidate : candidates_) {
    hasher.Add(std::uint64_t{candidate.rule} | std::uint64_t{candidate.ifs} << 16 |
               std::uint64_t{candidate.unlesses} << 24);
    if (candidate.exempt_until != 0) hasher.Add(static_cast<std::uint64_t>(candidate.exempt_until));
  }
  for (const std::uint32_t pattern : hidden_patterns_) hasher.Add(pattern);
  for (const std::string& name : hidden_capabilities_) hasher.Add(name);
  return hasher.value();
}

// Whether the user is exempt for good; else until when, in the candidate.
bool RuleSet::FindExemption(const CompiledRule& rule, SessionRules::Candidate& candidate) {
  for (std::uint32_t i = 0; i < rule.exemptions; ++i) {
    const CompiledExemption& exemption = compiled_->rules->exemptions[rule.first_exemption + i];
    const Answer named = compiled_->examiner.Names(exemption);
    if (named == Answer::kUnknown) candidate.ifs = static_cast<std::uint8_t>(named);
    if (named != Answer::kYes) continue;
    if (exemption.until == 0) return true;
    candidate.exempt_until = std::max(candidate.exempt_until, exemption.until);
  }
  return false;
}

// Whether the rule may match a command of this session, and what is known of it already.
bool RuleSet::IsCandidate(const CompiledRule& rule, SessionRules::Candidate& candidate) {
  Examiner& examiner = compiled_->examiner;
  const Answer ifs = examiner.AskAll(rule.tests, rule.session_ifs);
  if (ifs == Answer::kNo || !examiner.InShare(rule)) return false;
  Answer unlesses = Answer::kNo;
  if (rule.session_unlesses + rule.command_unlesses > 0) {
    unlesses =
        examiner.AskAll(rule.tests + rule.session_ifs + rule.command_ifs, rule.session_unlesses);
  }
  if (unlesses == Answer::kYes && rule.command_unlesses == 0) return false;
  candidate.ifs = static_cast<std::uint8_t>(ifs);
  candidate.unlesses = static_cast<std::uint8_t>(unlesses);
  return !FindExemption(rule, candidate);
}

void RuleSet::FindCandidates(SessionRules& out) {
  const CompiledRules& all = *compiled_->rules;
  const auto& rules = all.stages[static_cast<std::size_t>(Stage::kCommand)];
  const auto& commands = all.commands[static_cast<std::size_t>(out.protocol_)];
  for (std::size_t i = 0; i < rules.size(); ++i) {
    SessionRules::Candidate candidate;
    candidate.rule = static_cast<std::uint16_t>(i);
    if (commands[i] != 0 && IsCandidate(rules[i], candidate)) out.candidates_.push_back(candidate);
  }
}

void RuleSet::FindEffects(const SessionFacts& facts, SessionRules& out) {
  for (const SessionEffect& effect : compiled_->rules->effects) {
    const bool early = (effect.stage == Stage::kLogin && facts.user.empty()) ||
                       (effect.stage == Stage::kCommand && facts.pool == kNoPool);
    // One that cannot be judged holds.
    if (early || effect.rule.report || compiled_->examiner.AskRule(effect.rule) == Answer::kNo) {
      continue;
    }
    const Rule& written = rule(effect.rule.id);
    if (effect.rule.action == Action::kReadOnly) {
      if (!out.read_only()) out.read_only_ = effect.rule.id;
      continue;
    }
    AddHidden(written, out.hidden_capabilities_);
    out.hidden_patterns_.insert(out.hidden_patterns_.end(), effect.hidden.begin(),
                                effect.hidden.end());
  }
  SortUnique(out.hidden_capabilities_);
  SortUnique(out.hidden_patterns_);
  out.hides_mailboxes_ = !out.hidden_patterns_.empty();
}

std::shared_ptr<const SessionRules> RuleSet::For(const SessionFacts& facts) {
  return Find(facts, true);
}

std::shared_ptr<const SessionRules> RuleSet::ForArrival(const SessionFacts& facts) {
  return Find(facts, false);
}

std::shared_ptr<const SessionRules> RuleSet::Find(const SessionFacts& facts, bool commands) {
  if (empty()) return nullptr;
  compiled_->examiner.Begin(facts.protocol, &facts, nullptr);
  SessionRules& found = compiled_->found;
  found.Clear();
  found.protocol_ = facts.protocol;
  found.asks_client_id_ = compiled_->rules->asks_client_id && facts.client_name.empty();
  if (commands) FindCandidates(found);
  FindEffects(facts, found);
  const bool concerned = !found.candidates_.empty() || found.read_only() ||
                         found.hides_mailboxes_ || !found.hidden_capabilities_.empty() ||
                         found.asks_client_id_;
  return concerned ? Intern(found) : nullptr;
}

std::shared_ptr<const SessionRules> RuleSet::Intern(const SessionRules& found) {
  auto& interned = compiled_->interned;
  const std::uint64_t hash = found.Hash();
  const auto [first, end] = interned.equal_range(hash);
  for (auto it = first; it != end; ++it) {
    std::shared_ptr<const SessionRules> known = it->second.lock();
    if (known && known->SameAs(found)) return known;
  }
  if (interned.size() >= compiled_->sweep_at) {
    std::erase_if(interned, [](const auto& entry) { return entry.second.expired(); });
    compiled_->sweep_at = 64 + 2 * interned.size();
  }
  auto made = std::make_shared<SessionRules>(found);
  made->set_ = self_.lock();
  if (made->hides_mailboxes_) made->FindHiddenBeginnings();
  Index(*made);
  interned.emplace(hash, made);
  return made;
}

// Fills in what follows from the candidates.
void RuleSet::Index(SessionRules& out) const {
  const CompiledRules& all = *compiled_->rules;
  const auto& rules = all.stages[static_cast<std::size_t>(Stage::kCommand)];
  const auto& commands = all.commands[static_cast<std::size_t>(out.protocol_)];
  std::array<std::vector<std::uint16_t>, SessionRules::kMostCommands> about;
  for (std::size_t i = 0; i < out.candidates_.size(); ++i) {
    const CompiledRule& rule = rules[out.candidates_[i].rule];
    const std::uint64_t bits = commands[out.candidates_[i].rule];
    for (std::size_t command = 0; command < about.size(); ++command) {
      if ((bits >> command & 1) == 0) continue;
      out.commands_.set(command);
      if (rule.names_command) about[command].push_back(static_cast<std::uint16_t>(i));
    }
    if (!rule.names_command) out.about_any_.push_back(static_cast<std::uint16_t>(i));
    out.asks_mailbox_ = out.asks_mailbox_ || rule.asks_mailbox;
    out.asks_argument_ = out.asks_argument_ || rule.asks_argument;
  }
  for (std::size_t command = 0; command < about.size(); ++command) {
    out.first_[command] = static_cast<std::uint32_t>(out.about_one_.size());
    out.about_one_.insert(out.about_one_.end(), about[command].begin(), about[command].end());
  }
  out.first_.back() = static_cast<std::uint32_t>(out.about_one_.size());
  out.about_one_.shrink_to_fit();
}

}  // namespace postern
