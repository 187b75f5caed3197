// The configurations of simulated worlds, made from a seed. Pure.
#pragma once

#include <memory>

#include "postern/gateway/setup.h"
#include "simulation/random.h"
#include "simulation/script.h"

namespace postern::testing {

inline constexpr std::size_t kBackends = 3;

// A listener for each protocol and entrance.
constexpr ListenerId DoorOf(Protocol protocol, Entrance entrance) {
  return static_cast<ListenerId>(static_cast<std::size_t>(protocol) * kEntranceCount +
                                 static_cast<std::size_t>(entrance));
}
// Where a client of that number comes from.
Address ClientAddress(Entrance entrance, std::size_t number);
Address BackendAddress(std::size_t backend, Protocol protocol);

// How a world's one pool is spoken to, through all reloads.
struct PoolManner {
  PoolTls tls = PoolTls::kNone;
  bool proxy2 = false;
};
// The rest is the seed's.
std::shared_ptr<const Setup> SeededSetup(Random& random, PoolManner manner,
                                         std::shared_ptr<Lookup> lookup);

}  // namespace postern::testing
