#include "rules/examiner.h"

#include <algorithm>

#include "postern/imap/mailbox.h"

namespace postern {
namespace {

std::size_t IndexOf(Fact fact) { return static_cast<std::size_t>(fact); }

Answer Known(bool yes) { return yes ? Answer::kYes : Answer::kNo; }

bool HasBit(std::uint64_t bits, std::uint64_t value) {
  return value < 64 && (bits >> value & 1) != 0;
}

}  // namespace

Examiner::Examiner(CompiledRules& rules) : rules_(rules) {
  for (std::size_t i = 0; i < kFactCount; ++i) {
    if (rules.tables[i]) seen_[i].reading.outcome.found.Resize(rules.tables[i]->size());
  }
}

void Examiner::Begin(Protocol protocol, const SessionFacts* session, const CommandFacts* command) {
  protocol_ = protocol;
  session_ = session;
  command_ = command;
  looked_.fill(Text::kNotLooked);
  share_.reset();
}

Answer Examiner::AskAll(std::uint32_t first, std::uint32_t count) {
  Answer all = Answer::kYes;
  for (const Test& test : std::span(rules_.tests).subspan(first, count)) {
    all = Both(all, Ask(test));
    if (all == Answer::kNo) break;
  }
  return all;
}

Answer Examiner::AskRule(const CompiledRule& rule) {
  const std::uint32_t ifs = rule.session_ifs + rule.command_ifs;
  Answer answer = AskAll(rule.tests, ifs);
  if (answer == Answer::kNo) return answer;
  const std::uint32_t unlesses = rule.session_unlesses + rule.command_unlesses;
  if (unlesses > 0) answer = Both(answer, Not(AskAll(rule.tests + ifs, unlesses)));
  if (answer == Answer::kNo || !InShare(rule)) return Answer::kNo;
  return rule.exemptions == 0 ? answer : Both(answer, Not(Exempt(rule)));
}

bool Examiner::InShare(const CompiledRule& rule) {
  if (rule.share >= 10'000) return true;
  if (session_->user.empty()) return false;
  if (!share_) share_ = ShareOf(session_->user);
  return *share_ < rule.share;
}

Answer Examiner::Names(const CompiledExemption& exemption) {
  return AskText(Fact::kUser, exemption.first, exemption.count, exemption.in_set);
}

Answer Examiner::Exempt(const CompiledRule& rule) {
  Answer exempt = Answer::kNo;
  for (std::uint32_t i = 0; i < rule.exemptions; ++i) {
    const CompiledExemption& exemption = rules_.exemptions[rule.first_exemption + i];
    if (exemption.until != 0 && time() >= exemption.until) continue;
    const Answer named = Names(exemption);
    if (named == Answer::kYes) return named;
    if (named == Answer::kUnknown) exempt = named;
  }
  return exempt;
}

Answer Examiner::Ask(const Test& test) {
  switch (test.fact) {
    case Fact::kProtocol:
      return Known(HasBit(test.bits[0], static_cast<std::uint64_t>(protocol_)));
    case Fact::kListener:
      return Known(HasId(test, session_->listener));
    case Fact::kClient:
      return Known(AnyClient(test));
    case Fact::kTime:
      return Known(AnyWindow(test));
    case Fact::kTlsVersion:
      return Known(HasBit(test.bits[0], static_cast<std::uint64_t>(session_->tls_version)));
    case Fact::kMechanism:
      return Known(session_->mechanism.has_value() &&
                   HasBit(test.bits[0], static_cast<std::uint64_t>(*session_->mechanism)));
    case Fact::kPool:
      return Known(session_->pool != kNoPool && HasId(test, session_->pool));
    case Fact::kCommand:
      return Known(command_ != nullptr &&
                   HasBit(test.bits[static_cast<std::size_t>(protocol_)], command_->command));
    case Fact::kSize:
      return Known(command_ != nullptr && command_->size.has_value() && AnySize(test));
    case Fact::kMailbox:
      return AskMailboxes(test);
    case Fact::kSni:
    case Fact::kTlsCipher:
    case Fact::kClientCert:
    case Fact::kUser:
    case Fact::kDomain:
    case Fact::kClientId:
    case Fact::kArgument:
      return AskText(test.fact, test.first, test.count, test.in_set);
  }
  return Answer::kUnknown;
}

bool Examiner::HasId(const Test& test, std::uint32_t id) const {
  const auto begin = rules_.ids.begin() + static_cast<std::ptrdiff_t>(test.first);
  const auto end = begin + static_cast<std::ptrdiff_t>(test.count);
  return std::find(begin, end, id) != end;
}

bool Examiner::AnyClient(const Test& test) const {
  for (std::uint32_t i = 0; i < test.count; ++i) {
    if (rules_.networks[test.first + i].Contains(session_->client)) return true;
  }
  return false;
}

bool Examiner::AnyWindow(const Test& test) const {
  for (std::uint32_t i = 0; i < test.count; ++i) {
    if (rules_.windows[test.first + i].Contains(time())) return true;
  }
  return false;
}

bool Examiner::AnySize(const Test& test) const {
  for (std::uint32_t i = 0; i < test.count; ++i) {
    if (rules_.bounds[test.first + i].Holds(*command_->size)) return true;
  }
  return false;
}

Answer Examiner::AnyPattern(PatternTable& table, Reading& reading,
                            std::span<const std::uint32_t> patterns, bool in_set) const {
  const PatternTable::Outcome& outcome = reading.outcome;
  if (in_set && !outcome.set_matched) table.MatchSet(reading.text, reading.outcome);
  bool unknown = false;
  for (const std::uint32_t id : patterns) {
    if (outcome.found.Has(id)) return Answer::kYes;
    unknown = unknown || (outcome.failed && table.InSet(id));
  }
  return unknown ? Answer::kUnknown : Answer::kNo;
}

std::string_view Examiner::TextOf(Fact fact) const {
  switch (fact) {
    case Fact::kUser:
      return session_->user;
    case Fact::kDomain:
      return DomainOf(session_->user);
    case Fact::kSni:
      return session_->sni;
    case Fact::kClientId:
      return session_->client_name;
    case Fact::kTlsCipher:
      return session_->tls_cipher;
    case Fact::kClientCert:
      return session_->client_cert;
    case Fact::kArgument:
      return command_ != nullptr ? command_->argument : std::string_view{};
    case Fact::kProtocol:
    case Fact::kListener:
    case Fact::kClient:
    case Fact::kTime:
    case Fact::kTlsVersion:
    case Fact::kMechanism:
    case Fact::kPool:
    case Fact::kCommand:
    case Fact::kMailbox:
    case Fact::kSize:
      return {};
  }
  return {};
}

void Examiner::Prepare(Fact fact, std::string_view text, std::string& out) {
  switch (KindOf(fact)) {
    case TextKind::kFolded:
      return Fold(text, out);
    case TextKind::kUtf8:
      return MakeUtf8(text, out);
    case TextKind::kOctets:
    case TextKind::kNone:
      out.assign(text);
  }
}

Examiner::Text Examiner::Look(Fact fact) {
  const std::string_view text = TextOf(fact);
  if (text.empty()) return Text::kMissing;
  if (text.size() > MaxLength(fact)) return Text::kTooLong;
  Seen& seen = seen_[IndexOf(fact)];
  if (fact == Fact::kClientId) return LookAtClientId(seen);
  // What failed once may succeed the next time.
  if (seen.matched && seen.text == text && !seen.reading.outcome.failed) return Text::kMatched;
  seen.matched = true;
  seen.text.assign(text);
  seen.reading.outcome.Clear();
  Prepare(fact, text, seen.reading.text);
  rules_.TableOf(fact)->MatchLiterals(seen.reading.text, seen.reading.outcome);
  return Text::kMatched;
}

// Any of its readings is as good as the others: their matches are put together.
Examiner::Text Examiner::LookAtClientId(Seen& seen) {
  if (session_->client_version.size() > MaxLength(Fact::kClientId)) return Text::kTooLong;
  PatternTable::Outcome& outcome = seen.reading.outcome;
  PatternTable& table = *rules_.TableOf(Fact::kClientId);
  outcome.Clear();
  const std::size_t readings = ClientIdReadings(*session_, client_id_);
  for (std::size_t i = 0; i < readings; ++i) {
    table.MatchLiterals(client_id_[i], outcome);
    outcome.set_matched = false;
    table.MatchSet(client_id_[i], outcome);
  }
  return Text::kMatched;
}

Answer Examiner::AskText(Fact fact, std::uint32_t first, std::uint32_t count, bool in_set) {
  Text& looked = looked_[IndexOf(fact)];
  if (looked == Text::kNotLooked) looked = Look(fact);
  if (looked == Text::kMissing) return Answer::kNo;
  if (looked == Text::kTooLong) return Answer::kUnknown;
  return AnyPattern(*rules_.TableOf(fact), seen_[IndexOf(fact)].reading,
                    std::span(rules_.ids).subspan(first, count), in_set);
}

Examiner::Reading& Examiner::NextReading(const PatternTable& table) {
  if (mailboxes_.size() <= reading_count_) mailboxes_.emplace_back();
  Reading& reading = mailboxes_[reading_count_++];
  reading.outcome.found.Resize(table.size());
  reading.outcome.Clear();
  return reading;
}

void Examiner::AddReadings(std::string_view name, PatternTable& table) {
  if (name.size() > kMaxCommandText || reading_count_ > kMaxReadings) {
    too_long_ = true;
    return;
  }
  const std::size_t count = imap::MailboxReadings(name, readings_);
  for (std::size_t i = 0; i < count; ++i) {
    Reading& reading = NextReading(table);
    MakeUtf8(readings_[i], reading.text);
    RaiseInbox(reading.text);
    table.MatchLiterals(reading.text, reading.outcome);
  }
}

void Examiner::LookAtMailboxes() {
  reading_count_ = 0;
  too_long_ = false;
  if (command_ == nullptr) return;
  PatternTable& table = *rules_.TableOf(Fact::kMailbox);
  for (const std::string_view name : command_->mailboxes) AddReadings(name, table);
}

Answer Examiner::AskMailboxes(const Test& test) {
  Text& looked = looked_[IndexOf(Fact::kMailbox)];
  if (looked == Text::kNotLooked) {
    LookAtMailboxes();
    looked = Text::kMatched;
  }
  if (reading_count_ == 0 && !too_long_) return Answer::kNo;
  PatternTable& table = *rules_.TableOf(Fact::kMailbox);
  const auto patterns = std::span(rules_.ids).subspan(test.first, test.count);
  if (reading_count_ == 1 && !too_long_) {
    return AnyPattern(table, mailboxes_[0], patterns, test.in_set);
  }
  Answer answer = too_long_ ? Answer::kUnknown : Known(test.every);
  for (std::size_t i = 0; i < reading_count_; ++i) {
    const Answer one = AnyPattern(table, mailboxes_[i], patterns, test.in_set);
    answer = test.every ? Both(answer, one) : Not(Both(Not(answer), Not(one)));
  }
  return answer;
}

bool Examiner::NothingFound(PatternTable& table, Reading& reading) {
  table.MatchSet(reading.text, reading.outcome);
  return !reading.outcome.failed && !reading.outcome.found.Any();
}

std::uint8_t Examiner::Unmet(std::uint8_t needs) {
  std::uint8_t unmet = 0;
  if ((needs & kNeedsSize) != 0) {
    const std::optional<std::uint64_t> size = command_->size;
    if (!size || *size < rules_.least_size) unmet |= kNeedsSize;
  }
  if ((needs & kNeedsArgument) != 0) {
    Text& looked = looked_[IndexOf(Fact::kArgument)];
    if (looked == Text::kNotLooked) looked = Look(Fact::kArgument);
    const bool none =
        looked == Text::kMissing ||
        (looked == Text::kMatched &&
         NothingFound(*rules_.TableOf(Fact::kArgument), seen_[IndexOf(Fact::kArgument)].reading));
    if (none) unmet |= kNeedsArgument;
  }
  if ((needs & kNeedsMailbox) == 0) return unmet;
  Text& looked = looked_[IndexOf(Fact::kMailbox)];
  if (looked == Text::kNotLooked) {
    LookAtMailboxes();
    looked = Text::kMatched;
  }
  bool none = !too_long_;
  for (std::size_t i = 0; i < reading_count_ && none; ++i) {
    none = NothingFound(*rules_.TableOf(Fact::kMailbox), mailboxes_[i]);
  }
  if (none) unmet |= kNeedsMailbox;
  return unmet;
}

Answer Examiner::Hidden(std::string_view name, std::span<const std::uint32_t> patterns) {
  PatternTable& table = rules_.hidden;
  reading_count_ = 0;
  too_long_ = false;
  AddReadings(name, table);
  Answer hidden = too_long_ ? Answer::kUnknown : Answer::kNo;
  for (std::size_t i = 0; i < reading_count_ && hidden != Answer::kYes; ++i) {
    const Answer one = AnyPattern(table, mailboxes_[i], patterns, true);
    if (one != Answer::kNo) hidden = one;
  }
  return hidden;
}

}  // namespace postern
