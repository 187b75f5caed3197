#include "server/process.h"

#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace postern {
namespace {

constexpr std::size_t kReserve = 256;
// More descriptors than any one process makes use of; some systems report no limit at all.
constexpr rlim_t kEnough = 4 * 1024 * 1024;

}  // namespace

std::size_t RaiseDescriptorLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
  limit.rlim_cur = std::min(limit.rlim_max, kEnough);
  setrlimit(RLIMIT_NOFILE, &limit);
  getrlimit(RLIMIT_NOFILE, &limit);
  return static_cast<std::size_t>(limit.rlim_cur);
}

std::size_t SessionsFor(std::size_t descriptors) {
  return descriptors > 2 * kReserve ? (descriptors - kReserve) / 2
                                    : std::max<std::size_t>(descriptors / 4, 1);
}

void ForbidCoreDumps() {
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

Status BecomeUser(const std::string& user) {
  if (user.empty() || user == "root" || geteuid() != 0) return {};
  const passwd* entry = getpwnam(user.c_str());
  if (entry == nullptr) {
    return Status::Error("gateway.user: there is no user " + user + "; create it or name another");
  }
  if (initgroups(user.c_str(), entry->pw_gid) != 0 || setgid(entry->pw_gid) != 0 ||
      setuid(entry->pw_uid) != 0) {
    return Status::Error("gateway.user: cannot become " + user + ": " + std::strerror(errno));
  }
  return {};
}

}  // namespace postern
