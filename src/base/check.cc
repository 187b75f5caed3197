#include "postern/base/check.h"

#include <cstdio>
#include <cstdlib>

namespace postern {

void CheckFailed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "postern: internal error at %s:%d: %s\n", file, line, condition);
  std::abort();
}

}  // namespace postern
