// RedisReader: the replies of a Redis (RESP) out of its bytes, by hiredis's parser with limits of
// ours around it. Allocates by what came, never by a number on the wire. Pure; one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "lookup/finding.h"
#include "lookup/places.h"

namespace postern {

// A reply over this, or a list of more elements, is no answer to any question of ours.
inline constexpr std::size_t kMaxRedisReply = 16 * 1024;
inline constexpr int kMaxRedisElements = 64;

struct RedisReply {
  enum class Kind : std::uint8_t { kText, kNil, kError, kOther };
  Kind kind = Kind::kNil;
  std::string text;  // of a text (bulk or simple string) or an error
};

class RedisReader {
 public:
  RedisReader();
  ~RedisReader();
  RedisReader(const RedisReader&) = delete;
  RedisReader& operator=(const RedisReader&) = delete;

  enum class Verdict : std::uint8_t { kMore, kReply, kBad };
  // At most kMaxRedisReply octets at once; then Next until it wants more.
  void Feed(std::string_view bytes);
  // kBad for ever; see problem().
  Verdict Next(RedisReply& reply);
  const std::string& problem() const { return problem_; }

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
  std::string problem_;
};

// What the reply to a question means: "pool[/backend]", or nothing known of the user.
Finding JudgeRedisReply(const RedisReply& reply, const Places& places);

}  // namespace postern
