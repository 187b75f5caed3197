#include "postern/gateway/ledger.h"

#include <algorithm>
#include <functional>
#include <utility>

namespace postern {

Ledger::Place::~Place() {
  Stripe& stripe = ledger_.StripeOf(key_);
  const std::lock_guard<std::mutex> guard(stripe.lock);
  if (!listed_) return;
  const auto found = stripe.places.find(key_);
  std::erase(found->second, this);
  if (found->second.empty()) stripe.places.erase(found);
}

void Ledger::Place::Idle(Instant since) {
  idle_since_.store(since.time_since_epoch().count(), std::memory_order_relaxed);
}

std::string Ledger::Key(const std::string& rule, std::string_view whose) {
  std::string key = rule;
  key += '\0';
  key += whose;
  return key;
}

Ledger::Stripe& Ledger::StripeOf(const std::string& key) const {
  return stripes_[std::hash<std::string>{}(key) % kStripes];
}

bool Ledger::HasRoom(const std::string& key, std::size_t limit) const {
  const Stripe& stripe = StripeOf(key);
  const std::lock_guard<std::mutex> guard(stripe.lock);
  const auto found = stripe.places.find(key);
  return (found == stripe.places.end() ? 0 : found->second.size()) < limit;
}

Ledger::Taken Ledger::Take(const std::string& key, std::size_t limit, bool end_idle,
                           Holder holder) {
  Taken taken;
  auto place = std::make_unique<Place>(*this, key, std::move(holder));
  Stripe& stripe = StripeOf(key);
  const std::lock_guard<std::mutex> guard(stripe.lock);
  std::vector<Place*>& places = stripe.places[key];
  if (places.size() >= limit) {
    const auto idle = [](const Place* one) {
      const std::int64_t since = one->idle_since_.load(std::memory_order_relaxed);
      return since == Place::kBusy ? INT64_MAX : since;
    };
    const auto longest =
        std::min_element(places.begin(), places.end(),
                         [&](const Place* a, const Place* b) { return idle(a) < idle(b); });
    if (!end_idle || longest == places.end() || idle(*longest) == INT64_MAX) {
      if (places.empty()) stripe.places.erase(key);
      return taken;
    }
    taken.end = (*longest)->holder_;
    (*longest)->listed_ = false;
    places.erase(longest);
  }
  place->listed_ = true;
  places.push_back(place.get());
  taken.place = std::move(place);
  return taken;
}

std::size_t Ledger::size() const {
  std::size_t size = 0;
  for (const Stripe& stripe : stripes_) {
    const std::lock_guard<std::mutex> guard(stripe.lock);
    size += stripe.places.size();
  }
  return size;
}

}  // namespace postern
