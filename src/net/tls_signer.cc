#include "net/tls_signer.h"

#include <pthread.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <csignal>
#include <optional>
#include <system_error>
#include <utility>

#include "net/loop_inner.h"
#include "postern/base/check.h"

namespace postern {
namespace {

using namespace std::chrono_literals;

// The thread gets what the loops leave of the processors. A signature that has waited this long was
// left nothing: whoever asks next makes it, or the loop that waits, one at a time.
constexpr Duration kLate = 50ms;
constexpr Duration kHelpAgain = 10ms;

std::optional<std::string> Sign(EVP_PKEY* key, std::uint16_t scheme, const std::string& message) {
  bssl::ScopedEVP_MD_CTX context;
  EVP_PKEY_CTX* parameters = nullptr;
  const EVP_MD* digest = SSL_get_signature_algorithm_digest(scheme);
  if (EVP_DigestSignInit(context.get(), &parameters, digest, nullptr, key) != 1) return {};
  // RFC 8446 §4.2.3: the salt is as long as the digest.
  if (SSL_is_signature_algorithm_rsa_pss(scheme) == 1 &&
      (EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) != 1 ||
       EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, -1) != 1)) {
    return {};
  }
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(message.data());
  std::string signature(static_cast<std::size_t>(EVP_PKEY_size(key)), '\0');
  std::size_t size = signature.size();
  if (EVP_DigestSign(context.get(), reinterpret_cast<std::uint8_t*>(signature.data()), &size, bytes,
                     message.size()) != 1) {
    return {};
  }
  signature.resize(size);
  return signature;
}

// Below everybody else: a loop with something to do must not wait for a signature to be finished.
// Where that is not allowed the thread is one like the others.
void BecomeModest() {
  const sched_param none{};
  pthread_setschedparam(pthread_self(), SCHED_IDLE, &none);
  pthread_setname_np(pthread_self(), "tls-signer");
}

}  // namespace

// Between the asking thread and the one that signs. Without a lock: the asking thread must never
// wait for the other, which may be stopped anywhere while there is something more urgent.
struct TlsSignature::Job {
  bssl::UniquePtr<EVP_PKEY> key;
  std::uint16_t scheme = 0;
  std::string message;
  Instant asked{};
  std::shared_ptr<LoopReturn> loop;
  Made made = nullptr;
  void* owner = nullptr;  // of the asking thread only; null: forgotten

  std::atomic<bool> forgotten{false};
  std::atomic<State> state{State::kWaiting};
  std::string signature;  // written before the state
  // On the way back: what keeps it, and the one that was done before it.
  std::shared_ptr<Job> itself;
  Job* before = nullptr;
  std::shared_ptr<Job> next;  // once they are taken: the one that was done behind it

  static void Make(const std::shared_ptr<Job>& job);
};

void TlsSignature::Job::Make(const std::shared_ptr<Job>& job) {
  if (job->forgotten) return;
  std::optional<std::string> signature = Sign(job->key.get(), job->scheme, job->message);
  ERR_clear_error();
  if (signature) job->signature = std::move(*signature);
  job->state = signature ? State::kDone : State::kFailed;
  // What is on its way does not keep the way.
  const std::shared_ptr<LoopReturn> loop = std::move(job->loop);
  loop->Give(job);
}

struct LoopReturn::Watch {
  uv_poll_t handle;
};

LoopReturn::LoopReturn(Loop& loop)
    : deadlines_(loop.deadlines()),
      event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      watch_(new Watch) {
  POSTERN_CHECK(event_ >= 0);
  POSTERN_CHECK(uv_poll_init(&loop.inner().uv, &watch_->handle, event_) == 0);
  watch_->handle.data = this;
  uv_poll_start(&watch_->handle, UV_READABLE, [](uv_poll_t* handle, int, int) noexcept {
    Loop::Inner::Of(handle->loop).EnterCallback();
    static_cast<LoopReturn*>(handle->data)->Tell();
  });
}

LoopReturn::~LoopReturn() {
  POSTERN_CHECK(watch_ == nullptr);
  TakeAll();
  close(event_);
}

void LoopReturn::Close() {
  if (watch_ == nullptr) return;
  watch_->handle.data = watch_;
  uv_close(reinterpret_cast<uv_handle_t*>(&watch_->handle),
           [](uv_handle_t* handle) noexcept { delete static_cast<Watch*>(handle->data); });
  watch_ = nullptr;
}

void LoopReturn::Give(std::shared_ptr<Job> done) {
  Job* job = done.get();
  Job* before = done_.load(std::memory_order_relaxed);
  job->itself = std::move(done);
  do {
    job->before = before;
  } while (!done_.compare_exchange_weak(before, job, std::memory_order_release,
                                        std::memory_order_relaxed));
  const std::uint64_t one = 1;
  // Fails only where the descriptor says so already.
  if (write(event_, &one, sizeof one) < 0) return;
}

