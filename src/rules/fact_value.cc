#include <algorithm>
#include <array>
#include <limits>
#include <string>

#include "postern/base/text.h"
#include "postern/imap/command.h"
#include "postern/pop3/command.h"
#include "postern/rules/rule.h"
#include "rules/fact_texts.h"
#include "rules/pattern.h"

namespace postern {
namespace {

using Names = std::vector<std::string_view>;
constexpr std::array<std::string_view, kProtocolCount> kProtocols{"imap", "pop3"};

Status NotOneOf(std::string_view what, std::string_view text, const Names& names) {
  std::string message = "'" + std::string(text) + "' is not " + std::string(what);
  const std::string_view nearest = NearestName(ToUpper(text), names);
  if (!nearest.empty())
    return Status::Error(message + "; did you mean " + std::string(nearest) + "?");
  if (names.size() > 8) return Status::Error(message);
  message += "; it may be";
  for (const std::string_view name : names) message.append(" ").append(name);
  return Status::Error(message);
}

Result<FactValue> Value(std::string_view text, decltype(FactValue::what) what) {
  return FactValue{std::string(text), {}, std::move(what)};
}

Result<FactValue> ProtocolValue(std::string_view text) {
  for (std::size_t i = 0; i < kProtocols.size(); ++i) {
    if (EqualsNoCase(text, kProtocols[i])) return Value(text, static_cast<Protocol>(i));
  }
  return Status::Error("'" + std::string(text) + "' is not a protocol; it may be imap or pop3");
}

std::optional<std::uint8_t> FindPop3(std::string_view verb) {
  for (std::size_t i = 1; i < pop3::kCommandCount; ++i) {
    if (EqualsNoCase(verb, pop3::CommandName(static_cast<pop3::CommandKind>(i)))) {
      return static_cast<std::uint8_t>(i);
    }
  }
  return {};
}

Names CommandNames() {
  Names names;
  for (std::size_t i = 1; i < imap::kCommandCount; ++i) {
    names.push_back(imap::CommandName(static_cast<imap::CommandKind>(i)));
  }
  for (std::size_t i = 1; i < pop3::kCommandCount; ++i) {
    names.push_back(pop3::CommandName(static_cast<pop3::CommandKind>(i)));
  }
  return names;
}

Result<FactValue> CommandValueOf(std::string_view text) {
  CommandValue value;
  const imap::CommandKind kind = imap::FindCommand(text);
  if (kind != imap::CommandKind::kOther) value.imap = static_cast<std::uint8_t>(kind);
  value.pop3 = FindPop3(text);
  if (value.imap || value.pop3) return Value(text, value);
  if (StartsWithNoCase(text, "UID ")) {
    return Status::Error("'" + std::string(text) + "': the verb alone, " + ToUpper(text.substr(4)) +
                         ", covers it with and without UID");
  }
  return NotOneOf("a command that Postern knows", text, CommandNames());
}

Result<FactValue> MechanismValue(std::string_view text) {
  Names names;
  for (std::size_t i = 0; i < kMechanismCount; ++i) {
    const auto mechanism = static_cast<Mechanism>(i);
    if (EqualsNoCase(text, MechanismName(mechanism))) return Value(text, mechanism);
    names.push_back(MechanismName(mechanism));
  }
  return NotOneOf("a mechanism", text, names);
}

Bound::Comparison TakeComparison(std::string_view& text) {
  struct Row {
    std::string_view sign;
    Bound::Comparison comparison;
  };
  constexpr std::array<Row, 5> kRows{{{"<=", Bound::Comparison::kAtMost},
                                      {">=", Bound::Comparison::kAtLeast},
                                      {"<", Bound::Comparison::kLess},
                                      {">", Bound::Comparison::kMore},
                                      {"=", Bound::Comparison::kEqual}}};
  for (const Row& row : kRows) {
    if (!text.starts_with(row.sign)) continue;
    text.remove_prefix(row.sign.size());
    while (text.starts_with(' ')) text.remove_prefix(1);
    return row.comparison;
  }
  return Bound::Comparison::kEqual;
}

Result<FactValue> TlsVersionValue(std::string_view text) {
  std::string_view rest = text;
  const Bound::Comparison comparison = TakeComparison(rest);
  const std::optional<TlsVersion> version = FindTlsVersion(rest);
  if (version) return Value(text, Bound{comparison, static_cast<std::uint64_t>(*version)});
  return Status::Error("'" + std::string(text) +
                       "' is not a TLS version; it may be none, 1.0, 1.1, 1.2 or 1.3, with <, <=, "
                       ">= or > before it");
}

std::optional<std::uint64_t> ReadSize(std::string_view text) {
  struct Unit {
    std::string_view name;
    std::uint64_t factor;
  };
  constexpr std::array<Unit, 5> kUnits{
      {{"", 1}, {"B", 1}, {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}}};
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const std::optional<std::uint64_t> number = ParseNumber(text.substr(0, digits));
  if (!number) return {};
  for (const Unit& unit : kUnits) {
    if (text.substr(digits) != unit.name) continue;
    if (*number > std::numeric_limits<std::uint64_t>::max() / unit.factor) return {};
    return *number * unit.factor;
  }
  return {};
}

Result<FactValue> SizeValue(std::string_view text) {
  std::string_view rest = text;
  const Bound::Comparison comparison = TakeComparison(rest);
  const std::optional<std::uint64_t> size = ReadSize(rest);
  if (size) return Value(text, Bound{comparison, *size});
  return Status::Error("'" + std::string(text) +
                       "' is not a size; write a whole number and B, KiB, MiB or GiB, with <, <=, "
                       ">= or > before it, as in \">10MiB\"");
}

template <typename T>
Result<FactValue> Parsed(std::string_view text, Result<T> what) {
  if (!what.ok()) return what.error();
  return Value(text, std::move(what.value()));
}

Result<FactValue> PatternValue(Fact fact, std::string_view text) {
  if (text.empty())
    return Status::Error("an empty " + std::string(FactName(fact)) + " is never met");
  if (KindOf(fact) != TextKind::kNone) {
    const auto compiled = CompilePattern(text, KindOf(fact));
    if (!compiled.ok()) return compiled.error();
  }
  return Value(text, TextValue{});
}

}  // namespace

Result<FactValue> ParseFactValue(Fact fact, std::string_view text) {
  switch (fact) {
    case Fact::kProtocol:
      return ProtocolValue(text);
    case Fact::kClient:
      return Parsed(text, Network::Parse(text));
    case Fact::kTime:
      return Parsed(text, TimeWindow::Parse(text));
    case Fact::kTlsVersion:
      return TlsVersionValue(text);
    case Fact::kMechanism:
      return MechanismValue(text);
    case Fact::kCommand:
      return CommandValueOf(text);
    case Fact::kSize:
      return SizeValue(text);
    case Fact::kListener:
    case Fact::kPool:
    case Fact::kSni:
    case Fact::kTlsCipher:
    case Fact::kClientCert:
    case Fact::kUser:
    case Fact::kDomain:
    case Fact::kClientId:
    case Fact::kMailbox:
    case Fact::kArgument:
      return PatternValue(fact, text);
  }
  return Status::Error("an unknown fact");
}

}  // namespace postern
