#include "net/tls_signer.h"

#include <pthread.h>
#include <sched.h>

#include <csignal>
#include <optional>
#include <utility>

#include "postern/base/check.h"

namespace postern {
namespace {

using namespace std::chrono_literals;

// The thread gets what the loops leave of the processors. A signature that has waited this long was
// left nothing: whoever asks next makes it.
constexpr Duration kLate = 50ms;

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

void LoopReturn::Post(std::function<void()> task) {
  const std::lock_guard<std::mutex> guard(lock_);
  if (loop_ != nullptr) loop_->Post(std::move(task));
}

void LoopReturn::Close() {
  const std::lock_guard<std::mutex> guard(lock_);
  loop_ = nullptr;
}

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

  static void Make(const std::shared_ptr<Job>& job);
};

void TlsSignature::Job::Make(const std::shared_ptr<Job>& job) {
  if (job->forgotten) return;
  std::optional<std::string> signature = Sign(job->key.get(), job->scheme, job->message);
  ERR_clear_error();
  if (signature) job->signature = std::move(*signature);
  job->state = signature ? State::kDone : State::kFailed;
  job->loop->Post([job] {
    if (job->owner != nullptr) job->made(job->owner);
  });
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
  job->loop = std::move(loop);
  job->owner = owner;
  signature.Forget();
  signature.job_ = job;
  std::shared_ptr<Job> late;
  {
    const std::lock_guard<std::mutex> guard(lock_);
    waiting_.push_back(job);
    late = TakeLate(job->asked);
    if (!thread_.joinable()) thread_ = std::thread([this] { Run(); });
  }
  wakeup_.notify_one();
  if (late != nullptr) Job::Make(late);
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
