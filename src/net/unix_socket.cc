// BoundSocket::BindUnix. Accepted streams are the same as TCP's: above the descriptor nothing
// differs.
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "postern/net/listener.h"

namespace postern {
namespace {

constexpr mode_t kOwnerAndGroup = 0660;

Status UnixError(const std::string& path, const std::string& reason) {
  return Status::Error("cannot listen on unix:" + path + ": " + reason);
}

const sockaddr* AsSockaddr(const sockaddr_un& name) {
  return reinterpret_cast<const sockaddr*>(&name);
}

int OpenSocket() { return socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0); }

// Whether the file is a socket that nobody listens on any more.
bool IsLeftBehind(const sockaddr_un& name) {
  struct stat facts {};
  if (lstat(name.sun_path, &facts) != 0 || !S_ISSOCK(facts.st_mode)) return false;
  const int probe = OpenSocket();
  if (probe < 0) return false;
  const bool refused = connect(probe, AsSockaddr(name), sizeof name) != 0 && errno == ECONNREFUSED;
  close(probe);
  return refused;
}

}  // namespace

Result<BoundSocket> BoundSocket::BindUnix(const std::string& path) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  if (path.size() >= sizeof name.sun_path) {
    return UnixError(path, "the path is too long; the system allows " +
                               std::to_string(sizeof name.sun_path - 1) + " bytes");
  }
  path.copy(name.sun_path, path.size());
  if (IsLeftBehind(name)) unlink(name.sun_path);
  const int descriptor = OpenSocket();
  if (descriptor < 0) return UnixError(path, std::strerror(errno));
  BoundSocket bound(descriptor, Address());
  // No one can connect before it listens, so there is no moment at which the mode is wrong.
  if (bind(descriptor, AsSockaddr(name), sizeof name) != 0 ||
      chmod(name.sun_path, kOwnerAndGroup) != 0) {
    const int error = errno;
    std::string reason = std::strerror(error);
    if (error == EADDRINUSE) reason += "; another process listens there or the file is no socket";
    if (error == ENOENT) reason += "; make its folder first";
    return UnixError(path, reason);
  }
  return bound;
}

}  // namespace postern
