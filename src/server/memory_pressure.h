// MemoryPressure: how near the process is to the memory limit of its control group (cgroup 2 or 1),
// and what that asks of the workers (SECURITY R-18). Owned by the server; main thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "postern/gateway/worker.h"

namespace postern {

class MemoryPressure {
 public:
  // Finds the group's files below the root of the file system; another root is for tests. Without a
  // limit there never is pressure.
  explicit MemoryPressure(const std::string& root = "");
  // Reads them again. A level is left only when use has fallen 5 % below where it begins, so that
  // it does not flutter.
  Pressure Look();
  // Of the limit, at the last look, in percent; exact from 75 on.
  int percent() const { return percent_; }

 private:
  struct Files {
    std::string used;
    std::string limit;
    std::string stat;
    std::string reclaimable;  // the row of stat that the kernel takes back by itself
  };
  static std::optional<Files> Find(const std::string& root);

  std::optional<Files> files_;
  Pressure level_ = Pressure::kNone;
  int percent_ = 0;
  std::uint64_t limit_ = 0;  // 0: none
  unsigned looks_ = 0;
};

}  // namespace postern
