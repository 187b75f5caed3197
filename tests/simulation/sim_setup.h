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

// One pool whose backends are spoken to in that way; the rest is the seed's.
std::shared_ptr<const Setup> SeededSetup(Random& random, PoolTls tls);

}  // namespace postern::testing
