// Listener: one listening TCP socket of one loop (SO_REUSEPORT, so that each worker has its own on
// the same address). Owned by the worker. Knows nothing of TLS or protocols.
#pragma once

#include <functional>
#include <memory>

#include "postern/base/address.h"
#include "postern/base/status.h"
#include "postern/net/loop.h"
#include "postern/net/stream.h"

namespace postern {

// A bound socket that does not listen yet; created on the main thread while the process may still
// bind low ports, then given to a worker. Closes its descriptor when destroyed unused.
class BoundSocket {
 public:
  // Port 0 takes any free port; address() tells which. Errors name the address and what to do.
  static Result<BoundSocket> Bind(const Address& address);
  // A Unix socket that owner and group may use. A file that a process left behind is replaced, one
  // on which somebody listens is an error. Removing the file in the end is the caller's business.
  static Result<BoundSocket> BindUnix(const std::string& path);
  // Ok when nobody listens on the address yet. Sockets of Bind share their port with every other
  // process of this user that does the same, so a second instance would be noticed by nobody; ask
  // before the first Open.
  static Status CheckFree(const Address& address);
  BoundSocket(BoundSocket&& other) noexcept;
  BoundSocket& operator=(BoundSocket&& other) noexcept;
  ~BoundSocket();
  const Address& address() const { return address_; }
  int Release();

 private:
  BoundSocket(int descriptor, Address address) : descriptor_(descriptor), address_(address) {}
  int descriptor_;
  Address address_;
};

class Listener {
 public:
  // local: the address of ours that the client came to.
  using Accept = std::function<void(std::unique_ptr<Stream> stream, const Address& client,
                                    const Address& local)>;
  // Starts accepting at once. accept gets streams that are not started, TCP_NODELAY and keep-alive
  // set.
  static Result<std::unique_ptr<Listener>> Open(Loop& loop, BoundSocket socket, Accept accept);
  virtual ~Listener() = default;
  // Stops taking new connections (they wait in the kernel's queue) and takes them again.
  virtual void Pause() = 0;
  virtual void Resume() = 0;
};

}  // namespace postern
