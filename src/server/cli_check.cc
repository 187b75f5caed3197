#include "server/cli_check.h"

#include <fmt/format.h>

#include <ctime>
#include <ostream>

#include "server/check_lookups.h"
#include "server/load_rules.h"

namespace postern {

Config LoadAll(const std::string& file, ConfigErrors& errors) {
  Config config = LoadConfig(file, errors);
  CheckFiles(config, errors);
  ResolveBackends(config, errors);
  return config;
}

bool Report(const ConfigErrors& errors, std::ostream& err) {
  for (const std::string& error : errors.errors) err << error << '\n';
  for (const std::string& warning : errors.warnings) err << warning << " (warning)\n";
  return errors.errors.empty();
}

std::string CountText(std::size_t number, std::string_view what) {
  return fmt::format("{} {}{}", number, what, number == 1 ? "" : "s");
}

int RunCheck(const CheckOrder& order, std::ostream& out, std::ostream& err) {
  ConfigErrors errors;
  const Config config = LoadAll(order.config, errors);
  if (errors.errors.empty()) CheckUserFiles(config, errors);
  for (std::string& sentence : EndedExemptions(*config.rules, std::time(nullptr))) {
    errors.warnings.push_back(std::move(sentence));
  }
  if (!Report(errors, err)) {
    err << order.config << ": " << CountText(errors.errors.size(), "error") << '\n';
    return 1;
  }
  if (order.print) {
    out << PrintConfig(config);
    return 0;
  }
  out << order.config << ": good";
  if (!config.rule_files.empty()) {
    out << ", " << CountText(config.rules->rules.size(), "rule") << " and "
        << CountText(config.rule_tests, "test") << " of theirs";
  }
  out << '\n';
  return 0;
}

}  // namespace postern
