// Keeper: the sessions of one worker, and what they share. Knows no sockets and no clock: the world
// it lives in has them, so that the whole session layer also runs in a simulation. One thread.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "postern/base/log.h"
#include "postern/engine/in_flight.h"
#include "postern/gateway/ledger.h"
#include "postern/gateway/setup.h"
#include "postern/metrics/shard.h"
#include "postern/net/deadlines.h"
#include "postern/net/dialer.h"
#include "postern/net/stream.h"
#include "postern/rules/rule_set.h"

namespace postern {

class BackendDrain;
class Keeper;
class Session;
struct SessionInfo;

// What all workers share. Outlives them.
struct Shared {
  BackendHealth& health;
  Log& log;
  std::string server_id;                     // begins every session's id: ids of two runs differ
  std::atomic<std::size_t> max_sessions{0};  // of the process
  std::atomic<std::size_t> sessions{0};      // live now, of all workers
  Ledger ledger{};
  // Runs the task on that worker's thread, on a later turn. Any thread; set before a session
  // begins.
  std::function<void(unsigned worker, std::function<void(Keeper&)> task)> post{};
};

// How scarce memory is, and what follows (SECURITY R-18); each level includes those before it.
enum class Pressure : std::uint8_t {
  kNone,
  kShrink,  // who takes long to log in is ended
  kRefuse,  // nobody new is taken
  kDrop,    // the sessions that hold most are ended
};

// What a keeper needs of the world: a worker's loop, or a simulation.
class World {
 public:
  virtual Instant now() = 0;
  // The wall clock: seconds since 1970.
  virtual std::int64_t unix_time() = 0;
  virtual Deadlines& deadlines() = 0;
  virtual Dialer& dialer() = 0;
  // Runs the function when no callback is on the stack.
  virtual void AfterTurn(std::function<void()> task) = 0;
  // TLS over a stream, started or not: the listener's, or as the pool says for a backend of that
  // name. Takes the stream.
  virtual std::unique_ptr<Stream> SecureClient(ListenerId listener,
                                               std::unique_ptr<Stream> lower) = 0;
  virtual std::unique_ptr<Stream> SecureBackend(PoolId pool, std::unique_ptr<Stream> lower,
                                                const std::string& name) = 0;
  // Sessions that had ended were destroyed.
  virtual void OnSwept() = 0;

 protected:
  ~World() = default;
};

class Keeper {
 public:
  // index is the worker label. The references outlive the keeper.
  Keeper(unsigned index, World& world, Shared& shared, Shard& shard,
         std::shared_ptr<const Setup> setup, std::shared_ptr<RuleSet> rules);
  ~Keeper();
  Keeper(const Keeper&) = delete;
  Keeper& operator=(const Keeper&) = delete;

  // A client came: its session begins. The stream is not started yet; client and local are the
  // connection's two addresses.
  void Accept(ListenerId listener, std::unique_ptr<Stream> stream, const Address& client,
              const Address& local);
  // From now on sessions see this setup; idle times are counted by it. Commands are judged by these
  // rules; null: by the same as before.
  void Adopt(std::shared_ptr<const Setup> setup, std::shared_ptr<RuleSet> rules);
  // From now on clients are told of these capabilities before their login.
  void AdoptOffer(std::shared_ptr<const CommonOffer> offer) { offer_ = std::move(offer); }
  // Tells every session that shutdown began, or that its time is over.
  void Drain();
  void DrainDeadline();
  // For operators (keeper_admin.cc). Describes at most so many sessions, those below the place and
  // the last of them first; returns where to go on, 0 when all are described. From call to call a
  // session may move and be described twice.
  std::size_t Describe(std::size_t below, std::size_t most, std::vector<SessionInfo>& into) const;
  // Ends the session of that id at its next command boundary; false: there is none.
  bool Kick(std::string_view id);
  // Ends the sessions of that backend at their command boundaries, spread evenly over the window.
  // Nobody new may be sent there.
  void DrainBackend(BackendId id, Duration window);
  // Sessions that were not told yet stay.
  void UndrainBackend(BackendId id);
  // Gives back memory as the level asks.
  void Relieve(Pressure level);
  bool empty() const { return sessions_.empty(); }
  std::size_t size() const { return sessions_.size(); }

  // The session of that id has lost its place under a limit to another one.
  void GiveWay(const std::string& id);

  // For sessions.
  RuleSet& rules() { return *rules_; }
  // Another number after each change of the rules.
  std::uint32_t rules_generation() const { return rules_generation_; }
  // What the next session is likely to share with this one.
  void KeepRules(const std::shared_ptr<const SessionRules>& rules) {
    if (kept_rules_[kept_at_ % kept_rules_.size()] == rules) return;
    kept_rules_[++kept_at_ % kept_rules_.size()] = rules;
  }
  const CommonOffer& common_offer() const { return *offer_; }
  unsigned index() const { return index_; }
  // Asks the setup's lookups; the session hears of it through OnLookup, unless Forget came first.
  // Returns the ticket.
  std::uint64_t Ask(Session& session, Lookup& lookup, LookupQuestion question);
  void Forget(std::uint64_t ticket) { asking_.erase(ticket); }
  World& world() { return world_; }
  Shared& shared() { return shared_; }
  Shard& shard() { return shard_; }
  InFlightPool& records() { return records_; }
  const Setup& setup() const { return *setup_; }
  // For what must not change under it.
  const std::shared_ptr<const Setup>& shared_setup() const { return setup_; }
  // Destroys the session, or a stream of it, at the end of this turn.
  void Retire(Session& session);
  void Bury(std::unique_ptr<Stream> stream);
  // Small writes of one call are put together here; empty between calls.
  std::string& client_gather() { return client_gather_; }
  std::string& backend_gather() { return backend_gather_; }

 private:
  friend class BackendDrain;
  void ForgetDrained(Session& session);
  void Sweep();
  void Rearm();
  void Answered(std::uint64_t ticket, LookupAnswer answer);

  const unsigned index_;
  World& world_;
  Shared& shared_;
  Shard& shard_;
  std::shared_ptr<const Setup> setup_;
  std::shared_ptr<RuleSet> rules_;
  std::uint32_t rules_generation_ = 1;
  std::array<std::shared_ptr<const SessionRules>, 8> kept_rules_;
  std::size_t kept_at_ = 0;
  std::shared_ptr<const CommonOffer> offer_;
  std::unordered_map<std::uint64_t, Session*> asking_;
  std::uint64_t last_ticket_ = 0;
  InFlightPool records_;
  std::string client_gather_;
  std::string backend_gather_;
  std::vector<std::unique_ptr<Session>> sessions_;
  std::vector<std::unique_ptr<Session>> retired_;
  std::vector<std::unique_ptr<Stream>> buried_;
  std::vector<std::unique_ptr<BackendDrain>> drains_;
  bool sweep_due_ = false;
  std::uint64_t serial_ = 0;
  std::size_t rearmed_ = 0;  // sessions below this place know of the newest times and rules
  Deadline rearm_;
};

}  // namespace postern
