#include "server/memory_pressure.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <sstream>

#include "postern/base/text.h"

namespace postern {
namespace {

constexpr int kHysteresis = 5;
// The limit hardly ever changes.
constexpr unsigned kLooksPerLimit = 16;
// Version 1 writes "no limit" as a number near the largest; nobody has so much.
constexpr std::uint64_t kNoLimit = std::uint64_t{1} << 60;
// Where each level begins, in percent of the limit.
constexpr std::array<int, 4> kBegins{0, 80, 90, 95};

std::optional<std::uint64_t> ReadNumber(const std::string& file) {
  std::string word;
  std::ifstream(file) >> word;  // "max" is no number: no limit
  return ParseNumber(word);
}

std::uint64_t ReadRow(const std::string& file, const std::string& name) {
  std::ifstream rows(file);
  std::string word;
  std::uint64_t value = 0;
  while (rows >> word >> value) {
    if (word == name) return value;
  }
  return 0;
}

bool Exists(const std::string& file) { return std::ifstream(file).good(); }

}  // namespace

MemoryPressure::MemoryPressure(const std::string& root) : files_(Find(root)) {}

// Rows of /proc/self/cgroup: "0::/group" (2) and "4:memory:/group" (1).
std::optional<MemoryPressure::Files> MemoryPressure::Find(const std::string& root) {
  std::ifstream groups(root + "/proc/self/cgroup");
  const std::string mounted = root + "/sys/fs/cgroup";
  for (std::string row; std::getline(groups, row);) {
    const std::size_t first = row.find(':');
    const std::size_t second = row.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = row.substr(first + 1, second - first - 1);
    const std::string group = row.substr(second + 1);
    const bool version2 = row.starts_with("0::");
    if (!version2 && controllers != "memory") continue;
    // Inside a container the group may be mounted as the root.
    for (const std::string& path : {group, std::string("/")}) {
      const std::string folder = mounted + (version2 ? path : "/memory" + path) + "/memory.";
      if (version2 && Exists(folder + "max")) {
        return Files{folder + "current", folder + "max", folder + "stat", "inactive_file"};
      }
      if (!version2 && Exists(folder + "limit_in_bytes")) {
        return Files{folder + "usage_in_bytes", folder + "limit_in_bytes", folder + "stat",
                     "total_inactive_file"};
      }
    }
  }
  return {};
}

Pressure MemoryPressure::Look() {
  if (!files_) return level_;
  if (looks_++ % kLooksPerLimit == 0) limit_ = ReadNumber(files_->limit).value_or(0);
  if (limit_ == 0 || limit_ >= kNoLimit) {
    level_ = Pressure::kNone;
    return level_;
  }
  const std::uint64_t all = ReadNumber(files_->used).value_or(0);
  const std::uint64_t hundredth = limit_ / 100 + 1;
  // Far from any level the rest need not be read.
  const bool near = all >= hundredth * static_cast<std::uint64_t>(kBegins[1] - kHysteresis);
  const std::uint64_t back = near ? ReadRow(files_->stat, files_->reclaimable) : 0;
  percent_ = static_cast<int>((all - std::min(all, back)) / hundredth);
  std::size_t level = kBegins.size() - 1;
  while (level > 0) {
    const bool held = level <= static_cast<std::size_t>(level_);
    if (percent_ >= kBegins[level] - (held ? kHysteresis : 0)) break;
    --level;
  }
  level_ = static_cast<Pressure>(level);
  return level_;
}

}  // namespace postern
