#include "postern/rules/facts.h"

#include <array>

namespace postern {
namespace {

struct Row {
  std::string_view name;
  Stage stage;
};

// By the value of the enum.
constexpr std::array<Row, kFactCount> kFacts{{
    {"protocol", Stage::kConnection},
    {"listener", Stage::kConnection},
    {"client", Stage::kConnection},
    {"time", Stage::kConnection},
    {"sni", Stage::kTls},
    {"tls_version", Stage::kTls},
    {"tls_cipher", Stage::kTls},
    {"client_cert", Stage::kTls},
    {"user", Stage::kLogin},
    {"domain", Stage::kLogin},
    {"mechanism", Stage::kLogin},
    {"client_id", Stage::kLogin},
    {"pool", Stage::kCommand},
    {"command", Stage::kCommand},
    {"mailbox", Stage::kCommand},
    {"argument", Stage::kCommand},
    {"size", Stage::kCommand},
}};

constexpr std::array<std::string_view, 4> kStages{"connection", "tls", "login", "command"};
constexpr std::array<std::string_view, 5> kVersions{"none", "1.0", "1.1", "1.2", "1.3"};

const Row& RowOf(Fact fact) { return kFacts[static_cast<std::size_t>(fact)]; }

}  // namespace

std::string_view FactName(Fact fact) { return RowOf(fact).name; }

std::optional<Fact> FindFact(std::string_view name) {
  for (std::size_t i = 0; i < kFacts.size(); ++i) {
    if (kFacts[i].name == name) return static_cast<Fact>(i);
  }
  return {};
}

Stage StageOf(Fact fact) { return RowOf(fact).stage; }

std::string_view StageName(Stage stage) { return kStages[static_cast<std::size_t>(stage)]; }

std::string_view PlainUser(std::string_view user) {
  const auto is_blank = [](char c) {
    const auto octet = static_cast<unsigned char>(c);
    return octet <= ' ' || octet == 0x7F;
  };
  while (!user.empty() && is_blank(user.front())) user.remove_prefix(1);
  const auto is_trailing = [&](char c) {
    return is_blank(c) || (c == '.' && user.find('@') != std::string_view::npos);
  };
  while (!user.empty() && is_trailing(user.back())) user.remove_suffix(1);
  return user;
}

std::optional<TlsVersion> FindTlsVersion(std::string_view text) {
  for (std::size_t i = 0; i < kVersions.size(); ++i) {
    if (kVersions[i] == text) return static_cast<TlsVersion>(i);
  }
  return {};
}

}  // namespace postern
