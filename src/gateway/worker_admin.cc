// What operators ask of a worker, from any thread.
#include <limits>
#include <utility>

#include "postern/gateway/worker.h"

namespace postern {
namespace {

// Sessions described in one turn: a millisecond or two.
constexpr std::size_t kMostDescribed = 1000;

}  // namespace

struct Worker::Walk {
  std::vector<SessionInfo> found;
  std::size_t below = std::numeric_limits<std::size_t>::max();
  std::function<void(std::vector<SessionInfo>)> done;
};

void Worker::Describe(std::function<void(std::vector<SessionInfo>)> done) {
  auto walk = std::make_shared<Walk>();
  walk->done = std::move(done);
  loop_.Post([this, walk] { DescribeSome(walk); });
}

void Worker::DescribeSome(std::shared_ptr<Walk> walk) {
  walk->below = keeper_.Describe(walk->below, kMostDescribed, walk->found);
  if (walk->below == 0) return walk->done(std::move(walk->found));
  loop_.Post([this, walk] { DescribeSome(walk); });
}

void Worker::Kick(std::string id, std::function<void(bool)> done) {
  loop_.Post([this, id = std::move(id), done = std::move(done)] { done(keeper_.Kick(id)); });
}

void Worker::DrainBackend(BackendId id, Duration window) {
  loop_.Post([this, id, window] { keeper_.DrainBackend(id, window); });
}

void Worker::UndrainBackend(BackendId id) {
  loop_.Post([this, id] { keeper_.UndrainBackend(id); });
}

}  // namespace postern
