// SimWorld: a worker's world without sockets, threads or a clock of its own, with the real keeper,
// sessions, engines, routes and health in it; clients come and go, backends are dialled, the
// configuration is replaced, the process is drained: when, and how, the seed says. One world is one
// run; everything in it goes with it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "postern/gateway/keeper.h"
#include "simulation/backend.h"
#include "simulation/scripted_client.h"
#include "simulation/sim_rules.h"
#include "simulation/sim_setup.h"

namespace postern::testing {

struct Scenario {
  std::uint64_t seed = 1;
  std::size_t sessions = 20;
  Sabotage sabotage = Sabotage::kNone;
  bool transcript = false;
};

class SimWorld final : public World, private Dialer {
 public:
  explicit SimWorld(const Scenario& scenario);
  ~SimWorld();
  SimWorld(const SimWorld&) = delete;
  SimWorld& operator=(const SimWorld&) = delete;

  // Until nothing happens any more, or a law is broken.
  void Run();
  const Record& record() const { return record_; }
  const Shard& shard() const { return *shard_; }
  std::uint64_t steps() const { return timeline_.steps(); }
  std::int64_t most_held() const { return most_held_; }  // for any session

  // World.
  Instant now() override { return timeline_.now(); }
  std::int64_t unix_time() override {
    return 1'700'000'000 +
           std::chrono::duration_cast<std::chrono::seconds>(timeline_.now().time_since_epoch())
               .count();
  }
  Deadlines& deadlines() override { return timeline_.deadlines(); }
  Dialer& dialer() override { return *this; }
  void AfterTurn(std::function<void()> task) override;
  std::unique_ptr<Stream> SecureClient(ListenerId, std::unique_ptr<Stream> lower) override;
  std::unique_ptr<Stream> SecureBackend(PoolId, std::unique_ptr<Stream> lower,
                                        const std::string&) override;
  void OnSwept() override { Admit(); }

 private:
  class Notes;  // the log
  class SimAttempt;
  // One client's visit: its two wires.
  struct Visit {
    std::unique_ptr<Wire> wire;
    std::unique_ptr<ScriptedClient> client;
    Wire* backend = nullptr;  // the newest
    Protocol protocol = Protocol::kImap;
    Entrance entrance = Entrance::kImplicit;
    bool accepted = false;
  };
  struct Connection {
    std::unique_ptr<Wire> wire;
    std::unique_ptr<SimBackend> backend;
  };

  std::unique_ptr<Dialer::Attempt> Dial(const Address& address, Observer& observer) override;
  void Connect(Observer& observer, std::size_t owner, const Address& address);
  void MakeVisit(std::size_t number);
  std::unique_ptr<ScriptedClient> MakeClient(const Visit& visit, std::size_t number, Random random);
  std::unique_ptr<SimBackend> MakeBackend(std::size_t number, Wire& wire, Random random);
  void PlanEvents();
  void Reload();
  void Kick();
  void DrainBackend();
  void FailBackend();
  std::shared_ptr<Lookup> MakeLookup();
  void Drain();
  void Admit();
  void Accept(std::size_t number);
  void CheckStep();
  void CheckEnd();
  void CheckPrompt(const Visit& visit);
  void CheckMemory(std::size_t number);

  const Scenario scenario_;
  Random random_;
  Timeline timeline_;
  Record record_;
  std::unique_ptr<Notes> log_;
  BackendHealth health_;
  Shared shared_;
  std::unique_ptr<Shard> shard_;
  const PoolManner manner_;
  const SimRules rules_;
  const bool lookups_;
  const Duration arrivals_;              // within which all clients come
  std::vector<Visit> visits_;            // by number - 1
  std::vector<std::size_t> waiting_;     // visits at the door
  std::vector<Connection> connections_;  // to backends, in order of dialling
  std::unique_ptr<Keeper> keeper_;
  bool draining_ = false;
  std::int64_t most_held_ = 0;
  Deadline forgotten_;
};

}  // namespace postern::testing
