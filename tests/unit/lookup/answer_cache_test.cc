#include "lookup/answer_cache.h"

#include <catch2/catch.hpp>
#include <vector>

#include "unit/lookup/targets_fixture.h"

namespace postern {
namespace {

using namespace std::chrono_literals;

LookupAnswer Found(PoolId pool) {
  LookupAnswer answer;
  answer.kind = LookupAnswer::Kind::kFound;
  answer.pool = pool;
  return answer;
}

TEST_CASE("Answer cache knows each question apart") {
  const AnswerCache cache;
  std::vector<LookupQuestion> questions;
  for (int i = 0; i < 8; ++i) questions.push_back(testing::QuestionOf("ann"));
  questions[1].user = "bob";
  questions[2].password = Secret("other");
  questions[3].protocol = Protocol::kPop3;
  questions[4].mechanism = Mechanism::kXoauth2;
  questions[5].client = Address::Parse("198.51.100.8:4711").value();
  // Where one ends and the next begins counts.
  questions[6] = testing::QuestionOf("an", "nsecret");
  questions[7] = testing::QuestionOf("ann6:secret", "");
  for (std::size_t i = 0; i < questions.size(); ++i) {
    for (std::size_t j = 0; j < questions.size(); ++j) {
      CHECK((cache.KeyOf(questions[i], true) == cache.KeyOf(questions[j], true)) == (i == j));
    }
  }
}

TEST_CASE("Answer cache shares answers of lookups that judge nothing") {
  const AnswerCache cache;
  LookupQuestion other = testing::QuestionOf("ANN", "other");
  other.protocol = Protocol::kPop3;
  CHECK(cache.KeyOf(testing::QuestionOf("ann"), false) == cache.KeyOf(other, false));
  CHECK_FALSE(cache.KeyOf(testing::QuestionOf("bob"), false) == cache.KeyOf(other, false));
}

TEST_CASE("Answer cache ignores the port of the client and how a password came") {
  const AnswerCache cache;
  LookupQuestion other = testing::QuestionOf("ann");
  other.client = Address::Parse("198.51.100.7:4712").value();
  other.mechanism = Mechanism::kLogin;
  other.attempt = 2;
  CHECK(cache.KeyOf(testing::QuestionOf("ann"), true) == cache.KeyOf(other, true));
}

TEST_CASE("Answer cache keeps an answer for the age that is asked for") {
  AnswerCache cache;
  const Hash128 key{1, 2};
  const Instant begin{1h};
  cache.Put(key, Found(3), begin, 10min);
  REQUIRE(cache.Find(key, begin, 60s) != nullptr);
  CHECK(cache.Find(key, begin, 60s)->pool == 3);
  CHECK(cache.Find(key, begin + 59s, 60s) != nullptr);
  CHECK(cache.Find(key, begin + 60s, 60s) == nullptr);
  CHECK(cache.Find(key, begin + 9min, 10min) != nullptr);
  CHECK(cache.Find(key, begin, 0s) == nullptr);
  CHECK(cache.Find({1, 3}, begin, 60s) == nullptr);
  cache.Put(key, Found(4), begin + 5min, 10min);
  CHECK(cache.size() == 1);
  CHECK(cache.Find(key, begin + 5min, 60s)->pool == 4);
  cache.Forget(key);
  CHECK(cache.Find(key, begin + 5min, 60s) == nullptr);
}

TEST_CASE("Answer cache is bounded and forgets the oldest and the old") {
  AnswerCache cache(3);
  Instant now{1h};
  for (std::uint64_t i = 0; i < 5; ++i) cache.Put({i, i}, Found(0), now += 1s, 10min);
  CHECK(cache.size() == 3);
  CHECK(cache.Find({1, 1}, now, 10min) == nullptr);
  CHECK(cache.Find({2, 2}, now, 10min) != nullptr);
  cache.Put({9, 9}, Found(0), now + 1h, 10min);
  CHECK(cache.size() == 1);
  cache.Put({8, 8}, Found(0), now + 1h, 0s);
  CHECK(cache.Find({8, 8}, now + 1h, 10min) == nullptr);
}

TEST_CASE("Answer cache copies all of an answer") {
  LookupAnswer answer = Found(1);
  answer.backend = 2;
  answer.user = "box";
  answer.password = Secret("pw");
  answer.has_password = answer.vouched = true;
  answer.text = "text";
  answer.wait = 1s;
  const LookupAnswer copy = CopyOf(answer);
  CHECK((copy.kind == answer.kind && copy.pool == 1 && copy.backend == 2 && copy.user == "box"));
  CHECK((copy.password.Reveal() == "pw" && copy.has_password && copy.vouched));
  CHECK((copy.text == "text" && copy.wait == 1s));
}

}  // namespace
}  // namespace postern
