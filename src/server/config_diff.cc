#include "server/config_diff.h"

#include <fmt/format.h>

#include "server/config_values.h"

namespace postern {

std::vector<std::string> NeedsRestart(const Config& running, const Config& wanted) {
  std::vector<std::string> sentences;
  const auto compare = [&](std::string_view key, const std::string& old_value,
                           const std::string& new_value) {
    if (old_value == new_value) return;
    sentences.push_back(
        fmt::format("{} = {} needs a restart; it stays {}", key, new_value, old_value));
  };
  const auto user = [](const Config& config) {
    return config.user.empty() ? std::string("unset") : TomlQuote(config.user);
  };
  compare("gateway.workers", fmt::to_string(running.workers), fmt::to_string(wanted.workers));
  compare("gateway.user", user(running), user(wanted));
  compare("admin.address", TomlQuote(running.admin_address), TomlQuote(wanted.admin_address));
  return sentences;
}

}  // namespace postern
