#include "lookup/redis_reader.h"

#include <hiredis/read.h>

#include <utility>

#include "postern/base/text.h"

namespace postern {
namespace {

// The reply that is being read is one object of the reader's; what stands inside a list is of no
// interest and not kept.
RedisReply* ReplyOf(const redisReadTask* task) { return static_cast<RedisReply*>(task->privdata); }

bool IsWhole(const redisReadTask* task) { return task->parent == nullptr; }

void* OnString(const redisReadTask* task, char* text, std::size_t size) noexcept {
  RedisReply* reply = ReplyOf(task);
  if (!IsWhole(task)) return reply;
  const bool error = task->type == REDIS_REPLY_ERROR;
  reply->kind = error ? RedisReply::Kind::kError : RedisReply::Kind::kText;
  reply->text.assign(text, size);
  return reply;
}

void* OnArray(const redisReadTask* task, int elements) noexcept {
  if (elements > kMaxRedisElements) return nullptr;
  RedisReply* reply = ReplyOf(task);
  if (IsWhole(task)) reply->kind = RedisReply::Kind::kOther;
  return reply;
}

void* OnInteger(const redisReadTask* task, long long) noexcept {
  RedisReply* reply = ReplyOf(task);
  if (IsWhole(task)) reply->kind = RedisReply::Kind::kOther;
  return reply;
}

void* OnNil(const redisReadTask* task) noexcept {
  RedisReply* reply = ReplyOf(task);
  if (IsWhole(task)) reply->kind = RedisReply::Kind::kNil;
  return reply;
}

void OnFree(void*) noexcept {}

redisReplyObjectFunctions kFunctions = {OnString, OnArray, OnInteger, OnNil, OnFree};

}  // namespace

struct RedisReader::Parser {
  Parser() : reader(redisReaderCreateWithFunctions(&kFunctions)) {
    POSTERN_CHECK(reader != nullptr);
    reader->privdata = &current;
    reader->maxbuf = kMaxRedisReply;
  }
  ~Parser() { redisReaderFree(reader); }
  Parser(const Parser&) = delete;
  Parser& operator=(const Parser&) = delete;

  redisReader* reader;
  RedisReply current;
  std::size_t waiting = 0;  // octets fed since the last whole reply
};

RedisReader::RedisReader() : parser_(std::make_unique<Parser>()) {}
RedisReader::~RedisReader() = default;

void RedisReader::Feed(std::string_view bytes) {
  parser_->waiting += bytes.size();
  redisReaderFeed(parser_->reader, bytes.data(), bytes.size());
}

RedisReader::Verdict RedisReader::Next(RedisReply& reply) {
  if (!problem_.empty()) return Verdict::kBad;
  void* whole = nullptr;
  if (redisReaderGetReply(parser_->reader, &whole) != REDIS_OK) {
    problem_ = "no Redis answer: " + std::string(parser_->reader->errstr);
    return Verdict::kBad;
  }
  if (whole != nullptr) {
    parser_->waiting = parser_->reader->len - parser_->reader->pos;
    reply = std::exchange(parser_->current, {});
    return Verdict::kReply;
  }
  if (parser_->waiting <= kMaxRedisReply) return Verdict::kMore;
  problem_ = "a Redis answer of more than 16 KiB";
  return Verdict::kBad;
}

Finding JudgeRedisReply(const RedisReply& reply, const Places& places) {
  Finding finding;
  switch (reply.kind) {
    case RedisReply::Kind::kNil:
      return finding;
    case RedisReply::Kind::kError:
      return Finding::Away("Redis says: " + reply.text);
    case RedisReply::Kind::kOther:
      return Finding::Wrong("the command's reply is no text");
    case RedisReply::Kind::kText:
      break;
  }
  const Result<Place> place = places.Named(reply.text);
  if (!place.ok()) return Finding::Wrong(place.error().message());
  finding.answer.kind = LookupAnswer::Kind::kFound;
  finding.answer.pool = place.value().pool;
  finding.answer.backend = place.value().backend;
  return finding;
}

}  // namespace postern
