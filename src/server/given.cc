#include "server/given.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "postern/base/text.h"
#include "postern/imap/command.h"
#include "postern/pop3/command.h"

namespace postern {
namespace {

std::optional<int> Digits(std::string_view text) {
  int number = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + (c - '0');
  }
  return number;
}

// "+01:00", "Z": seconds to the east.
std::optional<std::int64_t> ParseOffset(std::string_view text) {
  if (text == "Z" || text == "z") return 0;
  if (text.size() != 6 || text[3] != ':') return std::nullopt;
  const auto hours = Digits(text.substr(1, 2));
  const auto minutes = Digits(text.substr(4, 2));
  if (!hours || !minutes || *hours > 23 || *minutes > 59) return std::nullopt;
  if (text[0] != '+' && text[0] != '-') return std::nullopt;
  return (text[0] == '-' ? -60 : 60) * std::int64_t{*hours * 60 + *minutes};
}

// RFC 3339 §5.6, whole seconds: "2026-11-22T08:00:00+01:00".
std::optional<std::int64_t> ParseTime(std::string_view text) {
  if (text.size() < 20 || text[4] != '-' || text[7] != '-' || text[13] != ':' || text[16] != ':') {
    return std::nullopt;
  }
  if (text[10] != 'T' && text[10] != 't' && text[10] != ' ') return std::nullopt;
  constexpr std::array<std::array<std::size_t, 2>, 6> kParts{
      {{0, 4}, {5, 2}, {8, 2}, {11, 2}, {14, 2}, {17, 2}}};
  std::array<int, 6> part{};
  for (std::size_t i = 0; i < kParts.size(); ++i) {
    const auto number = Digits(text.substr(kParts[i][0], kParts[i][1]));
    if (!number) return std::nullopt;
    part[i] = *number;
  }
  const auto offset = ParseOffset(text.substr(19));
  const std::chrono::year_month_day day{std::chrono::year(part[0]),
                                        std::chrono::month(static_cast<unsigned>(part[1])),
                                        std::chrono::day(static_cast<unsigned>(part[2]))};
  if (!offset || !day.ok() || part[3] > 23 || part[4] > 59 || part[5] > 60) return std::nullopt;
  const auto days = std::chrono::sys_days(day).time_since_epoch().count();
  return std::int64_t{days} * 86'400 + part[3] * 3600 + part[4] * 60 + part[5] - *offset;
}

Status SetProtocol(Given& given, std::string_view text) {
  if (!EqualsNoCase(text, "imap") && !EqualsNoCase(text, "pop3")) {
    return Status::Error("not known; must be \"imap\" or \"pop3\"");
  }
  given.protocol = EqualsNoCase(text, "imap") ? Protocol::kImap : Protocol::kPop3;
  return {};
}

Status SetClient(Given& given, std::string_view text) {
  const Result<Address> address = Address::FromParts(text, 0);
  if (!address.ok()) {
    return Status::Error("not an address; write it in numbers, as in \"192.0.2.7\"");
  }
  given.client = address.value();
  return {};
}

Status SetTime(Given& given, std::string_view text) {
  given.time = ParseTime(text);
  if (given.time) return {};
  return Status::Error("not a time; write it as in \"2026-11-23T08:30:00+01:00\"");
}

Status SetTlsVersion(Given& given, std::string_view text) {
  const auto version = FindTlsVersion(text);
  if (!version)
    return Status::Error("not known; must be \"1.0\", \"1.1\", \"1.2\", \"1.3\" or \"none\"");
  given.tls_version = *version;
  return {};
}

Status SetMechanism(Given& given, std::string_view text) {
  std::vector<std::string_view> known;
  for (std::size_t i = 0; i < kMechanismCount; ++i) {
    const auto mechanism = static_cast<Mechanism>(i);
    known.push_back(MechanismName(mechanism));
    if (!EqualsNoCase(text, known.back())) continue;
    given.mechanism = mechanism;
    return {};
  }
  return Status::Error(fmt::format("not a mechanism; known are {}", fmt::join(known, ", ")));
}

// "Thunderbird 115.0": the version is what begins with a digit behind the last space.
Status SetClientId(Given& given, std::string_view text) {
  const std::size_t space = text.rfind(' ');
  const bool has_version = space != text.npos && space + 1 < text.size() &&
                           Digits(text.substr(space + 1, 1)).has_value();
  given.client_name = text.substr(0, has_version ? space : text.npos);
  given.client_version = has_version ? text.substr(space + 1) : std::string_view{};
  return {};
}

Status SetCommand(Given& given, std::string_view text) {
  if (text.find_first_of(std::string_view("\r\n\0", 3)) != text.npos) {
    return Status::Error("more than one line; write the command's first line, without tag");
  }
  given.command = text;
  return {};
}

template <std::string Given::*member>
Status SetText(Given& given, std::string_view text) {
  given.*member = text;
  return {};
}

struct Row {
  std::string_view key;
  Status (*set)(Given& given, std::string_view text);
};
constexpr std::array<Row, 13> kRows{{
    {"protocol", SetProtocol},
    {"listener", SetText<&Given::listener>},
    {"client", SetClient},
    {"time", SetTime},
    {"sni", SetText<&Given::sni>},
    {"tls_version", SetTlsVersion},
    {"tls_cipher", SetText<&Given::tls_cipher>},
    {"client_cert", SetText<&Given::client_cert>},
    {"user", SetText<&Given::user>},
    {"mechanism", SetMechanism},
    {"client_id", SetClientId},
    {"pool", SetText<&Given::pool>},
    {"command", SetCommand},
}};

std::vector<std::string_view> AllKeys() {
  std::vector<std::string_view> keys;
  for (const Row& row : kRows) keys.push_back(row.key);
  return keys;
}

// Facts that follow from others.
std::string_view Instead(std::string_view key) {
  if (key == "domain") return "the domain is that of user; write user = \"name@domain\"";
  if (key == "mailbox" || key == "argument" || key == "size") {
    return "it is read from the command; write command = \"APPEND Archive {1000}\" or the like";
  }
  return {};
}

template <typename Id>
Id IndexOf(const std::vector<std::string>& names, std::string_view name) {
  for (std::size_t i = 0; i < names.size() && !name.empty(); ++i) {
    if (EqualsNoCase(names[i], name)) return static_cast<Id>(i);
  }
  return static_cast<Id>(0xFFFF);
}

}  // namespace

