#include "postern/gateway/routes.h"

#include <algorithm>
#include <utility>

#include "postern/base/text.h"

namespace postern {
namespace {

// FNV-1a over the lower-cased text, finished with splitmix64 so that similar names do not score
// alike.
std::uint64_t Mix(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15u;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

std::uint64_t HashText(std::string_view text) {
  std::uint64_t hash = 0xCBF29CE484222325u;
  for (const char c : text) {
    hash = (hash ^ static_cast<unsigned char>(AsciiLower(c))) * 0x100000001B3u;
  }
  return Mix(hash);
}

}  // namespace

void BackendHealth::Failed(BackendId id, Instant now) {
  retry_at_[id].store((now + kRetryAfter).time_since_epoch().count(), std::memory_order_relaxed);
}

void BackendHealth::Succeeded(BackendId id) { retry_at_[id].store(0, std::memory_order_relaxed); }

bool BackendHealth::up(BackendId id) const {
  return retry_at_[id].load(std::memory_order_relaxed) == 0;
}

bool BackendHealth::rested(BackendId id, Instant now) const {
  return retry_at_[id].load(std::memory_order_relaxed) <= now.time_since_epoch().count();
}

BackendHealth::Place::Place(BackendHealth& health, BackendId id)
    : count_(health.connecting_[id]),
      taken_(count_.fetch_add(1, std::memory_order_relaxed) < kMaxConnecting) {
  if (!taken_) count_.fetch_sub(1, std::memory_order_relaxed);
}

BackendHealth::Place::~Place() {
  if (taken_) count_.fetch_sub(1, std::memory_order_relaxed);
}

Routes::Routes(std::vector<Pool> pools, std::vector<Backend> backends, PoolId routing_pool)
    : pools_(std::move(pools)), backends_(std::move(backends)), routing_pool_(routing_pool) {
  for (const Backend& backend : backends_) seeds_.push_back(HashText(backend.name));
}

Candidates Routes::Choose(const BackendHealth& health, PoolId pool, Protocol protocol,
                          std::string_view user, Instant now) const {
  const std::uint64_t key = HashText(user);
  const std::size_t index = static_cast<std::size_t>(protocol);
  std::uint64_t scores[kMaxCandidates] = {};
  Candidates best;
  for (const BackendId id : pools_[pool].backends) {
    const Backend& backend = backends_[id];
    if (!backend.serves[index] || backend.address[index].family() == AF_UNSPEC) continue;
    if (!health.rested(id, now)) continue;
    const std::uint64_t score = Mix(key ^ seeds_[id]);
    std::size_t place = best.count;
    while (place > 0 && score > scores[place - 1]) --place;
    if (place == kMaxCandidates) continue;
    for (std::size_t i = std::min(best.count, kMaxCandidates - 1); i > place; --i) {
      best.id[i] = best.id[i - 1];
      scores[i] = scores[i - 1];
    }
    best.id[place] = id;
    scores[place] = score;
    best.count = std::min(best.count + 1, kMaxCandidates);
  }
  return best;
}

}  // namespace postern
