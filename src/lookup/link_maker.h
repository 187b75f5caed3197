// LinkMaker: makes the links of a chain from what the configuration says. Reads files; asks
// for no name and connects to nothing. Not on a loop's thread.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "lookup/chain.h"
#include "lookup/places.h"
#include "lookup/service_stream.h"
#include "postern/base/log.h"
#include "postern/lookup/lookups.h"

namespace postern {

// What is kept of lookups over reloads, by slot, as long as they ask the same. Any thread.
class LookupMemories {
 public:
  std::shared_ptr<LookupMemory> Of(const LookupSettings& settings);

 private:
  struct Kept {
    std::string asks;
    std::shared_ptr<LookupMemory> memory;
  };
  std::mutex mutex_;
  std::map<LookupSlot, Kept> kept_;
};

class LinkMaker {
 public:
  // All outlive the links.
  LinkMaker(ServiceNet net, const Places& places, LookupMemories& memories, Log& log)
      : net_(net), places_(places), memories_(memories), log_(log) {}
  Result<LookupChain::Link> Make(LookupSettings settings);

 private:
  Result<AskFunction> MakeFile(const LookupSettings& settings);
  Result<AskFunction> MakeHttp(const LookupSettings& settings);
  Result<AskFunction> MakeRedis(LookupSettings settings);

  const ServiceNet net_;
  const Places& places_;
  LookupMemories& memories_;
  Log& log_;
};

}  // namespace postern
