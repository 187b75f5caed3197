#include "lookup/answer_cache.h"

#include <string>
#include <utility>

#include "postern/base/text.h"

namespace postern {
namespace {

// With its length in front, so that no two lists of parts look the same.
void AppendPart(std::string& text, std::string_view part) {
  AppendSecret(text, std::to_string(part.size()));
  AppendSecret(text, ":");
  AppendSecret(text, part);
}

}  // namespace

LookupAnswer CopyOf(const LookupAnswer& answer) {
  LookupAnswer copy;
  copy.kind = answer.kind;
  copy.pool = answer.pool;
  copy.backend = answer.backend;
  copy.user = answer.user;
  copy.password = Secret(answer.password.Reveal());
  copy.has_password = answer.has_password;
  copy.vouched = answer.vouched;
  copy.text = answer.text;
  copy.wait = answer.wait;
  return copy;
}

Hash128 AnswerCache::KeyOf(const LookupQuestion& question, bool judges) const {
  std::string text;
  if (judges) {
    AppendPart(text, question.user);
    AppendPart(text, question.password.Reveal());
    AppendPart(text, IsOauth(question.mechanism) ? MechanismName(question.mechanism) : "");
    AppendPart(text, ProtocolName(question.protocol));
    AppendPart(text, question.client.HostText());
  } else {
    AppendPart(text, ToLower(question.user));
  }
  const Hash128 key = hash_.Of(text);
  Wipe(text);
  return key;
}

const LookupAnswer* AnswerCache::Find(const Hash128& key, Instant now, Duration age) const {
  const auto found = index_.find(key);
  if (found == index_.end() || now - found->second->since >= age) return nullptr;
  return &found->second->answer;
}

void AnswerCache::Put(const Hash128& key, LookupAnswer answer, Instant now, Duration keep) {
  Forget(key);
  while (!entries_.empty() && (entries_.size() >= room_ || now - entries_.front().since >= keep)) {
    Forget(Hash128(entries_.front().key));
  }
  if (keep <= Duration::zero() || room_ == 0) return;
  entries_.push_back({key, now, std::move(answer)});
  index_.emplace(key, std::prev(entries_.end()));
}

void AnswerCache::Forget(const Hash128& key) {
  const auto found = index_.find(key);
  if (found == index_.end()) return;
  entries_.erase(found->second);
  index_.erase(found);
}

}  // namespace postern
