// A minimal configuration for tests, and verbs to change it, parse it and look at what is wrong.
#pragma once

#include <catch2/catch.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "postern/server/config.h"

namespace postern {

inline constexpr std::string_view kMinimal = R"([[listener]]
name = "imaps"
protocol = "imap"
address = "127.0.0.1:993"
[[certificate]]
chain = "tls/chain.pem"
key = "/etc/key.pem"
[[pool]]
name = "legacy"
[[pool.backend]]
name = "mail1"
imap = "127.0.0.1:143"
[routing]
pool = "legacy"
)";

struct Parsed {
  Config config;
  ConfigErrors errors;
};

inline Parsed Parse(std::string_view text) {
  Parsed parsed;
  parsed.config = ParseConfig(text, "/etc/postern/p.toml", parsed.errors);
  return parsed;
}

inline Parsed ParseGood(std::string_view text) {
  Parsed parsed = Parse(text);
  INFO((parsed.errors.errors.empty() ? "" : parsed.errors.errors[0]));
  REQUIRE(parsed.errors.errors.empty());
  return parsed;
}

// The errors of the minimal configuration with more text in front, whose lines count from 1.
inline std::vector<std::string> ErrorsWith(std::string_view more) {
  return Parse(std::string(more) + std::string(kMinimal)).errors.errors;
}

inline std::string Replaced(std::string_view from, std::string_view to) {
  std::string text(kMinimal);
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

// The minimal configuration with one more line in its listener (line 3) or its pool (line 10).
inline std::string ListenerWith(std::string_view line) {
  return Replaced("protocol", std::string(line) + "\nprotocol");
}
inline std::string PoolWith(std::string_view line) {
  return Replaced("[[pool.", std::string(line) + "\n[[pool.");
}

inline std::string OnlyErrorOf(std::string_view text) {
  const std::vector<std::string> errors = Parse(text).errors.errors;
  REQUIRE(errors.size() == 1);
  return errors[0];
}

inline std::string OnlyWarningOf(std::string_view text) {
  const std::vector<std::string> warnings = ParseGood(text).errors.warnings;
  REQUIRE(warnings.size() == 1);
  return warnings[0];
}

}  // namespace postern
