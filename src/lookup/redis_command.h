// RedisCommand: the command template of a `redis` lookup, "HGET mail:{domain} {user}", and commands
// as Redis wants them. Split into arguments once, when it is read: what a user types never adds or
// moves an argument. Pure; immutable; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "postern/base/status.h"

namespace postern {

// A command of these arguments (RESP). Any octets.
std::string EncodeRedisCommand(const std::vector<std::string_view>& arguments);

class RedisCommand {
 public:
  // Arguments are separated by spaces; {user} is the whole login name, {local} what stands before
  // its last @, {domain} what stands behind it. The error says what else stands in braces.
  static Result<RedisCommand> Parse(std::string_view text);
  // ASCII letters of the user are taken in lower case.
  std::string For(std::string_view user) const;

 private:
  struct Piece {
    enum class Kind : std::uint8_t { kText, kUser, kLocal, kDomain };
    Kind kind = Kind::kText;
    std::string text;
  };
  using Argument = std::vector<Piece>;

  static Result<Argument> ParseArgument(std::string_view text);

  std::vector<Argument> arguments_;
};

}  // namespace postern
