#include "metrics/process.h"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

namespace postern {
namespace {

// The fields of /proc/self/stat from the third on, behind the name in parentheses (proc(5)).
std::istringstream StatFields() {
  std::ifstream file("/proc/self/stat");
  std::string line;
  std::getline(file, line);
  const std::size_t name_end = line.rfind(')');
  return std::istringstream(name_end == std::string::npos ? "" : line.substr(name_end + 1));
}

// When the machine was started, seconds since 1970.
double BootTime() {
  std::ifstream file("/proc/stat");
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("btime ", 0) == 0) return std::strtod(line.c_str() + 6, nullptr);
  }
  return 0;
}

double OpenDescriptors() {
  std::error_code failed;
  const std::filesystem::directory_iterator entries("/proc/self/fd", failed);
  if (failed) return 0;
  // One of them is the folder being listed.
  return static_cast<double>(std::distance(begin(entries), end(entries)) - 1);
}

}  // namespace

ProcessState ReadProcessState() {
  ProcessState state;
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  std::istringstream fields = StatFields();
  std::string field;
  for (int number = 3; fields >> field; ++number) {
    const double value = std::strtod(field.c_str(), nullptr);
    if (number == 14 || number == 15) state.cpu_seconds += value / ticks;
    if (number == 22) state.start_time_seconds = BootTime() + value / ticks;
    if (number == 23) state.virtual_memory_bytes = value;
    if (number == 24) {
      state.resident_memory_bytes = value * static_cast<double>(sysconf(_SC_PAGESIZE));
    }
  }
  state.open_fds = OpenDescriptors();
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) state.max_fds = static_cast<double>(limit.rlim_cur);
  return state;
}

}  // namespace postern
