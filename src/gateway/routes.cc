#include "postern/gateway/routes.h"

#include <algorithm>
#include <utility>

#include "postern/base/text.h"

namespace postern {
namespace {

// Of a backend that has only just come back; a second of its slow start.
constexpr double kLeastWeight = 1.0 / 30;

// FNV-1a over the lower-cased text, finished with splitmix64 so that similar names do not score
// alike.
std::uint64_t Mix(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15u;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

// A hash as a number from 0 to below 1.
double ShareOf(std::uint64_t hash) { return static_cast<double>(hash >> 11) * 0x1p-53; }

std::uint64_t HashText(std::string_view text) {
  std::uint64_t hash = 0xCBF29CE484222325u;
  for (const char c : text) {
    hash = (hash ^ static_cast<unsigned char>(AsciiLower(c))) * 0x100000001B3u;
  }
  return Mix(hash);
}

}  // namespace

// How good a choice a backend is.
struct Routes::Rank {
  bool due = true;  // balance = user: it has this user back already
  double load = 0;  // balance = least
  std::uint64_t score = 0;

  bool BetterThan(const Rank& other) const {
    if (due != other.due) return due;
    if (load != other.load) return load < other.load;
    return score > other.score;
  }
};

Routes::Routes(std::vector<Pool> pools, std::vector<Backend> backends, PoolId routing_pool)
    : pools_(std::move(pools)), backends_(std::move(backends)), routing_pool_(routing_pool) {
  for (const Backend& backend : backends_) seeds_.push_back(HashText(backend.name));
}

bool Routes::CanBeHad(const BackendHealth& health, const Wish& wish, BackendId id,
                      Instant now) const {
  const Backend& backend = backends_[id];
  const auto protocol = static_cast<std::size_t>(wish.protocol);
  if (!backend.serves[protocol] || backend.address[protocol].family() == AF_UNSPEC) return false;
  switch (health.state(id, wish.protocol)) {
    case BackendState::kDown:
    case BackendState::kDraining:
      return false;
    case BackendState::kUp:
    case BackendState::kFailing:
      break;
  }
  return wish.backend == kNoBackend ? health.rested(id, now) : wish.backend == id;
}

Routes::Rank Routes::RankOf(const BackendHealth& health, const Wish& wish, std::uint64_t key,
                            BackendId id, Instant now) const {
  Rank rank;
  rank.score = Mix(key ^ seeds_[id]);
  const double back = health.back(id, wish.protocol, now);
  switch (pools_[wish.pool].balance) {
    case Balance::kUser:
      // Not the score itself: this backend's users all have a high one.
      rank.due = back >= 1 || ShareOf(Mix(rank.score)) < back;
      break;
    case Balance::kLeast:
      rank.load = (health.load(id) + 1.0) / std::max(back, kLeastWeight);
      break;
  }
  return rank;
}

Candidates Routes::Choose(const BackendHealth& health, const Wish& wish, Instant now) const {
  const std::uint64_t key = HashText(wish.user);
  Rank ranks[kMaxCandidates];
  Candidates best;
  for (const BackendId id : pools_[wish.pool].backends) {
    if (!CanBeHad(health, wish, id, now)) continue;
    const Rank rank = RankOf(health, wish, key, id, now);
    std::size_t place = best.count;
    while (place > 0 && rank.BetterThan(ranks[place - 1])) --place;
    if (place == kMaxCandidates) continue;
    for (std::size_t i = std::min(best.count, kMaxCandidates - 1); i > place; --i) {
      best.id[i] = best.id[i - 1];
      ranks[i] = ranks[i - 1];
    }
    best.id[place] = id;
    ranks[place] = rank;
    best.count = std::min(best.count + 1, kMaxCandidates);
  }
  return best;
}

}  // namespace postern