const std::vector<std::string_view>& GivenKeys() {
  static const std::vector<std::string_view> keys = AllKeys();
  return keys;
}

Status SetGiven(Given& given, std::string_view key, std::string_view text) {
  for (const Row& row : kRows) {
    if (row.key != key) continue;
    if (text.empty()) return Status::Error("is empty; leave it out where it is not known");
    return row.set(given, text);
  }
  if (const std::string_view instead = Instead(key); !instead.empty()) {
    return Status::Error(std::string(instead));
  }
  const std::string_view near = NearestName(key, GivenKeys());
  if (!near.empty()) return Status::Error(fmt::format("not known; did you mean \"{}\"?", near));
  return Status::Error(fmt::format("not known; known are {}", fmt::join(GivenKeys(), ", ")));
}

Protocol ProtocolOf(const Given& given) {
  if (given.protocol) return *given.protocol;
  std::string_view verb = given.command;
  verb = verb.substr(0, verb.find(' '));
  const bool imap = EqualsNoCase(verb, "UID") || verb.empty() ||
                    imap::FindCommand(verb) != imap::CommandKind::kOther;
  const bool pop3 = pop3::ParseCommand(verb).kind != pop3::CommandKind::kOther;
  return !imap && pop3 ? Protocol::kPop3 : Protocol::kImap;
}

SessionFacts SessionFactsOf(const Given& given, const RuleNames& names) {
  SessionFacts facts;
  facts.protocol = ProtocolOf(given);
  facts.listener = IndexOf<ListenerId>(names.listeners, given.listener);
  facts.client = given.client;
  facts.time = given.time.value_or(0);
  facts.sni = given.sni;
  facts.tls_version = given.tls_version.value_or(TlsVersion::kNone);
  facts.tls_cipher = given.tls_cipher;
  facts.client_cert = given.client_cert;
  facts.user = given.user;
  facts.mechanism = given.mechanism;
  facts.client_name = given.client_name;
  facts.client_version = given.client_version;
  facts.pool = IndexOf<PoolId>(names.pools, given.pool);
  return facts;
}

}  // namespace postern
