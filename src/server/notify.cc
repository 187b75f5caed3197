#include "server/notify.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <string>
#include <string_view>

#include "postern/base/text.h"

namespace postern {
namespace {

std::string_view Variable(const char* name) {
  const char* value = getenv(name);
  return value == nullptr ? std::string_view() : value;
}

void Send(std::string_view message) {
  const std::string_view path = Variable("NOTIFY_SOCKET");
  sockaddr_un name{};
  const bool known = !path.empty() && (path.front() == '/' || path.front() == '@');
  // A path needs its NUL; an abstract name has one in front instead.
  if (!known || path.size() >= sizeof name.sun_path) return;
  name.sun_family = AF_UNIX;
  std::copy(path.begin(), path.end(), name.sun_path);
  if (path.front() == '@') name.sun_path[0] = '\0';
  const std::size_t size = offsetof(sockaddr_un, sun_path) + path.size();
  const int descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor < 0) return;
  sendto(descriptor, message.data(), message.size(), MSG_NOSIGNAL,
         reinterpret_cast<const sockaddr*>(&name), static_cast<socklen_t>(size));
  close(descriptor);
}

}  // namespace

void NotifyReady() { Send("READY=1"); }

void NotifyReloading() {
  // steady_clock is CLOCK_MONOTONIC, which systemd compares with its own.
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  Send(fmt::format("RELOADING=1\nMONOTONIC_USEC={}",
                   std::chrono::duration_cast<std::chrono::microseconds>(now).count()));
}

void NotifyStopping() { Send("STOPPING=1"); }

void NotifyAlive() {
  if (ParseNumber(Variable("WATCHDOG_USEC")).value_or(0) == 0) return;
  const std::string_view process = Variable("WATCHDOG_PID");
  if (!process.empty() && process != fmt::to_string(getpid())) return;
  Send("WATCHDOG=1");
}

}  // namespace postern
