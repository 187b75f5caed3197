// POSTERN_CHECK: an error of ours, not of a peer. Ends the process with the place and the
// condition; clients see a cut connection and never a false reply.
#pragma once

namespace postern {

// Writes one line to standard error and aborts. Any thread.
[[noreturn]] void CheckFailed(const char* condition, const char* file, int line);

}  // namespace postern

#define POSTERN_CHECK(condition) \
  ((condition) ? static_cast<void>(0) : ::postern::CheckFailed(#condition, __FILE__, __LINE__))
