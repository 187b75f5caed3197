#include "rules/fact_words.h"

#include <algorithm>
#include <array>
#include <chrono>

#include "postern/base/text.h"
#include "postern/imap/command.h"
#include "postern/imap/mailbox.h"
#include "postern/pop3/command.h"
#include "rules/pattern.h"

namespace postern {
namespace {

std::string TwoDigits(unsigned number) { return (number < 10 ? "0" : "") + std::to_string(number); }

std::string VersionText(TlsVersion version) {
  for (const std::string_view text : {"none", "1.0", "1.1", "1.2", "1.3"}) {
    if (FindTlsVersion(text) == version) return std::string(text);
  }
  return {};
}

std::string NameAt(const std::vector<std::string>& names, std::size_t index) {
  return index < names.size() ? names[index] : "number " + std::to_string(index);
}

std::string Joined(std::span<const std::string_view> texts) {
  std::string out;
  for (const std::string_view text : texts) out.append(out.empty() ? "" : " and ").append(text);
  return out;
}

}  // namespace

std::string TimeText(std::int64_t time) {
  const std::chrono::sys_seconds at{std::chrono::seconds(time)};
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date(day);
  const auto minutes = static_cast<unsigned>((at - day).count() / 60);
  return std::to_string(static_cast<int>(date.year())) + "-" +
         TwoDigits(static_cast<unsigned>(date.month())) + "-" +
         TwoDigits(static_cast<unsigned>(date.day())) + " " + TwoDigits(minutes / 60) + ":" +
         TwoDigits(minutes % 60) + " UTC";
}

std::string FactWords::Text(Fact fact) const {
  const bool imap = facts_.protocol == Protocol::kImap;
  switch (fact) {
    case Fact::kProtocol:
      return imap ? "imap" : "pop3";
    case Fact::kListener:
      return NameAt(names_.listeners, facts_.listener);
    case Fact::kClient:
      return facts_.client.HostText();
    case Fact::kTime:
      return time() == 0 ? "" : TimeText(time());
    case Fact::kSni:
      return std::string(facts_.sni);
    case Fact::kTlsVersion:
      return VersionText(facts_.tls_version);
    case Fact::kTlsCipher:
      return std::string(facts_.tls_cipher);
    case Fact::kClientCert:
      return std::string(facts_.client_cert);
    case Fact::kUser:
      return std::string(facts_.user);
    case Fact::kDomain:
      return std::string(DomainOf(facts_.user));
    case Fact::kMechanism:
      return facts_.mechanism ? std::string(MechanismName(*facts_.mechanism)) : "";
    case Fact::kClientId:
      if (facts_.client_name.empty() || facts_.client_version.empty()) {
        return std::string(facts_.client_name);
      }
      return std::string(facts_.client_name) + " " + std::string(facts_.client_version);
    case Fact::kPool:
      return facts_.pool == kNoPool ? "" : NameAt(names_.pools, facts_.pool);
    case Fact::kCommand:
      if (command_ == nullptr) return "";
      return std::string(
          imap ? imap::CommandName(static_cast<imap::CommandKind>(command_->command))
               : pop3::CommandName(static_cast<pop3::CommandKind>(command_->command)));
    case Fact::kMailbox:
      return command_ == nullptr ? "" : Joined(command_->mailboxes);
    case Fact::kArgument:
      return command_ == nullptr ? "" : std::string(command_->argument);
    case Fact::kSize:
      return command_ == nullptr || !command_->size ? "" : std::to_string(*command_->size);
  }
  return {};
}

bool FactWords::Known(Fact fact) const {
  if (fact == Fact::kMailbox) return command_ != nullptr && !command_->mailboxes.empty();
  return !Text(fact).empty();
}

std::uint64_t FactWords::Number(Fact fact) const {
  return fact == Fact::kSize ? *command_->size : static_cast<std::uint64_t>(facts_.tls_version);
}

bool FactWords::HoldsValue(Fact fact, const FactValue& value) const {
  if (const auto* protocol = std::get_if<Protocol>(&value.what)) {
    return *protocol == facts_.protocol;
  }
  if (const auto* command = std::get_if<CommandValue>(&value.what)) {
    return (facts_.protocol == Protocol::kImap ? command->imap : command->pop3) ==
           command_->command;
  }
  if (const auto* mechanism = std::get_if<Mechanism>(&value.what)) {
    return *mechanism == *facts_.mechanism;
  }
  if (const auto* network = std::get_if<Network>(&value.what)) {
    return network->Contains(facts_.client);
  }
  if (const auto* window = std::get_if<TimeWindow>(&value.what)) return window->Contains(time());
  if (const auto* bound = std::get_if<Bound>(&value.what)) return bound->Holds(Number(fact));
  return EqualsNoCase(Text(fact), value.text);
}

std::vector<std::string> FactWords::MailboxTexts() const {
  std::vector<std::string> texts;
  std::vector<std::string> readings;
  for (const std::string_view name : command_->mailboxes) {
    const std::size_t count = imap::MailboxReadings(name, readings);
    for (std::size_t i = 0; i < count; ++i) {
      MakeUtf8(readings[i], texts.emplace_back());
      RaiseInbox(texts.back());
    }
  }
  return texts;
}

std::vector<std::string> FactWords::Texts(Fact fact) const {
  if (fact == Fact::kMailbox) return MailboxTexts();
  if (fact == Fact::kClientId) {
    std::array<std::string, 3> readings;
    const std::size_t count = ClientIdReadings(facts_, readings);
    return {readings.begin(), readings.begin() + static_cast<std::ptrdiff_t>(count)};
  }
  std::string text = Text(fact);
  if (KindOf(fact) == TextKind::kFolded) return {ToLower(text)};
  if (KindOf(fact) == TextKind::kOctets) return {text};
  std::string prepared;
  MakeUtf8(text, prepared);
  return {prepared};
}

bool FactWords::MatchesText(const Condition& condition, const std::string& text) const {
  return std::any_of(condition.any_of.begin(), condition.any_of.end(), [&](const FactValue& value) {
    const std::string pattern =
        condition.fact == Fact::kMailbox ? MailboxPattern(value.text) : value.text;
    const auto compiled = CompilePattern(pattern, KindOf(condition.fact));
    return compiled.ok() && re2::RE2::FullMatch(text, *compiled.value());
  });
}

bool FactWords::Holds(const Condition& condition, bool every) const {
  if (!Known(condition.fact)) return false;
  if (KindOf(condition.fact) == TextKind::kNone) {
    return std::any_of(condition.any_of.begin(), condition.any_of.end(),
                       [&](const FactValue& value) { return HoldsValue(condition.fact, value); });
  }
  const std::vector<std::string> texts = Texts(condition.fact);
  const auto matches = [&](const std::string& text) { return MatchesText(condition, text); };
  return every && condition.fact == Fact::kMailbox
             ? std::all_of(texts.begin(), texts.end(), matches)
             : std::any_of(texts.begin(), texts.end(), matches);
}

bool FactWords::UserMatches(const std::vector<FactValue>& patterns) const {
  return Holds(Condition{Fact::kUser, patterns}, false);
}

}  // namespace postern
