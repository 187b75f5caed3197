// Fleet: all workers, and what they run by. Makes setups of configurations and hands them out
// whole, at the start and at every reload: whatever can fail is done before a worker hears of it.
// Owned by the server; main thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "postern/base/log.h"
#include "postern/gateway/worker.h"
#include "postern/net/ticket_keys.h"
#include "postern/server/config.h"
#include "server/roster.h"

namespace postern {

class Fleet {
 public:
  Fleet(const Config& config, Log& log);
  ~Fleet();
  Fleet(const Fleet&) = delete;
  Fleet& operator=(const Fleet&) = delete;

  // Binds and listens; sessions begin when Start is called.
  Status Open(const Config& config);
  // Replaces what the workers run by. On an error nothing has changed.
  Status Apply(const Config& config);
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
  bool backend_up(BackendId id) const { return health_.up(id); }
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
  };

  Status Make(const Config& config, std::size_t workers, Draft& draft);
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
  std::vector<std::thread> threads_;
};

}  // namespace postern
