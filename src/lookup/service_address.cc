#include "lookup/service_address.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace postern {
namespace {

using namespace std::chrono_literals;

// However short a name's time to live: not asked more often; and so long for names of the hosts
// file, which have none.
constexpr Duration kShortestLife = 5s;
constexpr Duration kHostsLife = 60s;
// After an answer that was none.
constexpr Duration kAskAgain = 2s;

}  // namespace

// Outlived by no question: those under way know it weakly.
struct ServiceAddress::State {
  explicit State(Resolver& its_resolver) : resolver(its_resolver) {}

  static void Ask(const std::shared_ptr<State>& state);
  void Take(Result<ResolvedName> result);

  Resolver& resolver;
  std::string host;
  std::uint16_t port = 0;
  std::vector<Address> addresses;
  std::size_t current = 0;
  Instant good_until = Instant::max();
  bool asking = false;
  std::vector<Done> waiting;
};

void ServiceAddress::State::Ask(const std::shared_ptr<State>& state) {
  if (std::exchange(state->asking, true)) return;
  state->resolver.Resolve(state->host,
                          [weak = std::weak_ptr<State>(state)](Result<ResolvedName> result) {
                            if (const auto alive = weak.lock()) alive->Take(std::move(result));
                          });
}

void ServiceAddress::State::Take(Result<ResolvedName> result) {
  asking = false;
  Status failed = result.error();
  if (result.ok()) {
    const Duration ttl = result.value().ttl;
    good_until =
        MonotonicNow() + (ttl <= Duration::zero() ? kHostsLife : std::max(ttl, kShortestLife));
    addresses.clear();
    for (const Address& each : result.value().addresses) {
      addresses.push_back(Address::FromParts(each.HostText(), port).value());
    }
    current = 0;
  } else {
    good_until = MonotonicNow() + kAskAgain;
  }
  const std::vector<Done> all = std::exchange(waiting, {});
  for (const Done& done : all) {
    if (addresses.empty()) {
      done(failed);
    } else {
      done(addresses[current]);
    }
  }
}

ServiceAddress::ServiceAddress(Resolver& resolver, const ServiceUrl& url)
    : state_(std::make_shared<State>(resolver)) {
  state_->host = url.host;
  state_->port = url.port;
  const Result<Address> number = Address::FromParts(url.host, url.port);
  if (number.ok()) {
    state_->addresses = {number.value()};
  } else {
    state_->good_until = Instant::min();
  }
}

ServiceAddress::~ServiceAddress() = default;

void ServiceAddress::Get(Done done) {
  if (MonotonicNow() >= state_->good_until) State::Ask(state_);
  if (!state_->addresses.empty()) return done(state_->addresses[state_->current]);
  State::Ask(state_);
  state_->waiting.push_back(std::move(done));
}

void ServiceAddress::Failed() {
  if (!state_->addresses.empty())
    state_->current = (state_->current + 1) % state_->addresses.size();
}

}  // namespace postern
