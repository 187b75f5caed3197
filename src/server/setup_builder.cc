#include "server/setup_builder.h"

#include <utility>

namespace postern {
namespace {

// "mail1.internal:143" and "[::1]:143" without their ports.
std::string HostOf(const std::string& address) {
  std::string host = address.substr(0, address.rfind(':'));
  if (host.size() >= 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
  return host;
}

Backend BackendOf(const BackendConfig& from, const PoolConfig& pool, PoolId pool_id) {
  Backend backend;
  backend.name = from.name;
  backend.pool = pool_id;
  const auto serve = [&](Protocol protocol, bool has, const Address& address,
                         const std::string& text) {
    const auto index = static_cast<std::size_t>(protocol);
    backend.serves[index] = has;
    backend.address[index] = address;
    backend.tls_name[index] = pool.verify_name.empty() ? HostOf(text) : pool.verify_name;
  };
  serve(Protocol::kImap, from.has_imap, from.imap, from.imap_text);
  serve(Protocol::kPop3, from.has_pop3, from.pop3, from.pop3_text);
  return backend;
}

void AddListeners(const Config& config, const Roster& roster, Plan& plan,
                  std::vector<Door>& doors) {
  for (const ListenerConfig& listener : config.listeners) {
    const ListenerId id = roster.listener(listener.name);
    plan.listeners[id] = {listener.tls, listener.mechanisms};
    doors[id] = {listener.name, listener.protocol, listener.trusted, listener.proxy};
  }
}

void AddPools(const Config& config, const Roster& roster, Plan& plan, std::vector<Pool>& pools,
              std::vector<Backend>& backends) {
  for (const PoolConfig& from : config.pools) {
    const PoolId id = roster.pool(from.name);
    plan.pools[id] = {from.tls, from.pass_commands, from.pass_capabilities, from.forward_id,
                      from.forward_xclient};
    pools[id] = {from.name, {}, from.tls, from.forward_proxy2, from.balance};
    for (const BackendId index : from.backends) {
      const BackendConfig& backend = config.backends[index];
      const BackendId backend_id = roster.backend(id, backend.name);
      backends[backend_id] = BackendOf(backend, from, id);
      pools[id].backends.push_back(backend_id);
    }
  }
}

}  // namespace

std::shared_ptr<const Setup> BuildSetup(const Config& config, const Roster& roster,
                                        const Setup* before, const Ready& ready) {
  const MetricNames& names = roster.names();
  Plan plan = config.plan;
  std::vector<Door> doors;
  std::vector<Pool> pools;
  std::vector<Backend> backends;
  if (before != nullptr) {
    plan.listeners = before->plan.listeners;
    plan.pools = before->plan.pools;
    doors = before->doors;
    pools = before->routes.pools();
    backends = before->routes.backends();
  }
  plan.listeners.resize(names.listeners.size());
  plan.pools.resize(names.pools.size());
  doors.resize(names.listeners.size());
  pools.resize(names.pools.size());
  backends.resize(names.backends.size());
  for (Pool& pool : pools) pool.backends.clear();
  AddListeners(config, roster, plan, doors);
  AddPools(config, roster, plan, pools, backends);
  const PoolId routing = roster.pool(config.pools[config.routing_pool].name);
  return std::make_shared<const Setup>(
      Setup{std::move(plan), Routes(std::move(pools), std::move(backends), routing),
            std::move(doors), ready.masters, ready.lookup, ready.rule_slots});
}

}  // namespace postern
