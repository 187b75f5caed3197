#include "lookup/redis_reader.h"

#include <catch2/catch.hpp>
#include <string>

#include "support/for_every_split.h"
#include "unit/lookup/targets_fixture.h"

namespace postern {
namespace {

// "text:x nil error:y other bad", the same however the input is cut.
std::string Read(const std::string& input) {
  std::string first;
  bool begun = false;
  testing::ForEverySplit(input, [&](const testing::Split& split) {
    INFO(split.text());
    RedisReader reader;
    std::string shown;
    bool bad = false;
    for (std::size_t i = 0; i < split.size() && !bad; ++i) {
      reader.Feed(split[i]);
      RedisReply reply;
      RedisReader::Verdict verdict;
      while ((verdict = reader.Next(reply)) == RedisReader::Verdict::kReply) {
        shown += shown.empty() ? "" : " ";
        switch (reply.kind) {
          case RedisReply::Kind::kText:
            shown += "text:" + reply.text;
            break;
          case RedisReply::Kind::kNil:
            shown += "nil";
            break;
          case RedisReply::Kind::kError:
            shown += "error:" + reply.text;
            break;
          case RedisReply::Kind::kOther:
            shown += "other";
            break;
        }
      }
      bad = verdict == RedisReader::Verdict::kBad;
    }
    if (bad) shown += shown.empty() ? "bad" : " bad";
    if (!begun) first = shown;
    begun = true;
    CHECK(shown == first);
  });
  return first;
}

TEST_CASE("Redis reader tells texts nil errors and others apart") {
  CHECK(Read("$6\r\nlegacy\r\n") == "text:legacy");
  CHECK(Read("+OK\r\n") == "text:OK");
  CHECK(Read("$-1\r\n") == "nil");
  CHECK(Read("*-1\r\n") == "nil");
  CHECK(Read("-ERR no\r\n") == "error:ERR no");
  CHECK(Read(":42\r\n") == "other");
  CHECK(Read("*2\r\n$1\r\na\r\n:1\r\n") == "other");
  CHECK(Read("$0\r\n\r\n") == "text:");
  CHECK(Read("+OK\r\n$6\r\nle\r\ncy\r\n-X\r\n*0\r\n$-1\r\n") ==
        "text:OK text:le\r\ncy error:X other nil");
}

TEST_CASE("Redis reader refuses what is no reply") {
  CHECK(Read("HTTP/1.1 400 Bad Request\r\n") == "bad");
  CHECK(Read("+OK\r\nx\r\n") == "text:OK bad");
  CHECK(Read("*65\r\n") == "bad");
  CHECK(Read("*1000000000\r\n") == "bad");
}

TEST_CASE("Redis reader keeps no more than its limit") {
  const std::string announced = "$536870912\r\n";
  RedisReader reader;
  RedisReply reply;
  reader.Feed(announced);
  const std::string piece(1024, 'x');
  std::size_t fed = 0;
  while (reader.Next(reply) == RedisReader::Verdict::kMore) {
    REQUIRE(fed <= 2 * kMaxRedisReply);
    reader.Feed(piece);
    fed += piece.size();
  }
  CHECK(reader.Next(reply) == RedisReader::Verdict::kBad);
  CHECK(reader.problem() == "a Redis answer of more than 16 KiB");
}

TEST_CASE("Redis reader reads as many small replies as come") {
  std::string all;
  for (int i = 0; i < 5000; ++i) all += "$6\r\nlegacy\r\n";
  RedisReader reader;
  RedisReply reply;
  int count = 0;
  for (std::size_t at = 0; at < all.size(); at += 1000) {
    reader.Feed(std::string_view(all).substr(at, 1000));
    while (reader.Next(reply) == RedisReader::Verdict::kReply) count += reply.text == "legacy";
  }
  CHECK(count == 5000);
  CHECK(reader.problem().empty());
}

TEST_CASE("Redis reply means a place or an unknown user or trouble") {
  const Places places(testing::Targets());
  using Kind = RedisReply::Kind;
  Finding found = JudgeRedisReply({Kind::kText, "legacy/mail2"}, places);
  CHECK(found.answer.kind == LookupAnswer::Kind::kFound);
  CHECK(found.answer.pool == 0);
  CHECK(found.answer.backend == 1);
  CHECK_FALSE(found.answer.vouched);
  CHECK(JudgeRedisReply({Kind::kText, "modern"}, places).answer.backend == kNoBackend);
  const Finding unknown = JudgeRedisReply({Kind::kNil, ""}, places);
  CHECK(unknown.answer.kind == LookupAnswer::Kind::kUnknown);
  CHECK(unknown.trouble == Finding::Trouble::kNone);
  CHECK(JudgeRedisReply({Kind::kText, "nowhere"}, places).trouble == Finding::Trouble::kWrong);
  CHECK(JudgeRedisReply({Kind::kText, ""}, places).trouble == Finding::Trouble::kWrong);
  CHECK(JudgeRedisReply({Kind::kOther, ""}, places).trouble == Finding::Trouble::kWrong);
  const Finding error = JudgeRedisReply({Kind::kError, "LOADING"}, places);
  CHECK(error.trouble == Finding::Trouble::kAway);
  CHECK(error.answer.kind == LookupAnswer::Kind::kUnavailable);
}

}  // namespace
}  // namespace postern
