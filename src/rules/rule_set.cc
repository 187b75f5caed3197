#include "postern/rules/rule_set.h"

#include <algorithm>
#include <utility>

#include "rules/pattern.h"
#include "rules/rule_set_inner.h"

namespace postern {
namespace {

// Indices of two ascending rows, merged.
class Merged {
 public:
  Merged(std::span<const std::uint16_t> a, std::span<const std::uint16_t> b) : a_(a), b_(b) {}
  bool empty() const { return a_.empty() && b_.empty(); }
  std::uint16_t Next() {
    const bool first = b_.empty() || (!a_.empty() && a_.front() < b_.front());
    std::span<const std::uint16_t>& from = first ? a_ : b_;
    const std::uint16_t next = from.front();
    from = from.subspan(1);
    return next;
  }

 private:
  std::span<const std::uint16_t> a_;
  std::span<const std::uint16_t> b_;
};

// The captures of a match in what `to` says of them.
std::string Fill(std::string_view to, const std::vector<std::string_view>& captures) {
  std::string out;
  for (std::size_t i = 0; i < to.size(); ++i) {
    if (to[i] != '\\' || i + 1 == to.size()) {
      out.push_back(to[i]);
      continue;
    }
    const char next = to[++i];
    const auto capture = static_cast<std::size_t>(next - '0');
    if (next < '0' || next > '9') {
      out.push_back(next);
    } else if (capture < captures.size()) {
      out.append(captures[capture]);
    }
  }
  return out;
}

// What the pattern captures of user, in the user's own case; empty when it does not match.
std::vector<std::string_view> Captures(const std::string& pattern, std::string_view user) {
  const auto compiled = CompilePattern(pattern, TextKind::kFolded);
  if (!compiled.ok()) return {};
  std::string folded;
  Fold(user, folded);
  const int groups = compiled.value()->NumberOfCapturingGroups() + 1;
  std::vector<re2::StringPiece> found(static_cast<std::size_t>(groups));
  if (!compiled.value()->Match(folded, 0, folded.size(), re2::RE2::ANCHOR_BOTH, found.data(),
                               groups)) {
    return {};
  }
  std::vector<std::string_view> captures;
  for (const re2::StringPiece& piece : found) {
    if (piece.data() == nullptr) {
      captures.emplace_back();
      continue;
    }
    captures.push_back(
        user.substr(static_cast<std::size_t>(piece.data() - folded.data()), piece.size()));
  }
  return captures;
}

}  // namespace

RuleSet::RuleSet(std::shared_ptr<const RuleBook> book) : book_(std::move(book)) {}
RuleSet::~RuleSet() = default;

Result<std::shared_ptr<RuleSet>> RuleSet::Compile(std::shared_ptr<const RuleBook> book,
                                                  const RuleNames& names) {
  return CompileWith(std::move(book), names, {});
}

Result<std::shared_ptr<RuleSet>> RuleSet::CompileWith(std::shared_ptr<const RuleBook> book,
                                                      const RuleNames& names,
                                                      const CompileOptions& options) {
  if (book->rules.size() > kMaxRules) {
    return Status::Error("there are more than " + std::to_string(kMaxRules) + " rules");
  }
  auto compiled = CompiledRules::Make(*book, names, options);
  if (!compiled.ok()) return compiled.error();
  const std::size_t count = book->rules.size();
  std::shared_ptr<RuleSet> set(new RuleSet(std::move(book)));
  set->compiled_ = std::make_unique<Compiled>(std::move(compiled.value()), count);
  set->memory_ = sizeof(Compiled) + set->compiled_->rules->memory() + 2 * count * sizeof(RuleId);
  set->self_ = set;
  return set;
}

Decision RuleSet::Decide(Stage stage, const SessionFacts& facts) {
  Compiled& own = *compiled_;
  own.examiner.Begin(facts.protocol, &facts, nullptr);
  own.ruling.Begin();
  const auto take = [&](const CompiledRule& compiled) {
    own.ruling.Take(compiled, rule(compiled.id), own.examiner.AskRule(compiled));
  };
  if (stage != Stage::kCommand) {
    const auto& rules = own.rules->stages[static_cast<std::size_t>(stage)];
    std::for_each(rules.begin(), rules.end(), take);
  } else if (facts.pool != kNoPool) {
    for (const SessionEffect& effect : own.rules->effects) {
      if (effect.stage == Stage::kCommand) take(effect.rule);
    }
  }
  return own.ruling.Finish();
}

Decision RuleSet::DecideById(const SessionFacts& facts) {
  Compiled& own = *compiled_;
  own.examiner.Begin(facts.protocol, &facts, nullptr);
  own.ruling.Begin();
  for (const CompiledRule& compiled : own.rules->by_client_id) {
    own.ruling.Take(compiled, rule(compiled.id), own.examiner.AskRule(compiled));
  }
  return own.ruling.Finish();
}

Decision RuleSet::Judge(const SessionRules& rules, const CommandFacts& facts) {
  POSTERN_CHECK(rules.set_.get() == this);
  Compiled& own = *compiled_;
  own.examiner.Begin(rules.protocol_, nullptr, &facts);
  own.ruling.Begin();
  if (facts.command >= SessionRules::kMostCommands) return own.ruling.Finish();
  const std::uint32_t first = rules.first_[facts.command];
  const std::uint32_t end = rules.first_[facts.command + 1];
  Merged merged(rules.about_any_, std::span(rules.about_one_).subspan(first, end - first));
  const auto& commands = own.rules->stages[static_cast<std::size_t>(Stage::kCommand)];
  std::uint8_t asked = 0;
  std::uint8_t unmet = 0;
  while (!merged.empty()) {
    const SessionRules::Candidate& candidate = rules.candidates_[merged.Next()];
    const CompiledRule& compiled = commands[candidate.rule];
    const auto open = static_cast<std::uint8_t>(compiled.needs & ~asked);
    if (open != 0) {
      asked |= open;
      unmet |= own.examiner.Unmet(open);
    }
    if ((compiled.needs & unmet) != 0 || facts.time < candidate.exempt_until) continue;
    const std::uint32_t ifs = compiled.tests + compiled.session_ifs;
    const std::uint32_t unlesses = ifs + compiled.command_ifs + compiled.session_unlesses;
    Answer answer =
        Both(static_cast<Answer>(candidate.ifs), own.examiner.AskAll(ifs, compiled.command_ifs));
    const auto lifted = static_cast<Answer>(candidate.unlesses);
    if (answer != Answer::kNo && lifted != Answer::kNo) {
      const Answer rest = own.examiner.AskAll(unlesses, compiled.command_unlesses);
      answer = Both(answer, Not(Both(lifted, rest)));
    }
    if (answer != Answer::kNo) own.ruling.Take(compiled, rule(compiled.id), answer);
  }
  return own.ruling.Finish();
}

std::string RuleSet::RewriteUser(RuleId id, std::string_view user) {
  const Rule& rewriting = rule(id);
  if (user.size() > kMaxUser) return std::string(user);
  bool any = false;
  for (const Condition& condition : rewriting.conditions) {
    if (condition.fact != Fact::kUser) continue;
    any = true;
    for (const FactValue& value : condition.any_of) {
      const std::vector<std::string_view> captures = Captures(value.text, user);
      if (!captures.empty()) return Fill(rewriting.to, captures);
    }
  }
  return any ? std::string(user) : Fill(rewriting.to, {user});
}

}  // namespace postern
