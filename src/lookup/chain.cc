#include "lookup/chain.h"

#include <algorithm>
#include <utility>

namespace postern {
namespace {

using namespace std::chrono_literals;

// For so long behind a failure a service counts as away: old answers are used without asking, and
// it is not told to be back.
constexpr Duration kAwayRest = 1s;
// How often a lookup is told to name what is not configured.
constexpr Duration kWrongEvery = 10s;

LookupResult ResultOf(const LookupAnswer& answer) {
  switch (answer.kind) {
    case LookupAnswer::Kind::kUnknown:
      return LookupResult::kUnknown;
    case LookupAnswer::Kind::kFound:
      return LookupResult::kFound;
    case LookupAnswer::Kind::kRefused:
      return LookupResult::kRefused;
    case LookupAnswer::Kind::kTemporary:
    case LookupAnswer::Kind::kUnavailable:
      return LookupResult::kUnavailable;
  }
  return LookupResult::kUnavailable;
}

LookupAnswer Unavailable() {
  LookupAnswer answer;
  answer.kind = LookupAnswer::Kind::kUnavailable;
  return answer;
}

double Seconds(Duration time) { return std::chrono::duration<double>(time).count(); }

}  // namespace

struct LookupChain::Inquiry {
  LookupQuestion question;
  Done done;
  std::size_t next = 0;  // the link to ask
  Hash128 key;           // of the link that is being asked
  // What a lookup said that judged the credentials and does not know where the user is.
  LookupAnswer judged;
};

LookupChain::LookupChain(std::vector<Link> links, Places places, Shard& shard, Log& log,
                         std::function<Instant()> clock)
    : links_(std::move(links)),
      places_(std::move(places)),
      shard_(shard),
      log_(log),
      clock_(std::move(clock)) {}

LookupChain::~LookupChain() {
  closing_ = true;
  idle_ = nullptr;
  // Services that go answer all they were asked.
  for (Link& link : links_) link.ask = nullptr;
}

void LookupChain::Ask(LookupQuestion question, Done done) {
  auto inquiry = std::make_shared<Inquiry>();
  inquiry->question = std::move(question);
  inquiry->done = std::move(done);
  ++under_way_;
  Proceed(inquiry);
}

void LookupChain::Proceed(const InquiryPtr& inquiry) {
  if (inquiry->next == links_.size()) return Finish(inquiry, {});
  const Link& link = links_[inquiry->next];
  if (link.memory != nullptr) {
    inquiry->key = link.memory->cache.KeyOf(inquiry->question, link.judges);
    const bool away = link.memory->away && clock_() - link.memory->failed_at < kAwayRest;
    const Duration age = away ? std::max(link.ttl, link.stale) : link.ttl;
    if (const LookupAnswer* answer = Cached(*inquiry, link, age)) {
      shard_.LookupCacheHit(link.slot);
      return Use(inquiry, CopyOf(*answer));
    }
  }
  Request(inquiry, link);
}

void LookupChain::Request(const InquiryPtr& inquiry, const Link& link) {
  const Instant asked = clock_();
  link.ask(inquiry->question, [this, inquiry, &link, asked](Finding finding) {
    if (closing_) return Finish(inquiry, Unavailable());
    OnFinding(inquiry, link, asked, std::move(finding));
  });
}

void LookupChain::OnFinding(const InquiryPtr& inquiry, const Link& link, Instant asked,
                            Finding finding) {
  const Instant now = clock_();
  shard_.Lookup(link.slot, ResultOf(finding.answer), now - asked);
  if (link.memory != nullptr) {
    NoteTrouble(link, finding, now);
    const bool away = finding.trouble == Finding::Trouble::kAway;
    const Duration age = std::max(link.ttl, link.stale);
    if (const LookupAnswer* old = away ? Cached(*inquiry, link, age) : nullptr) {
      shard_.LookupCacheHit(link.slot);
      return Use(inquiry, CopyOf(*old));
    }
    if (!away) Remember(*inquiry, link, finding.answer);
  }
  Use(inquiry, std::move(finding.answer));
}

// An answer may be older than the configuration, and name what is gone.
const LookupAnswer* LookupChain::Cached(const Inquiry& inquiry, const Link& link,
                                        Duration age) const {
  const LookupAnswer* answer = link.memory->cache.Find(inquiry.key, clock_(), age);
  if (answer == nullptr) return nullptr;
  const bool placed = answer->kind == LookupAnswer::Kind::kFound;
  if (placed && !places_.Has({answer->pool, answer->backend})) return nullptr;
  return answer;
}

// Refusals are not kept, nor is that a user is unknown: both may be put right at any time. What
// was kept and is not so any more goes.
void LookupChain::Remember(const Inquiry& inquiry, const Link& link, const LookupAnswer& answer) {
  AnswerCache& cache = link.memory->cache;
  const bool positive = answer.kind == LookupAnswer::Kind::kFound || answer.vouched;
  if (!positive) return cache.Forget(inquiry.key);
  cache.Put(inquiry.key, CopyOf(answer), clock_(), std::max(link.ttl, link.stale));
}

void LookupChain::NoteTrouble(const Link& link, const Finding& finding, Instant now) {
  LookupMemory& memory = *link.memory;
  if (finding.trouble == Finding::Trouble::kAway) {
    memory.failed_at = now;
    if (std::exchange(memory.away, true)) return;
    memory.away_since = now;
    return log_.Write(
        std::move(LogLine("lookup_down").Text("lookup", link.name).Text("reason", finding.reason)));
  }
  if (memory.away && now - memory.failed_at >= kAwayRest) {
    memory.away = false;
    log_.Write(std::move(LogLine("lookup_up")
                             .Text("lookup", link.name)
                             .Seconds("away", Seconds(now - memory.away_since))));
  }
  if (finding.trouble != Finding::Trouble::kWrong) return;
  const bool told = memory.wrong_told_at != Instant{} && now - memory.wrong_told_at < kWrongEvery;
  if (told) return;
  memory.wrong_told_at = now;
  log_.Write(
      std::move(LogLine("lookup_wrong").Text("lookup", link.name).Text("reason", finding.reason)));
}

void LookupChain::Use(const InquiryPtr& inquiry, LookupAnswer answer) {
  if (answer.kind != LookupAnswer::Kind::kUnknown) return Finish(inquiry, std::move(answer));
  if (answer.vouched) inquiry->judged = std::move(answer);
  ++inquiry->next;
  Proceed(inquiry);
}

// What an earlier lookup said of the credentials holds for the place that a later one found, or
// that none did.
void LookupChain::Finish(const InquiryPtr& inquiry, LookupAnswer answer) {
  const bool goes_on =
      answer.kind == LookupAnswer::Kind::kFound || answer.kind == LookupAnswer::Kind::kUnknown;
  LookupAnswer& judged = inquiry->judged;
  if (goes_on && judged.vouched) {
    answer.vouched = true;
    if (answer.user.empty()) answer.user = judged.user;
    if (!answer.has_password && judged.has_password) {
      answer.has_password = true;
      answer.password = std::move(judged.password);
    }
  }
  const Done done = std::move(inquiry->done);
  inquiry->question.password.Clear();
  --under_way_;
  done(std::move(answer));
  if (under_way_ == 0 && idle_) idle_();
}

}  // namespace postern
