#include "server/operator.h"

#include <memory>
#include <utility>

namespace postern {
namespace {

// What is gathered from all workers; their answers arrive on their threads and are put together on
// the main loop.
template <typename Sum>
class Gathering {
 public:
  using Done = std::function<void(Sum)>;
  Gathering(Loop& loop, std::size_t workers, Done done)
      : loop_(loop), left_(workers), done_(std::move(done)) {}

  // From a worker's thread: what add makes of the sum so far happens on the main loop.
  static void Add(std::shared_ptr<Gathering> self, std::function<void(Sum&)> add) {
    Loop& loop = self->loop_;
    loop.Post([self = std::move(self), add = std::move(add)] {
      add(self->sum_);
      if (--self->left_ == 0) self->done_(std::move(self->sum_));
    });
  }

 private:
  Loop& loop_;
  std::size_t left_;
  Done done_;
  Sum sum_{};
};

void GatherSessions(const OperatorParts& parts,
                    std::function<void(std::vector<SessionInfo>)> done) {
  using Sessions = Gathering<std::vector<SessionInfo>>;
  auto gathering = std::make_shared<Sessions>(parts.loop, parts.fleet.size(), std::move(done));
  for (std::size_t i = 0; i < parts.fleet.size(); ++i) {
    parts.fleet.worker(i).Describe([gathering](std::vector<SessionInfo> some) {
      Sessions::Add(gathering, [some = std::move(some)](std::vector<SessionInfo>& all) {
        all.insert(all.end(), some.begin(), some.end());
      });
    });
  }
}

void Kick(const OperatorParts& parts, const std::string& id, std::function<void(bool)> done) {
  using Found = Gathering<bool>;
  auto gathering = std::make_shared<Found>(parts.loop, parts.fleet.size(), std::move(done));
  for (std::size_t i = 0; i < parts.fleet.size(); ++i) {
    parts.fleet.worker(i).Kick(id, [gathering](bool here) {
      Found::Add(gathering, [here](bool& found) { found = found || here; });
    });
  }
}

std::vector<BackendInfo> Backends(const OperatorParts& parts) {
  const Config& config = parts.reloader.config();
  std::vector<BackendInfo> all;
  for (const PoolConfig& pool : config.pools) {
    const PoolId pool_id = parts.fleet.roster().pool(pool.name);
    for (const BackendId index : pool.backends) {
      const BackendConfig& from = config.backends[index];
      const BackendId id = parts.fleet.roster().backend(pool_id, from.name);
      BackendInfo info;
      info.pool = pool.name;
      info.name = from.name;
      if (from.has_imap) info.imap = from.imap_text;
      if (from.has_pop3) info.pop3 = from.pop3_text;
      info.state = BackendStateName(parts.fleet.health().state(id));
      info.sessions = parts.fleet.health().sessions(id);
      const Prober::Standing standing = parts.standing(id);
      info.since = standing.since;
      if (info.state != "up") info.reason = standing.reason;
      all.push_back(std::move(info));
    }
  }
  return all;
}

BackendId FindBackend(const OperatorParts& parts, const std::string& pool,
                      const std::string& backend) {
  return parts.fleet.roster().backend(parts.fleet.roster().pool(pool), backend);
}

Status Drain(const OperatorParts& parts, const std::string& pool, const std::string& backend,
             Duration window) {
  const BackendId id = FindBackend(parts, pool, backend);
  BackendHealth& health = parts.fleet.health();
  if (health.state(id) == BackendState::kDraining) {
    return Status::Error(pool + "/" + backend + " is draining already");
  }
  health.SetDraining(id, true);
  for (std::size_t i = 0; i < parts.fleet.size(); ++i) {
    parts.fleet.worker(i).DrainBackend(id, window);
  }
  return {};
}

Status Undrain(const OperatorParts& parts, const std::string& pool, const std::string& backend) {
  const BackendId id = FindBackend(parts, pool, backend);
  BackendHealth& health = parts.fleet.health();
  if (health.state(id) != BackendState::kDraining) {
    return Status::Error(pool + "/" + backend + " is not draining");
  }
  health.SetDraining(id, false);
  for (std::size_t i = 0; i < parts.fleet.size(); ++i) parts.fleet.worker(i).UndrainBackend(id);
  return {};
}

StatusInfo StatusOf(const OperatorParts& parts) {
  StatusInfo info;
  const Reloader& reloader = parts.reloader;
  info.version = POSTERN_VERSION;
  info.name = reloader.config().plan.name;
  info.uptime = MonotonicNow() - parts.started;
  info.generation = reloader.generation();
  if (!reloader.last().cause.empty()) {
    info.reload = {reloader.last().cause, MonotonicNow() - reloader.last().at,
                   reloader.last().reasons};
  }
  for (std::size_t i = 0; i < parts.fleet.size(); ++i) {
    const std::array<std::int64_t, 4> some = parts.fleet.worker(i).shard().SessionsByState();
    for (std::size_t state = 0; state < some.size(); ++state) info.sessions[state] += some[state];
  }
  info.max_sessions = parts.fleet.max_sessions();
  info.backends = Backends(parts);
  const CertificateSet& certificates = parts.fleet.certificates();
  for (std::size_t i = 0; i < certificates.size(); ++i) {
    info.certificates.push_back(
        {reloader.config().certificates[i].chain, certificates.facts(i).not_after});
  }
  info.log_dropped = parts.log.dropped();
  info.not_ready = parts.not_ready();
  return info;
}

}  // namespace

AdminApi MakeAdminApi(OperatorParts parts) {
  AdminApi api;
  api.token = [&token = parts.token]() -> const Secret& { return token; };
  api.sessions = [parts](auto done) { GatherSessions(parts, std::move(done)); };
  api.kick = [parts](const std::string& id, auto done) { Kick(parts, id, std::move(done)); };
  api.backends = [parts] { return Backends(parts); };
  api.drain = [parts](const std::string& pool, const std::string& backend, Duration window,
                      auto done) { done(Drain(parts, pool, backend, window)); };
  api.undrain = [parts](const std::string& pool, const std::string& backend, auto done) {
    done(Undrain(parts, pool, backend));
  };
  api.reload = [parts](auto done) { parts.reloader.Reload("api", std::move(done)); };
  api.status = [parts] { return StatusOf(parts); };
  return api;
}

}  // namespace postern
