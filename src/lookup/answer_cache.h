// AnswerCache: positive answers of one lookup, kept for its ttl and, for the time in which the
// service is away, for its stale time. Keys are keyed hashes of all that the answer may depend on;
// no name and no password is stored but those that the answer itself has. Bounded: the oldest goes
// first. One thread; time is given.
#pragma once

#include <cstddef>
#include <list>
#include <unordered_map>

#include "lookup/keyed_hash.h"
#include "postern/base/clock.h"
#include "postern/gateway/lookup.h"

namespace postern {

inline constexpr std::size_t kMaxCachedAnswers = 65'536;

LookupAnswer CopyOf(const LookupAnswer& answer);

class AnswerCache {
 public:
  explicit AnswerCache(std::size_t room = kMaxCachedAnswers) : room_(room) {}

  // Whoever asks the same with another password, from another address or by another protocol asks
  // something else, unless the lookup never sees them.
  Hash128 KeyOf(const LookupQuestion& question, bool judges) const;
  // Null when there is none of at most this age. Valid until the next Put.
  const LookupAnswer* Find(const Hash128& key, Instant now, Duration age) const;
  // Takes the place of an answer to the same. Forgets what is older than keep.
  void Put(const Hash128& key, LookupAnswer answer, Instant now, Duration keep);
  void Forget(const Hash128& key);
  std::size_t size() const { return index_.size(); }

 private:
  struct Entry {
    Hash128 key;
    Instant since;
    LookupAnswer answer;
  };
  struct KeyHash {
    std::size_t operator()(const Hash128& key) const { return static_cast<std::size_t>(key.low); }
  };

  const std::size_t room_;
  const KeyedHash hash_;
  std::list<Entry> entries_;  // the oldest first
  std::unordered_map<Hash128, std::list<Entry>::iterator, KeyHash> index_;
};

}  // namespace postern
