#include "server/load_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <tuple>

#include "server/config_values.h"
#include "server/rule_tests.h"
#include "server/rules_reader.h"
#include "server/text_file.h"

namespace postern {
namespace {

// All files of all patterns, each once, in the order of their names.
std::vector<std::string> FindFiles(const Config& config, ConfigErrors& errors) {
  std::vector<std::string> files;
  for (const std::string& path : config.rule_files) {
    const std::vector<std::string> found = ExpandPath(path);
    if (found.empty()) {
      errors.warnings.push_back(fmt::format("{}: no file is {}; no rules come from there",
                                            config.rule_files_place, path));
    }
    files.insert(files.end(), found.begin(), found.end());
  }
  const auto key = [](const std::string& path) {
    return std::make_tuple(std::filesystem::path(path).filename().string(), path);
  };
  std::sort(files.begin(), files.end(),
            [&](const std::string& a, const std::string& b) { return key(a) < key(b); });
  files.erase(std::unique(files.begin(), files.end()), files.end());
  return files;
}

void WarnUnusedPools(const Config& config, const RuleBook& book, ConfigErrors& errors) {
  if (!config.lookups.empty()) return;
  for (std::size_t i = 0; i < config.pools.size(); ++i) {
    const PoolConfig& pool = config.pools[i];
    const bool used = i == config.routing_pool ||
                      std::any_of(book.rules.begin(), book.rules.end(),
                                  [&](const Rule& rule) { return rule.pool == pool.name; });
    if (used) continue;
    errors.warnings.push_back(
        fmt::format("{}: pool \"{}\" is not used; neither routing.pool nor a rule names it",
                    pool.place, pool.name));
  }
}

std::string DateText(std::int64_t end) {
  const std::chrono::sys_days day{std::chrono::days(end / 86'400 - 1)};
  const std::chrono::year_month_day date{day};
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
}

}  // namespace

RulesRead ReadRulesOf(const Config& config, ConfigErrors& errors) {
  return ReadRules(FindFiles(config, errors), &config, errors);
}

void LoadRules(Config& config, ConfigErrors& errors) {
  if (config.rule_files.empty() || !errors.errors.empty()) return;
  const RulesRead read = ReadRulesOf(config, errors);
  if (!errors.errors.empty()) return;
  for (std::string& sentence : FindUselessRules(*read.book)) {
    errors.warnings.push_back(std::move(sentence));
  }
  WarnUnusedPools(config, *read.book, errors);
  for (std::string& failure : RunRuleTests(read)) errors.errors.push_back(std::move(failure));
  config.rules = read.book;
  config.rule_tests = read.tests.size();
}

std::vector<std::string> EndedExemptions(const RuleBook& book, std::int64_t now) {
  std::vector<std::string> sentences;
  for (const Rule& rule : book.rules) {
    for (const Exemption& exemption : rule.exemptions) {
      if (exemption.until == 0 || exemption.until > now || exemption.users.empty()) continue;
      const std::string owner =
          exemption.owner.empty() ? std::string() : fmt::format(" ({})", exemption.owner);
      sentences.push_back(fmt::format("{}: rule {}: the exemption of {}{} ended on {}; remove it",
                                      exemption.users.front().place, TomlQuote(rule.name),
                                      TomlQuote(exemption.users.front().text), owner,
                                      DateText(exemption.until)));
    }
  }
  return sentences;
}

}  // namespace postern
