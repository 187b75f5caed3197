#include "postern/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace postern {
namespace {

constexpr std::size_t kMaxQueued = 8 * 1024 * 1024;
// A queue that once grew gives its memory back above this.
constexpr std::size_t kKeptCapacity = 256 * 1024;
constexpr std::chrono::seconds kFarewell(1);
// Lines of this time are written together: a busy loop wakes the writer some hundred times a
// second, not once a line.
constexpr std::chrono::milliseconds kGatherTime(5);

// What the callers and the writer thread share. Both own it: a writer that hangs in a write on a
// dead disk must not take the process's end with it, so it may outlive the Log.
struct Queue {
  explicit Queue(int fd, bool owned) : descriptor(fd), closes(owned) {}
  ~Queue() {
    if (closes) close(descriptor);
  }
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;

  const int descriptor;
  const bool closes;
  std::atomic<std::uint64_t> dropped{0};
  // Set before the mutex is taken, so that a writer that waits for a full pipe sees it.
  std::atomic<bool> stopping{false};

  std::mutex mutex;
  std::condition_variable changed;
  std::string lines;      // guarded by mutex
  bool finished = false;  // guarded by mutex; the writer has returned
};

// Non-blocking, so that a FIFO that nobody reads is an error and not a process that never starts.
int OpenFile(const std::string& path) {
  return open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0640);
}

Status OpenError(const std::string& path) {
  return Status::Error(fmt::format("the log {} cannot be opened: {}", path, strerror(errno)));
}

std::uint64_t CountLines(std::string_view text) {
  return static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n'));
}

// Writes all of it, or as much as can be written; the rest is returned.
std::string_view WriteAll(const Queue& queue, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(queue.descriptor, text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN && !queue.stopping.load()) {
      // Somebody made our standard output non-blocking; wait in short steps to notice the end.
      pollfd ready{queue.descriptor, POLLOUT, 0};
      poll(&ready, 1, 100);
    } else if (errno != EINTR) {
      break;
    }
  }
  return text;
}

void RunWriter(const std::shared_ptr<Queue>& queue) {
  std::string batch;
  bool torn = false;  // the last byte in the file is not a newline
  std::unique_lock lock(queue->mutex);
  while (true) {
    queue->changed.wait(lock, [&] { return !queue->lines.empty() || queue->stopping.load(); });
    if (queue->lines.empty()) break;
    queue->changed.wait_for(lock, kGatherTime, [&] { return queue->stopping.load(); });
    batch.clear();
    if (torn) batch += '\n';
    if (batch.empty()) {
      batch.swap(queue->lines);
    } else {
      batch += queue->lines;
      queue->lines.clear();
    }
    lock.unlock();
    const std::string_view rest = WriteAll(*queue, batch);
    queue->dropped.fetch_add(CountLines(rest));
    if (rest.size() < batch.size()) torn = batch[batch.size() - rest.size() - 1] != '\n';
    if (batch.capacity() > kKeptCapacity) std::string().swap(batch);
    lock.lock();
  }
  queue->finished = true;
  queue->changed.notify_all();
}

class FileLog final : public Log {
 public:
  explicit FileLog(std::shared_ptr<Queue> queue) : queue_(std::move(queue)) {
    // Signals belong to the main loop; a SIGPIPE blocked here becomes an EPIPE.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    writer_ = std::thread([queue = queue_] { RunWriter(queue); });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }

  ~FileLog() override {
    queue_->stopping.store(true);
    std::unique_lock lock(queue_->mutex);
    queue_->changed.notify_all();
    const bool finished =
        queue_->changed.wait_for(lock, kFarewell, [this] { return queue_->finished; });
    lock.unlock();
    if (finished) {
      writer_.join();
    } else {
      writer_.detach();
    }
  }

  void Write(LogLine line) override {
    const std::string text = line.Take();
    {
      const std::lock_guard lock(queue_->mutex);
      if (queue_->lines.size() + text.size() <= kMaxQueued) {
        if (queue_->lines.empty()) queue_->changed.notify_one();
        queue_->lines += text;
        return;
      }
    }
    queue_->dropped.fetch_add(1);
  }

  // The new file takes the old one's descriptor, whatever the writer is doing with it.
  Status Reopen(const std::string& path) override {
    if (path == "-") {
      if (queue_->closes) dup3(STDOUT_FILENO, queue_->descriptor, O_CLOEXEC);
      return {};
    }
    const int descriptor = OpenFile(path);
    if (descriptor < 0) return OpenError(path);
    dup2(descriptor, queue_->descriptor);
    close(descriptor);
    return {};
  }

  std::uint64_t dropped() const override { return queue_->dropped.load(); }

 private:
  const std::shared_ptr<Queue> queue_;
  std::thread writer_;
};

}  // namespace

Result<std::unique_ptr<Log>> Log::Open(const std::string& path) {
  int descriptor = STDOUT_FILENO;
  if (path != "-") {
    descriptor = OpenFile(path);
    if (descriptor < 0) return OpenError(path);
  }
  auto queue = std::make_shared<Queue>(descriptor, path != "-");
  return std::unique_ptr<Log>(std::make_unique<FileLog>(std::move(queue)));
}

}  // namespace postern
