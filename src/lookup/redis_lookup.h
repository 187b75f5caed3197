// RedisLookup: asks a Redis, all questions in one pipelined connection that is made when the first
// one comes and made anew when it is lost. Owned by a chain; used on the lookups' thread.
//
// States: kOff -Ask-> kOpening -connected, TLS, AUTH and SELECT answered-> kReady -end-> kOff.
// A connection that never answered anything is a failure: all questions are told so, and for a
// while (doubling) new ones at once. One that did is opened again, and its unanswered questions are
// asked again.
#pragma once

#include <deque>
#include <optional>
#include <string>

#include "lookup/finding.h"
#include "lookup/places.h"
#include "lookup/redis_command.h"
#include "lookup/redis_reader.h"
#include "lookup/service_stream.h"
#include "postern/base/clock.h"
#include "postern/base/secret.h"
#include "postern/net/deadlines.h"

namespace postern {

inline constexpr std::size_t kMaxRedisQuestions = 10'000;

struct RedisAccount {
  std::string user;  // empty: the password alone
  Secret password;   // empty: no AUTH
};

class RedisLookup final : private Stream::Observer {
 public:
  RedisLookup(ServiceNet net, ServicePlace place, RedisAccount account, RedisCommand command,
              Places places, Duration timeout);
  // Answers all that it was asked.
  ~RedisLookup() override;
  RedisLookup(const RedisLookup&) = delete;
  RedisLookup& operator=(const RedisLookup&) = delete;

  // As an AskFunction.
  void Ask(const LookupQuestion& question, FindingDone done);

 private:
  enum class State : std::uint8_t { kOff, kOpening, kReady };
  struct Question {
    std::string bytes;
    FindingDone done;
    Instant due;
  };
  using Questions = std::deque<Question>;

  void OnOpen() override;
  void OnBytes(std::string_view bytes) override;
  void OnDrained() override {}
  void OnEnd(const Status& why) override;

  void Open();
  void Ready();
  // False when the connection is gone.
  bool ReadReplies();
  bool OnReply(const RedisReply& reply);
  void Lose(const std::string& why);
  void Fail(const std::string& why);
  void Expire();
  void ExpireOpening();
  void ArmForOldest();

  const ServiceNet net_;
  ServicePlace place_;
  const RedisAccount account_;
  const RedisCommand command_;
  const Places places_;
  const Duration timeout_;

  State state_ = State::kOff;
  std::optional<ServiceStream> stream_;
  std::optional<RedisReader> reader_;
  int greetings_ = 0;  // replies to AUTH and SELECT that are to come
  bool served_ = false;
  Questions sent_;  // the oldest first, and older than all that wait
  Questions waiting_;
  Deadline due_;      // of the oldest question
  Deadline opening_;  // of the connection that is being made
  Instant rest_until_{};
  Duration rest_;
  std::string last_problem_;
};

}  // namespace postern
