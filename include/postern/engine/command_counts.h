// CommandCounts: how many commands of each name a session had, for its one log line. A few bytes
// per name that occurred. Pure; owned by the engine.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace postern {

class CommandCounts {
 public:
  // command: an imap::CommandKind or a pop3::CommandKind. Allocates when a name occurs for the
  // first time.
  void Add(std::uint8_t command);
  // A JSON object {"FETCH":2,"NOOP":1}, in order of first use; name gives a command's label.
  std::string Json(std::string_view (*name)(std::uint8_t command)) const;

 private:
  struct Entry {
    std::uint8_t command;
    std::uint32_t count;
  };
  std::vector<Entry> entries_;
};

}  // namespace postern
