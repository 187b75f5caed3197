#include "postern/engine/command_counts.h"

#include "postern/base/text.h"

namespace postern {

void CommandCounts::Add(std::uint8_t command) {
  for (Entry& entry : entries_) {
    if (entry.command != command) continue;
    ++entry.count;
    return;
  }
  entries_.push_back({command, 1});
}

std::string CommandCounts::Json(std::string_view (*name)(std::uint8_t command)) const {
  std::string json = "{";
  for (const Entry& entry : entries_) {
    if (json.size() > 1) json += ',';
    json += JsonQuote(name(entry.command)) + ':' + std::to_string(entry.count);
  }
  return json + '}';
}

}  // namespace postern
