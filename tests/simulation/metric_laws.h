// The laws of the metrics (DESIGN 1.4) when nothing is in flight and no session is open. Pure.
#pragma once

#include <string>

#include "metrics/shard_data.h"

namespace postern::testing {

// What is wrong; empty when every law holds.
std::string BrokenMetricLaw(const Shard::Data& data);

}  // namespace postern::testing
