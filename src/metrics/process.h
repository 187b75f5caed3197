// What the kernel says about this process, for the process_* metrics. Reads /proc; any thread;
// blocks for as long as that takes, so never on a worker's loop.
#pragma once

namespace postern {

struct ProcessState {
  double cpu_seconds = 0;
  double start_time_seconds = 0;  // since 1970
  double virtual_memory_bytes = 0;
  double resident_memory_bytes = 0;
  double open_fds = 0;
  double max_fds = 0;
};

// Figures that cannot be read stay zero.
ProcessState ReadProcessState();

}  // namespace postern
