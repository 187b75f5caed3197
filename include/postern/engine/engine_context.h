// What a new engine is given: its host and the worker's things it may use. References outlive the
// engine.
#pragma once

#include "postern/engine/engine.h"
#include "postern/engine/in_flight.h"
#include "postern/metrics/shard.h"

namespace postern {

struct EngineContext {
  EngineHost& host;
  Shard& shard;        // the worker's metrics
  InFlightPool& pool;  // the worker's store of command records
};

}  // namespace postern
