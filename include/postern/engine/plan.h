// Plan: what the engines ask of the configuration. Immutable; a worker holds one at a time and
// swaps it between turns, so an engine asks its host in each call and keeps no reference.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "postern/base/clock.h"

namespace postern {

struct Plan {
  std::string name = "postern";  // gateway.name, in greetings
  struct Timeouts {
    Duration handshake = std::chrono::seconds(10);
    Duration login = std::chrono::seconds(180);
    Duration connect = std::chrono::seconds(10);
    Duration imap_idle = std::chrono::minutes(35);
    Duration pop3_idle = std::chrono::minutes(10);
  } timeouts;
  struct Limits {
    std::size_t sessions = 0;  // 0: what the descriptor limit allows
    std::uint32_t login_attempts = 3;
    std::uint64_t append = 0;  // octets of the largest APPEND literal; 0: no limit of ours
  } limits;
  Duration slow = std::chrono::seconds(1);  // log.slow
};

}  // namespace postern
