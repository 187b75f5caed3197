// The log: JSON lines, one event a line, written by one thread of its own so that no loop ever
// waits for a disk or a pipe. When the writer falls behind, lines are dropped and counted. Owned by
// the server; Write may be called from any thread. Knows nothing of sessions; never given a secret.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "postern/base/status.h"

namespace postern {

// Builds one line: {"time":"2026-01-31T12:00:00.000Z","event":"...",...}. A value, one thread.
class LogLine {
 public:
  explicit LogLine(std::string_view event);
  // Any bytes; quoted and cut at 512 (JsonQuote). Keys are ours: plain ASCII names.
  LogLine& Text(std::string_view key, std::string_view value);
  LogLine& Number(std::string_view key, std::int64_t value);
  // Seconds with microseconds.
  LogLine& Seconds(std::string_view key, double value);
  LogLine& Flag(std::string_view key, bool value);
  // A value that already is JSON.
  LogLine& Json(std::string_view key, std::string_view json);
  // The finished line with its newline; the object is used up.
  std::string Take();

 private:
  std::string line_;
};

class Log {
 public:
  // path "-" is standard output. The error names the path and the reason.
  static Result<std::unique_ptr<Log>> Open(const std::string& path);
  // Writes what is queued, for at most a second.
  virtual ~Log() = default;
  // Queues the line (bounded, 8 MiB) or drops and counts it. Never blocks.
  virtual void Write(LogLine line) = 0;
  // From now on lines go to this path, opened anew (a rotated file is left to its new name). On an
  // error everything stays as it was. Any thread.
  virtual Status Reopen(const std::string& path) = 0;
  virtual std::uint64_t dropped() const = 0;
};

}  // namespace postern
