// Worker: one event loop with its own listening sockets, TLS contexts, sessions and metrics shard.
// Owned by the server, which starts and ends its thread; everything but the posted calls is for
// that thread.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "postern/base/log.h"
#include "postern/engine/engine_context.h"
#include "postern/gateway/backends.h"
#include "postern/net/connector.h"
#include "postern/net/listener.h"
#include "postern/net/loop.h"
#include "postern/net/tls.h"

namespace postern {

class Session;

struct ListenerSetup {
  std::string name;
  Protocol protocol = Protocol::kImap;
  BoundSocket socket;
};

// What all workers share. Outlives them.
struct Shared {
  Backends& backends;
  Log& log;
  std::string server_id;  // begins every session's id, so that ids of two runs differ
  std::shared_ptr<const Plan> plan;
  PoolId routing_pool = 0;
  std::size_t max_sessions = 0;          // of the process
  std::atomic<std::size_t> sessions{0};  // live now, of all workers
};

class Worker {
 public:
  // Reads the certificate once for each protocol. index is the worker label.
  static Result<std::unique_ptr<Worker>> Create(unsigned index, Shared& shared, ShardSize size,
                                                std::vector<ListenerSetup> listeners,
                                                TlsSettings tls);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Serves until a drain is over. Blocks; the worker's thread is the one that calls it.
  void Run();
  // Any thread: stop accepting, end every session at its next boundary, cut what is left after the
  // duration, and let Run return.
  void Drain(Duration patience);

  Shard& shard() { return shard_; }
  // How long the turn under way has kept the worker busy. Any thread.
  Duration busy_for(Instant now) const { return loop_.busy_for(now); }
  std::int64_t certificate_not_after() const;

  // For sessions.
  Loop& loop() { return loop_; }
  Dialer& dialer() { return *dialer_; }
  InFlightPool& records() { return records_; }
  Shared& shared() { return shared_; }
  const std::string& listener_name(ListenerId id) const { return listeners_[id].name; }
  // Destroys the session, or a stream of it, at the end of this turn.
  void Retire(Session& session);
  void Bury(std::unique_ptr<Stream> stream);
  // Small writes of one call are put together here; empty between calls.
  std::string& client_gather() { return client_gather_; }
  std::string& backend_gather() { return backend_gather_; }

 private:
  struct Door {
    std::string name;
    Protocol protocol;
    std::unique_ptr<Listener> listener;
  };

  Worker(unsigned index, Shared& shared, ShardSize size);
  Status Open(std::vector<ListenerSetup> listeners, TlsSettings tls);
  void Accept(ListenerId id, std::unique_ptr<Stream> stream, const Address& client);
  void OnTurn(Duration busy);
  void Admit();
  void BeginDrain(Duration patience);
  void EndDrain();
  void StopWhenEmpty();
  void Sweep();

  unsigned index_;
  Shared& shared_;
  Loop loop_;
  Shard shard_;
  InFlightPool records_;
  std::string client_gather_;
  std::string backend_gather_;
  std::unique_ptr<Dialer> dialer_;
  std::unique_ptr<TlsContext> tls_[kProtocolCount];
  std::vector<Door> listeners_;
  std::vector<std::unique_ptr<Session>> sessions_;
  std::vector<std::unique_ptr<Session>> retired_;
  std::vector<std::unique_ptr<Stream>> buried_;
  bool sweep_due_ = false;
  bool paused_ = false;
  bool draining_ = false;
  std::uint64_t serial_ = 0;
  Deadline admit_;
  Deadline flushed_;
  Deadline drain_;
};

}  // namespace postern
