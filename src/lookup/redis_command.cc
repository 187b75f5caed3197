#include "lookup/redis_command.h"

#include <hiredis/hiredis.h>

#include <algorithm>
#include <utility>

#include "postern/base/check.h"
#include "postern/base/secret.h"
#include "postern/base/text.h"

namespace postern {

std::string EncodeRedisCommand(const std::vector<std::string_view>& arguments) {
  std::vector<const char*> texts;
  std::vector<std::size_t> sizes;
  for (const std::string_view argument : arguments) {
    texts.push_back(argument.data());
    sizes.push_back(argument.size());
  }
  char* encoded = nullptr;
  const int size = redisFormatCommandArgv(&encoded, static_cast<int>(arguments.size()),
                                          texts.data(), sizes.data());
  POSTERN_CHECK(size > 0);
  std::string command(encoded, static_cast<std::size_t>(size));
  // It may be an AUTH.
  Wipe(encoded, static_cast<std::size_t>(size));
  redisFreeCommand(encoded);
  return command;
}

Result<RedisCommand> RedisCommand::Parse(std::string_view text) {
  RedisCommand command;
  while (true) {
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    if (text.empty()) break;
    const std::size_t size = std::min(text.find(' '), text.size());
    Result<Argument> argument = ParseArgument(text.substr(0, size));
    if (!argument.ok()) return argument.error();
    command.arguments_.push_back(std::move(argument.value()));
    text.remove_prefix(size);
  }
  if (command.arguments_.empty()) {
    return Status::Error("command: there is none, such as \"HGET mail:{domain} {user}\"");
  }
  return command;
}

Result<RedisCommand::Argument> RedisCommand::ParseArgument(std::string_view text) {
  Argument argument;
  while (!text.empty()) {
    const std::size_t brace = std::min(text.find_first_of("{}"), text.size());
    if (brace > 0) {
      argument.push_back({Piece::Kind::kText, std::string(text.substr(0, brace))});
      text.remove_prefix(brace);
      continue;
    }
    const std::size_t size = std::min(text.find('}'), text.size() - 1) + 1;
    const std::string_view name = text.substr(0, size);
    if (name == "{user}") {
      argument.push_back({Piece::Kind::kUser, {}});
    } else if (name == "{local}") {
      argument.push_back({Piece::Kind::kLocal, {}});
    } else if (name == "{domain}") {
      argument.push_back({Piece::Kind::kDomain, {}});
    } else {
      return Status::Error("command: " + JsonQuote(name, 32) +
                           " is not one of {user}, {local} and {domain}");
    }
    text.remove_prefix(size);
  }
  return argument;
}

std::string RedisCommand::For(std::string_view user) const {
  const std::string lower = ToLower(user);
  const std::string_view whole = lower;
  const std::size_t at = whole.rfind('@');
  const std::string_view local = whole.substr(0, at);
  const std::string_view domain = at == whole.npos ? "" : whole.substr(at + 1);
  std::vector<std::string> texts;
  for (const Argument& argument : arguments_) {
    std::string& text = texts.emplace_back();
    for (const Piece& piece : argument) {
      switch (piece.kind) {
        case Piece::Kind::kText:
          text += piece.text;
          break;
        case Piece::Kind::kUser:
          text += whole;
          break;
        case Piece::Kind::kLocal:
          text += local;
          break;
        case Piece::Kind::kDomain:
          text += domain;
          break;
      }
    }
  }
  return EncodeRedisCommand({texts.begin(), texts.end()});
}

}  // namespace postern
