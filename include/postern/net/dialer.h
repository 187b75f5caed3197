// Dialer: opens a stream towards a backend; the result comes later. Owned by the worker, used on
// its loop's thread. Knows no timeouts: the caller drops the attempt when it has waited long
// enough.
#pragma once

#include <memory>

#include "postern/base/address.h"
#include "postern/base/status.h"
#include "postern/net/stream.h"

namespace postern {

class Dialer {
 public:
  class Observer {
   public:
    virtual ~Observer() = default;
    // A connected stream that is not started yet, or why there is none. Once per attempt, on a
    // later turn than Dial; the attempt may be destroyed from inside.
    virtual void OnDialed(Result<std::unique_ptr<Stream>> result) = 0;
  };
  // A connect under way. Destroying it cancels: OnDialed is then never called.
  class Attempt {
   public:
    virtual ~Attempt() = default;
  };

  virtual ~Dialer() = default;
  // The observer must outlive the attempt.
  virtual std::unique_ptr<Attempt> Dial(const Address& address, Observer& observer) = 0;
};

}  // namespace postern
