#include "server/notify.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <cstring>
#include <string>

namespace postern {
namespace {

// A manager that listens, and the environment that says so, until the end of the test.
class Manager {
 public:
  explicit Manager(const std::string& name) : name_(name) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    REQUIRE(name.size() < sizeof address.sun_path);
    std::memcpy(address.sun_path, name.data(), name.size());
    if (name[0] == '@') address.sun_path[0] = '\0';
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    REQUIRE(socket_ >= 0);
    REQUIRE(bind(socket_, reinterpret_cast<const sockaddr*>(&address), size) == 0);
    setenv("NOTIFY_SOCKET", name.c_str(), 1);
  }
  ~Manager() {
    close(socket_);
    if (name_[0] == '/') unlink(name_.c_str());
    for (const char* variable : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) {
      unsetenv(variable);
    }
  }
  // The next datagram; "nothing" if there is none. It was sent before this returns, so no waiting.
  std::string Heard() {
    char bytes[256];
    const ssize_t size = recv(socket_, bytes, sizeof bytes, MSG_DONTWAIT);
    return size < 0 ? "nothing" : std::string(bytes, static_cast<std::size_t>(size));
  }

 private:
  const std::string name_;
  const int socket_ = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
};

std::string Unique(const std::string& front) {
  return front + "postern-notify-" + std::to_string(getpid());
}

TEST_CASE("The service manager hears of start and stop over a path and an abstract name") {
  for (const std::string& name : {Unique("/tmp/"), Unique("@")}) {
    CAPTURE(name);
    Manager manager(name);
    NotifyReady();
    CHECK(manager.Heard() == "READY=1");
    NotifyStopping();
    CHECK(manager.Heard() == "STOPPING=1");
    CHECK(manager.Heard() == "nothing");
  }
}

TEST_CASE("A reload is told with the time at which it begins") {
  Manager manager(Unique("@"));
  const auto microseconds = [] {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<long long>(now.tv_sec) * 1'000'000 + now.tv_nsec / 1000;
  };
  const auto before = microseconds();
  NotifyReloading();
  const auto after = microseconds();
  const std::string heard = manager.Heard();
  const std::string front = "RELOADING=1\nMONOTONIC_USEC=";
  REQUIRE(heard.rfind(front, 0) == 0);
  const long long told = std::stoll(heard.substr(front.size()));
  CHECK(told >= before);
  CHECK(told <= after);
}

TEST_CASE("Only a watchdog that is there hears that the service is alive") {
  Manager manager(Unique("@"));
  NotifyAlive();
  CHECK(manager.Heard() == "nothing");
  setenv("WATCHDOG_USEC", "10000000", 1);
  NotifyAlive();
  CHECK(manager.Heard() == "WATCHDOG=1");
  setenv("WATCHDOG_PID", std::to_string(getpid()).c_str(), 1);
  NotifyAlive();
  CHECK(manager.Heard() == "WATCHDOG=1");
  setenv("WATCHDOG_PID", "1", 1);
  NotifyAlive();
  CHECK(manager.Heard() == "nothing");
}

TEST_CASE("Without a manager nothing happens") {
  NotifyReady();
  for (const std::string& name : {std::string("relative"), std::string("/nonexistent/notify"),
                                  std::string("vsock:2:1"), "/" + std::string(200, 'x')}) {
    setenv("NOTIFY_SOCKET", name.c_str(), 1);
    NotifyReady();
    NotifyReloading();
  }
  unsetenv("NOTIFY_SOCKET");
}

}  // namespace
}  // namespace postern
