// Worker: one event loop with its own listening sockets, TLS contexts, sessions and metrics shard.
// Owned by the server, which starts and ends its thread; everything but the posted calls is for
// that thread.
#pragma once

#include <ctime>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "postern/gateway/keeper.h"
#include "postern/gateway/session_info.h"
#include "postern/net/connector.h"
#include "postern/net/listener.h"
#include "postern/net/loop.h"
#include "postern/net/tls.h"

namespace postern {

// What one worker gets, at the start and at each reload.
struct WorkerSetup {
  struct Opening {
    // Set: listen there from now on, instead of where it listened before.
    std::optional<BoundSocket> socket;
    bool closed = false;              // the listener is gone from the configuration
    std::unique_ptr<TlsContext> tls;  // null: it has no TLS
  };
  std::shared_ptr<const Setup> setup;
  std::shared_ptr<RuleSet> rules;                     // this worker's own; null: as before
  std::vector<Opening> openings;                      // by ListenerId
  std::vector<std::unique_ptr<TlsContext>> pool_tls;  // by PoolId; null: none
};

class Worker final : private World {
 public:
  // index is the worker label.
  static Result<std::unique_ptr<Worker>> Create(unsigned index, Shared& shared,
                                                const ShardSize& size, WorkerSetup setup);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Serves until a drain is over. Blocks; the worker's thread is the one that calls it.
  void Run();
  // Any thread: from the next turn on the worker and its sessions live by this.
  void Adopt(WorkerSetup setup);
  // Any thread: the task runs on the worker's thread, on a later turn.
  void Post(std::function<void(Keeper&)> task);
  // Any thread, for operators (worker_admin.cc): the sessions of this worker, in any order; the end
  // of one of them, false if it is not here; those of a backend (Keeper). done is called on the
  // worker's thread on a later turn, or never when the worker has ended.
  void Describe(std::function<void(std::vector<SessionInfo>)> done);
  void Kick(std::string id, std::function<void(bool)> done);
  void DrainBackend(BackendId id, Duration window);
  void UndrainBackend(BackendId id);
  // Any thread: how scarce memory is from now on.
  void Press(Pressure level);
  // Any thread: stop accepting, end every session at its next boundary, cut what is left after the
  // duration, and let Run return.
  void Drain(Duration patience);

  Shard& shard() { return shard_; }
  // How long the turn under way has kept the worker busy. Any thread.
  Duration busy_for(Instant now) const { return loop_.busy_for(now); }

 private:
  Worker(unsigned index, Shared& shared, const ShardSize& size, const WorkerSetup& setup);
  Status Take(WorkerSetup setup);
  Status Listen(ListenerId id, BoundSocket socket);
  void Accept(ListenerId id, std::unique_ptr<Stream> stream, const Address& client,
              const Address& local);
  void OnTurn(Duration busy);
  struct Walk;
  void DescribeSome(std::shared_ptr<Walk> walk);
  void Admit();
  void BeginDrain(Duration patience);
  void EndDrain();
  void StopWhenEmpty();

  // World.
  Instant now() override { return MonotonicNow(); }
  std::int64_t unix_time() override { return std::time(nullptr); }
  Deadlines& deadlines() override { return loop_.deadlines(); }
  Dialer& dialer() override { return *dialer_; }
  void AfterTurn(std::function<void()> task) override { loop_.AfterTurn(std::move(task)); }
  std::unique_ptr<Stream> SecureClient(ListenerId id, std::unique_ptr<Stream> lower) override;
  std::unique_ptr<Stream> SecureBackend(PoolId pool, std::unique_ptr<Stream> lower,
                                        const std::string& name) override;
  void OnSwept() override;

  const unsigned index_;
  Shared& shared_;
  Loop loop_;
  Shard shard_;
  std::unique_ptr<Dialer> dialer_;
  std::vector<std::unique_ptr<TlsContext>> listener_tls_;
  std::vector<std::unique_ptr<TlsContext>> pool_tls_;
  Keeper keeper_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  bool paused_ = false;
  bool draining_ = false;
  Pressure pressure_ = Pressure::kNone;
  Deadline admit_;
  Deadline flushed_;
  Deadline drain_;
};

}  // namespace postern
