// TlsSigner: signatures of RSA keys, made on a thread of their own. One takes longer than a
// thousand relayed commands, and would hold up the loop of whoever asked for it. One thread for the
// process, begun when the first is asked for, kept by the certificates that need it; any thread may
// ask. Knows nothing of TLS but the names of its signature schemes.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "net/boringssl.h"
#include "postern/base/clock.h"
#include "postern/net/deadlines.h"
#include "postern/net/loop.h"

namespace postern {

class LoopReturn;
class TlsSigner;

// A signature that was asked for. Belongs to the asking thread; when it is destroyed before the
// signature is there, nobody is told of it. The signer must outlive it.
class TlsSignature {
 public:
  using Made = void (*)(void* owner);

  TlsSignature() = default;
  ~TlsSignature() { Forget(); }
  TlsSignature(const TlsSignature&) = delete;
  TlsSignature& operator=(const TlsSignature&) = delete;

  enum class State : std::uint8_t { kNone, kWaiting, kFailed, kDone };
  State state() const;
  // Once, when it is done; empties this.
  std::string Take();
  void Forget();

 private:
  friend class TlsSigner;
  friend class LoopReturn;
  struct Job;
  void OnLate();

  std::shared_ptr<Job> job_;
  TlsSigner* signer_ = nullptr;
  std::shared_ptr<LoopReturn> loop_;
  std::unique_ptr<Deadline> late_;
};

// The way back to a loop, which may be gone when a signature is done. Shared by the loop and the
// signatures that were asked for on it. A list without a lock and a descriptor of its own: libuv's
// way (uv_async_send) makes the loop spin while the other thread is stopped in the middle of it,
// which is where a thread of low priority is stopped, for it wakes the loop there.
class LoopReturn {
 public:
  explicit LoopReturn(Loop& loop);
  ~LoopReturn();
  LoopReturn(const LoopReturn&) = delete;
  LoopReturn& operator=(const LoopReturn&) = delete;
  // Before the loop goes, on its thread: nobody is told any more.
  void Close();

 private:
  friend class TlsSignature;
  friend class TlsSigner;
  using Job = TlsSignature::Job;
  struct Watch;
  // Any thread; once it is closed nothing comes of it.
  void Give(std::shared_ptr<Job> done);
  std::shared_ptr<Job> TakeAll();  // the first that was done, linked to the others
  void Tell();

  Deadlines& deadlines_;  // of the loop; for its thread
  Instant helped_at_{};   // when the loop last made a signature itself
  const int event_;
  Watch* watch_;                     // on the loop; null once it is closed
  std::atomic<Job*> done_{nullptr};  // the last first
};

class TlsSigner {
 public:
  // The process's own; null once all that held it are gone, and made again then.
  static std::shared_ptr<TlsSigner> Get();
  // Without a thread: as if nothing were ever left for it, for tests.
  explicit TlsSigner(bool with_thread = true) : with_thread_(with_thread) {}
  ~TlsSigner();
  TlsSigner(const TlsSigner&) = delete;
  TlsSigner& operator=(const TlsSigner&) = delete;

  // Signs a copy of the message, then calls made(owner) on the loop's thread on a later turn,
  // unless the signature was forgotten before.
  void Ask(TlsSignature& signature, EVP_PKEY* key, std::uint16_t scheme, std::string_view message,
           std::shared_ptr<LoopReturn> loop, TlsSignature::Made made, void* owner);

 private:
  friend class TlsSignature;
  using Job = TlsSignature::Job;
  void Run();
  void StartThread();
  std::shared_ptr<Job> TakeLate(Instant now);

  const bool with_thread_;

  std::mutex lock_;
  std::condition_variable wakeup_;
  std::deque<std::shared_ptr<Job>> waiting_;
  std::thread thread_;
  bool ending_ = false;
};

}  // namespace postern
