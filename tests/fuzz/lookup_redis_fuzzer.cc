// F-13: what a Redis says, and what is said to it. Input: one byte that seeds the cuts, a line that
// is a command template, and replies; the replies are also a user to ask for.
//
// A violation aborts: replies read the same however they are cut, none is over the limit, what
// never ends is bad before long; a reply that finds a place names a configured one; a command has
// as many arguments as its template, each as long as it says, whatever the user typed.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lookup/redis_command.h"
#include "lookup/redis_reader.h"
#include "postern/base/check.h"
#include "postern/base/text.h"
#include "support/for_every_split.h"
#include "unit/lookup/targets_fixture.h"

namespace postern::testing {
namespace {

struct Replies {
  std::vector<RedisReply> all;
  bool bad = false;
};

Replies Read(std::string_view bytes, const std::vector<std::size_t>& cuts) {
  const Split split(bytes, cuts);
  Replies replies;
  RedisReader reader;
  std::size_t behind_the_last = 0;
  for (std::size_t i = 0; i < split.size(); ++i) {
    for (std::string_view rest = split[i]; !rest.empty();) {
      const std::string_view piece = rest.substr(0, kMaxRedisReply);
      rest.remove_prefix(piece.size());
      reader.Feed(piece);
      behind_the_last += piece.size();
      RedisReply reply;
      RedisReader::Verdict verdict;
      while ((verdict = reader.Next(reply)) == RedisReader::Verdict::kReply) {
        replies.all.push_back(reply);
        behind_the_last = piece.size();
      }
      if (verdict == RedisReader::Verdict::kBad) {
        POSTERN_CHECK(!reader.problem().empty());
        replies.bad = true;
        return replies;
      }
      POSTERN_CHECK(behind_the_last <= 3 * kMaxRedisReply);
    }
  }
  return replies;
}

void CheckReply(const RedisReply& reply) {
  static const Places places(Targets());
  POSTERN_CHECK(reply.text.size() <= 2 * kMaxRedisReply);
  const Finding finding = JudgeRedisReply(reply, places);
  const LookupAnswer& answer = finding.answer;
  const bool found = answer.kind == LookupAnswer::Kind::kFound;
  const bool troubled = finding.trouble != Finding::Trouble::kNone;
  POSTERN_CHECK(found == places.Has({answer.pool, answer.backend}));
  POSTERN_CHECK(!answer.vouched && troubled == !finding.reason.empty());
  POSTERN_CHECK(troubled == (answer.kind == LookupAnswer::Kind::kUnavailable));
  POSTERN_CHECK(found || troubled || reply.kind == RedisReply::Kind::kNil);
}

// "12\r\n" behind a mark: the number, or a violation.
std::size_t TakeNumber(std::string_view& bytes, char mark) {
  POSTERN_CHECK(bytes.starts_with(mark));
  const std::size_t end = bytes.find("\r\n");
  POSTERN_CHECK(end != bytes.npos);
  const auto number = ParseNumber(bytes.substr(1, end - 1));
  POSTERN_CHECK(number.has_value());
  bytes.remove_prefix(end + 2);
  return static_cast<std::size_t>(*number);
}

std::size_t CountArguments(std::string_view line) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    count += line[i] != ' ' && (i == 0 || line[i - 1] == ' ') ? 1 : 0;
  }
  return count;
}

void CheckCommand(std::string_view line, std::string_view user) {
  const Result<RedisCommand> command = RedisCommand::Parse(line);
  if (!command.ok()) return POSTERN_CHECK(!command.error().message().empty());
  const std::string encoded = command.value().For(user);
  std::string_view rest = encoded;
  std::size_t arguments = TakeNumber(rest, '*');
  POSTERN_CHECK(arguments == CountArguments(line) && arguments > 0);
  for (; arguments > 0; --arguments) {
    const std::size_t size = TakeNumber(rest, '$');
    POSTERN_CHECK(rest.size() >= size + 2 && rest.substr(size, 2) == "\r\n");
    rest.remove_prefix(size + 2);
  }
  POSTERN_CHECK(rest.empty());
}

void Check(std::uint8_t seed, std::string_view line, std::string_view bytes) {
  CheckCommand(line, bytes);
  const Replies whole = Read(bytes, {});
  for (const RedisReply& reply : whole.all) CheckReply(reply);
  SplitRandom random(seed);
  std::vector<std::size_t> cuts;
  for (std::size_t cut = 1 + random.Next(8); cut < bytes.size(); cut += 1 + random.Next(64)) {
    cuts.push_back(cut);
  }
  const Replies cut = Read(bytes, cuts);
  // Where it ends is seen a little earlier or later; what is read until then is the same.
  for (std::size_t i = 0; i < std::min(whole.all.size(), cut.all.size()); ++i) {
    POSTERN_CHECK(whole.all[i].kind == cut.all[i].kind && whole.all[i].text == cut.all[i].text);
  }
  if (bytes.size() > kMaxRedisReply) return;
  POSTERN_CHECK(whole.bad == cut.bad && whole.all.size() == cut.all.size());
}

}  // namespace
}  // namespace postern::testing

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1 || size > 100'000) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  const std::size_t end = std::min(bytes.find('\n'), bytes.size());
  const std::string_view rest = bytes.substr(std::min(end + 1, bytes.size()));
  postern::testing::Check(data[0], bytes.substr(0, end), rest);
  return 0;
}
