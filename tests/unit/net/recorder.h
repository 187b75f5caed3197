// Recorder: an observer that remembers what a stream told it; turns of a loop for tests.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "postern/net/loop.h"
#include "postern/net/stream.h"

namespace postern {

struct Recorder final : Stream::Observer {
  void OnOpen() override {
    ++opened;
    if (on_open) on_open();
  }
  void OnBytes(std::string_view bytes) override {
    received.append(bytes);
    arrivals.push_back(bytes.size());
    if (on_bytes) on_bytes(bytes);
  }
  void OnDrained() override { ++drained; }
  void OnEnd(const Status& why) override {
    ends.push_back(why);
    if (on_end) on_end();
  }
  bool ended_well() const { return ends.size() == 1 && ends[0].ok(); }
  std::string error() const { return ends.empty() ? "no end" : ends.back().message(); }

  int opened = 0;
  int drained = 0;
  std::string received;
  std::vector<std::size_t> arrivals;
  std::vector<Status> ends;
  std::function<void()> on_open;
  std::function<void(std::string_view)> on_bytes;
  std::function<void()> on_end;
};

// What is deferred, and the events that are there already; does not wait for more.
inline void Turn(Loop& loop) {
  loop.AfterTurn([&loop] { loop.Stop(); });
  loop.Run();
}

// Turns without waiting until the condition holds; false when it did not within ten seconds.
inline bool TurnUntil(Loop& loop, const std::function<bool()>& condition) {
  const Instant limit = MonotonicNow() + std::chrono::seconds(10);
  while (!condition()) {
    if (MonotonicNow() > limit) return false;
    Turn(loop);
  }
  return true;
}

// Bytes that show where they belong.
inline std::string Pattern(std::size_t size) {
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>((i * 31 + i / 251) & 0xff);
  return bytes;
}

}  // namespace postern