std::shared_ptr<TlsSignature::Job> LoopReturn::TakeAll() {
  std::shared_ptr<Job> first;
  for (Job* job = done_.exchange(nullptr, std::memory_order_acquire); job != nullptr;) {
    Job* before = job->before;
    job->next = std::move(first);
    first = std::move(job->itself);
    job = before;
  }
  return first;
}

void LoopReturn::Tell() {
  std::uint64_t times = 0;
  if (read(event_, &times, sizeof times) < 0) return;
  for (std::shared_ptr<Job> job = TakeAll(); job != nullptr;) {
    std::shared_ptr<Job> next = std::move(job->next);
    if (job->owner != nullptr) job->made(job->owner);
    job = std::move(next);
  }
}

TlsSignature::State TlsSignature::state() const {
  return job_ == nullptr ? State::kNone : job_->state.load();
}

std::string TlsSignature::Take() {
  POSTERN_CHECK(state() == State::kDone);
  std::string signature = std::move(job_->signature);
  Forget();
  return signature;
}

void TlsSignature::Forget() {
  if (job_ == nullptr) return;
  job_->owner = nullptr;
  job_->forgotten = true;
  job_.reset();
  late_.reset();
  loop_.reset();
}

void TlsSignature::OnLate() {
  if (state() != State::kWaiting) return;
  const Instant now = MonotonicNow();
  std::shared_ptr<Job> late;
  if (now - loop_->helped_at_ >= kHelpAgain) {
    const std::lock_guard<std::mutex> guard(signer_->lock_);
    if (!signer_->waiting_.empty()) late = signer_->TakeLate(now);
  }
  late_->Arm(now + kHelpAgain);
  if (late == nullptr) return;
  Job::Make(late);
  loop_->helped_at_ = MonotonicNow();
}

std::shared_ptr<TlsSigner> TlsSigner::Get() {
  static std::mutex lock;
  static std::weak_ptr<TlsSigner> current;
  const std::lock_guard<std::mutex> guard(lock);
  std::shared_ptr<TlsSigner> signer = current.lock();
  if (signer == nullptr) current = signer = std::make_shared<TlsSigner>();
  return signer;
}

TlsSigner::~TlsSigner() {
  {
    const std::lock_guard<std::mutex> guard(lock_);
    ending_ = true;
  }
  wakeup_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void TlsSigner::Ask(TlsSignature& signature, EVP_PKEY* key, std::uint16_t scheme,
                    std::string_view message, std::shared_ptr<LoopReturn> loop,
                    TlsSignature::Made made, void* owner) {
  const auto job = std::make_shared<Job>();
  job->key = bssl::UpRef(key);
  job->scheme = scheme;
  job->message = message;
  job->asked = MonotonicNow();
  job->made = made;
  job->loop = loop;
  job->owner = owner;
  signature.Forget();
  signature.job_ = job;
  signature.signer_ = this;
  signature.loop_ = std::move(loop);
  signature.late_ = std::make_unique<Deadline>(
      signature.loop_->deadlines_, [](void* self) { static_cast<TlsSignature*>(self)->OnLate(); },
      &signature);
  signature.late_->Arm(job->asked + kLate);
  std::shared_ptr<Job> late;
  {
    const std::lock_guard<std::mutex> guard(lock_);
    waiting_.push_back(job);
    late = TakeLate(job->asked);
    if (with_thread_ && !thread_.joinable()) StartThread();
  }
  wakeup_.notify_one();
  if (late != nullptr) Job::Make(late);
}

// Where no thread is to be had, the loops make what waits too long, and handshakes are merely slow.
void TlsSigner::StartThread() {
  try {
    thread_ = std::thread([this] { Run(); });
  } catch (const std::system_error&) {
  }
}

// The one that waits longest, if that is too long.
std::shared_ptr<TlsSigner::Job> TlsSigner::TakeLate(Instant now) {
  if (now - waiting_.front()->asked < kLate) return nullptr;
  std::shared_ptr<Job> late = std::move(waiting_.front());
  waiting_.pop_front();
  return late;
}

void TlsSigner::Run() {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, nullptr);
  BecomeModest();
  std::unique_lock<std::mutex> guard(lock_);
  while (true) {
    wakeup_.wait(guard, [this] { return ending_ || !waiting_.empty(); });
    if (ending_) return;
    const std::shared_ptr<Job> job = std::move(waiting_.front());
    waiting_.pop_front();
    guard.unlock();
    Job::Make(job);
    guard.lock();
  }
}

}  // namespace postern
