#include "lookup/redis_lookup.h"

#include <algorithm>
#include <utility>

namespace postern {
namespace {

using namespace std::chrono_literals;

constexpr Duration kFirstRest = 100ms;
constexpr Duration kLongestRest = 3s;

}  // namespace

RedisLookup::RedisLookup(ServiceNet net, ServicePlace place, RedisAccount account,
                         RedisCommand command, Places places, Duration timeout)
    : net_(net),
      place_(std::move(place)),
      account_(std::move(account)),
      command_(std::move(command)),
      places_(std::move(places)),
      timeout_(timeout),
      due_(
          net.loop.deadlines(), [](void* self) { static_cast<RedisLookup*>(self)->Expire(); },
          this),
      opening_(
          net.loop.deadlines(),
          [](void* self) { static_cast<RedisLookup*>(self)->ExpireOpening(); }, this),
      rest_(kFirstRest) {}

RedisLookup::~RedisLookup() {
  // Asked from inside one of these, a question is refused at once.
  rest_until_ = Instant::max();
  last_problem_ = "given up";
  Fail("given up");
}

void RedisLookup::Ask(const LookupQuestion& question, FindingDone done) {
  const Instant now = MonotonicNow();
  if (now < rest_until_) return done(Finding::Away(last_problem_));
  if (sent_.size() + waiting_.size() >= kMaxRedisQuestions) {
    return done(Finding::Away("too many questions"));
  }
  Question asked{command_.For(question.user), std::move(done), now + timeout_};
  if (state_ == State::kReady) {
    stream_->Write(asked.bytes);
    sent_.push_back(std::move(asked));
  } else {
    waiting_.push_back(std::move(asked));
    if (state_ == State::kOff) Open();
  }
  ArmForOldest();
}

void RedisLookup::Open() {
  state_ = State::kOpening;
  served_ = false;
  reader_.emplace();
  stream_.emplace(net_, place_, static_cast<Stream::Observer&>(*this));
  opening_.Arm(MonotonicNow() + timeout_);
}

void RedisLookup::OnOpen() {
  greetings_ = 0;
  if (!account_.password.empty()) {
    std::vector<std::string_view> arguments = {"AUTH", account_.password.Reveal()};
    if (!account_.user.empty()) arguments.insert(arguments.begin() + 1, account_.user);
    std::string command = EncodeRedisCommand(arguments);
    stream_->Write(command);
    Wipe(command);
    ++greetings_;
  }
  const std::string_view db = std::string_view(place_.url.path).substr(1);
  if (!db.empty()) {
    stream_->Write(EncodeRedisCommand({"SELECT", db}));
    ++greetings_;
  }
  if (greetings_ == 0) Ready();
}

// What waited goes out in one write.
void RedisLookup::Ready() {
  state_ = State::kReady;
  opening_.Disarm();
  std::string all;
  for (Question& question : waiting_) {
    all += question.bytes;
    sent_.push_back(std::move(question));
  }
  waiting_.clear();
  if (!all.empty()) stream_->Write(all);
}

void RedisLookup::OnBytes(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t size = std::min(bytes.size(), kMaxRedisReply);
    reader_->Feed(bytes.substr(0, size));
    bytes.remove_prefix(size);
    if (!ReadReplies()) return;
  }
  ArmForOldest();
}

bool RedisLookup::ReadReplies() {
  while (true) {
    RedisReply reply;
    switch (reader_->Next(reply)) {
      case RedisReader::Verdict::kMore:
        return true;
      case RedisReader::Verdict::kBad:
        served_ = false;
        Lose(std::string(reader_->problem()));
        return false;
      case RedisReader::Verdict::kReply:
        if (!OnReply(reply)) return false;
        break;
    }
  }
}

bool RedisLookup::OnReply(const RedisReply& reply) {
  if (greetings_ > 0) {
    if (reply.kind == RedisReply::Kind::kError) {
      // The first word only: what stands behind it may repeat what was said to it, the password.
      Lose("Redis refuses AUTH or SELECT: " + reply.text.substr(0, reply.text.find(' ')));
      return false;
    }
    if (--greetings_ == 0) Ready();
    return true;
  }
  if (sent_.empty()) {
    served_ = false;
    Lose("an answer that nobody asked for");
    return false;
  }
  served_ = true;
  rest_ = kFirstRest;
  const FindingDone done = std::move(sent_.front().done);
  sent_.pop_front();
  done(JudgeRedisReply(reply, places_));
  return true;
}

void RedisLookup::OnEnd(const Status& why) {
  Lose(why.ok() ? "closed by the service" : why.message());
}

void RedisLookup::Lose(const std::string& why) {
  if (!served_) return Fail(why);
  stream_.reset();
  state_ = State::kOff;
  opening_.Disarm();
  waiting_.insert(waiting_.begin(), std::make_move_iterator(sent_.begin()),
                  std::make_move_iterator(sent_.end()));
  sent_.clear();
  if (!waiting_.empty()) Open();
}

void RedisLookup::Fail(const std::string& why) {
  stream_.reset();
  state_ = State::kOff;
  opening_.Disarm();
  due_.Disarm();
  if (rest_until_ != Instant::max()) {
    last_problem_ = why;
    rest_until_ = MonotonicNow() + rest_;
    rest_ = std::min(2 * rest_, kLongestRest);
  }
  Questions all = std::move(sent_);
  all.insert(all.end(), std::make_move_iterator(waiting_.begin()),
             std::make_move_iterator(waiting_.end()));
  sent_.clear();
  waiting_.clear();
  for (Question& question : all) question.done(Finding::Away(why));
}

// The oldest question has waited long enough. Replies come in order: where one that was sent is
// not answered, nothing behind it will be, so the connection is given up.
void RedisLookup::Expire() {
  const Instant now = MonotonicNow();
  const bool stuck = !sent_.empty() && sent_.front().due <= now;
  Questions late;
  for (Questions* questions : {&sent_, &waiting_}) {
    while (!questions->empty() && questions->front().due <= now) {
      late.push_back(std::move(questions->front()));
      questions->pop_front();
    }
  }
  if (stuck) Lose("no answer in time");
  ArmForOldest();
  for (Question& question : late) question.done(Finding::Away("no answer in time"));
}

void RedisLookup::ExpireOpening() { Fail("no connection in time"); }

void RedisLookup::ArmForOldest() {
  if (!sent_.empty()) return due_.Arm(sent_.front().due);
  if (!waiting_.empty()) return due_.Arm(waiting_.front().due);
  due_.Disarm();
}

}  // namespace postern
