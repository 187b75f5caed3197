#include "simulation/sim_setup.h"

#include <string>
#include <utility>

namespace postern::testing {
namespace {

std::vector<Network> Networks(const char* text) {
  std::vector<Network> networks;
  networks.push_back(Network::Parse(text).value());
  return networks;
}

Plan SeededPlan(Random& random, PoolTls tls) {
  Plan plan;
  plan.timeouts.handshake = std::chrono::seconds(random.Pick<int>({5, 10, 60}));
  plan.timeouts.login = std::chrono::seconds(random.Pick<int>({20, 180, 180}));
  plan.timeouts.connect = std::chrono::seconds(random.Pick<int>({5, 10}));
  plan.timeouts.imap_idle = std::chrono::minutes(random.Pick<int>({1, 31, 35}));
  plan.timeouts.pop3_idle = std::chrono::minutes(random.Pick<int>({1, 10, 15}));
  plan.limits.login_attempts = random.Pick<unsigned>({1, 3, 3});
  plan.limits.append = random.Pick<std::uint64_t>({0, 0, 1000, 100000});
  for (std::size_t protocol = 0; protocol < kProtocolCount; ++protocol) {
    for (const ListenerTls way : {ListenerTls::kImplicit, ListenerTls::kStarttls,
                                  ListenerTls::kNone, ListenerTls::kRefuse, ListenerTls::kImplicit})
      plan.listeners.push_back({way, kAllMechanisms});
  }
  plan.pools.push_back({tls, {}, {}, random.Chance(50), random.Chance(50)});
  return plan;
}

Routes SeededRoutes(Random& random, PoolManner manner) {
  Pool pool;
  pool.name = "pool";
  pool.tls = manner.tls;
  pool.forward_proxy2 = manner.proxy2;
  pool.balance = random.Pick({Balance::kUser, Balance::kUser, Balance::kLeast});
  std::vector<Backend> backends(kBackends);
  for (std::size_t i = 0; i < kBackends; ++i) {
    backends[i].name = "mail" + std::to_string(i + 1);
    for (const Protocol protocol : {Protocol::kImap, Protocol::kPop3}) {
      const auto at = static_cast<std::size_t>(protocol);
      backends[i].serves[at] = true;
      backends[i].address[at] = BackendAddress(i, protocol);
      backends[i].tls_name[at] = "mail.internal";
    }
    // One that is not listed is gone from the configuration.
    if (random.Chance(80) || (i + 1 == kBackends && pool.backends.empty())) {
      pool.backends.push_back(static_cast<BackendId>(i));
    }
  }
  return Routes({std::move(pool)}, std::move(backends), 0);
}

}  // namespace

Address ClientAddress(Entrance entrance, std::size_t number) {
  std::string host = "192.0.2.";
  if (entrance == Entrance::kPlain) host = "10.9.0.";
  if (entrance == Entrance::kProxied) host = "10.8.0.";
  host += std::to_string(number % 250 + 1);
  return Address::FromParts(host, static_cast<std::uint16_t>(20000 + number)).value();
}

Address BackendAddress(std::size_t backend, Protocol protocol) {
  const std::uint16_t port = protocol == Protocol::kImap ? 143 : 110;
  return Address::FromParts("10.1.0." + std::to_string(backend + 1), port).value();
}

std::shared_ptr<const Setup> SeededSetup(Random& random, PoolManner manner,
                                         std::shared_ptr<Lookup> lookup) {
  std::vector<Door> doors;
  for (const Protocol protocol : {Protocol::kImap, Protocol::kPop3}) {
    const std::string name = protocol == Protocol::kImap ? "imap" : "pop3";
    for (std::size_t i = 0; i < kEntranceCount; ++i) {
      doors.push_back(
          {name + std::to_string(i), protocol, Networks("10.9.0.0/16"), Networks("10.8.0.0/16")});
    }
  }
  return std::make_shared<const Setup>(Setup{SeededPlan(random, manner.tls),
                                             SeededRoutes(random, manner),
                                             std::move(doors),
                                             {},
                                             std::move(lookup),
                                             {}});
}

}  // namespace postern::testing
