// Fleet: all workers, and what they run by. Makes setups of configurations and hands them out
// whole, at the start and at every reload: whatever can fail is done before a worker hears of it.
// Owned by the server; main thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "postern/base/log.h"
#include "postern/gateway/worker.h"
#include "postern/net/ticket_keys.h"
#include "postern/server/config.h"
#include "server/compile.h"
#include "server/roster.h"

namespace postern {

class Fleet {
 public:
  Fleet(const Config& config, Log& log);
  ~Fleet();
  Fleet(const Fleet&) = delete;
  Fleet& operator=(const Fleet&) = delete;

  // What is to be compiled of this configuration. Its new names have ids from here on.
  Result<CompileOrder> Prepare(const Config& config);
  // Binds and listens; sessions begin when Start is called.
  Status Open(const Config& config, Compiled compiled);
  // Replaces what the workers run by; without anything compiled, rules, lookups and master accounts
  // stay as they are. On an error nothing has changed.
  Status Apply(const Config& config, std::optional<Compiled> compiled);
  // Tells the workers what the backends have in common.
  void AdoptOffer(CommonOffer offer);
  // Runs the workers on threads of their own; ended is called on such a thread when its worker's
  // drain is over.
  void Start(std::function<void()> ended);
  // Every now and then: ticket keys that are over are wiped although nobody asks for one.
  void ExpireTicketKeys() { ticket_keys_->Current({}); }
  void Drain(Duration patience);
  void Join();

  std::size_t size() const { return workers_.size(); }
  Worker& worker(std::size_t index) { return *workers_[index]; }
  std::size_t max_sessions() const { return shared_.max_sessions.load(); }
  BackendHealth& health() { return health_; }
  const Setup& setup() const { return *setup_; }
  const Roster& roster() const { return roster_; }
  const Shard& lookup_shard() const { return lookup_thread_.shard(); }
  // Octets of the compiled rules of all workers.
  std::size_t rules_memory() const { return rules_memory_; }
  // With the certificates of the configuration that was applied last.
  MetricNames names() const;
  const CertificateSet& certificates() const { return *certificates_; }
  // Where a listener of that name listens.
  const Address& bound(const std::string& listener) const;

 private:
  struct Bound {
    Address wanted;  // as configured; its port may be 0
    Address actual;
    bool open = false;
  };
  // What is made of a configuration before anybody hears of it.
  struct Draft {
    std::shared_ptr<const CertificateSet> certificates;
    std::shared_ptr<TicketKeys> ticket_keys;
    std::shared_ptr<const Setup> setup;
    std::vector<Bound> bound;
    std::vector<WorkerSetup> workers;
    std::size_t rules_memory = 0;
  };

  Status Make(const Config& config, std::optional<Compiled> compiled, Draft& draft);
  Status MakeKeys(const Config& config, Draft& draft);
  Status BindListeners(const Config& config, Draft& draft);
  Status MakeContexts(const Config& config, Draft& draft, WorkerSetup& worker) const;
  void Commit(const Config& config, Draft& draft);
  bool AlreadyOurs(const Address& address) const;

  Log& log_;
  Roster roster_;
  BackendHealth health_;
  Shared shared_;
  const std::size_t possible_sessions_;
  std::shared_ptr<const CertificateSet> certificates_;
  std::shared_ptr<TicketKeys> ticket_keys_;
  std::string ticket_keys_file_;
  std::shared_ptr<const Setup> setup_;
  std::vector<Bound> bound_;  // by ListenerId
  std::vector<std::string> certificate_names_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::size_t rules_memory_ = 0;
  LookupThread lookup_thread_;  // answers to the workers
  std::vector<std::thread> threads_;
};

}  // namespace postern
