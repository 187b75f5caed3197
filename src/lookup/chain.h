// LookupChain: the lookups of one configuration, asked in their order until one knows the user;
// with their caches, their numbers and their lines in the log. Owned by the lookups' thread and
// used on it only; knows no sockets: each lookup is a function.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "lookup/answer_cache.h"
#include "lookup/finding.h"
#include "lookup/places.h"
#include "postern/base/log.h"
#include "postern/metrics/shard.h"

namespace postern {

// What outlives a reload of a lookup that stays what it was.
struct LookupMemory {
  AnswerCache cache;
  bool away = false;  // told to the operator, and not yet that it is back
  Instant away_since{};
  Instant failed_at{};  // the last time
  Instant wrong_told_at{};
};

class LookupChain {
 public:
  struct Link {
    std::string name;
    LookupSlot slot = 0;
    AskFunction ask;
    bool judges = false;  // looks at passwords: an answer is for those only
    Duration ttl{};
    Duration stale{};
    std::shared_ptr<LookupMemory> memory;  // null: never cached, never away
  };
  using Done = std::function<void(LookupAnswer)>;

  LookupChain(std::vector<Link> links, Places places, Shard& shard, Log& log,
              std::function<Instant()> clock);
  // Answers what is under way: unavailable.
  ~LookupChain();
  LookupChain(const LookupChain&) = delete;
  LookupChain& operator=(const LookupChain&) = delete;

  // Calls done exactly once, perhaps before it returns.
  void Ask(LookupQuestion question, Done done);
  // Questions that are not answered yet.
  std::size_t under_way() const { return under_way_; }
  // Called, when set, as soon as none is; must not destroy the chain.
  void OnIdle(std::function<void()> idle) { idle_ = std::move(idle); }

 private:
  struct Inquiry;
  using InquiryPtr = std::shared_ptr<Inquiry>;

  void Proceed(const InquiryPtr& inquiry);
  void Request(const InquiryPtr& inquiry, const Link& link);
  void OnFinding(const InquiryPtr& inquiry, const Link& link, Instant asked, Finding finding);
  void Use(const InquiryPtr& inquiry, LookupAnswer answer);
  void Finish(const InquiryPtr& inquiry, LookupAnswer answer);
  const LookupAnswer* Cached(const Inquiry& inquiry, const Link& link, Duration age) const;
  void Remember(const Inquiry& inquiry, const Link& link, const LookupAnswer& answer);
  void NoteTrouble(const Link& link, const Finding& finding, Instant now);

  std::vector<Link> links_;
  const Places places_;
  Shard& shard_;
  Log& log_;
  const std::function<Instant()> clock_;
  std::size_t under_way_ = 0;
  std::function<void()> idle_;
  bool closing_ = false;
};

}  // namespace postern
