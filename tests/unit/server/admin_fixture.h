// A running admin listener and a blocking client, for the tests of what it answers.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "postern/base/address.h"
#include "postern/server/admin.h"

namespace postern::testing {

// An admin listener on a loop of its own thread.
class RunningAdmin {
 public:
  // Without an API, or with this one, whose functions are called on the loop's thread.
  explicit RunningAdmin(const std::string& address = "127.0.0.1:0", AdminApi api = {}) {
    AdminContent content;
    content.api = std::move(api);
    content.metrics = [this] { return metrics; };
    content.not_ready = [this] { return not_ready; };
    auto admin = Admin::Open(loop_, address, std::move(content));
    REQUIRE(admin.ok());
    admin_ = std::move(admin.value());
    thread_ = std::thread([this] { loop_.Run(); });
  }
  ~RunningAdmin() {
    loop_.Post([this] {
      admin_.reset();
      loop_.Stop();
    });
    thread_.join();
  }
  RunningAdmin(const RunningAdmin&) = delete;
  RunningAdmin& operator=(const RunningAdmin&) = delete;
  const std::string& address() const { return admin_->address(); }
  // On the loop's thread, on a later turn.
  void Post(std::function<void()> task) { loop_.Post(std::move(task)); }

  // Set before the first request.
  std::string metrics = "m 1\n";
  std::string not_ready;

 private:
  Loop loop_;
  std::unique_ptr<Admin> admin_;
  std::thread thread_;
};

// A blocking client that gives up after ten seconds.
class Client {
 public:
  explicit Client(const std::string& address) {
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    if (address.rfind("unix:", 0) == 0) {
      address.copy(name.sun_path, sizeof name.sun_path - 1, 5);
      Connect(AF_UNIX, reinterpret_cast<const sockaddr*>(&name), sizeof name);
    } else {
      const Address to = Address::Parse(address).value();
      Connect(to.family(), to.sockaddr_ptr(), to.sockaddr_size());
    }
  }
  ~Client() { close(descriptor_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void Send(std::string_view bytes) const {
    REQUIRE(send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(bytes.size()));
  }
  // Until the text is there; the connection's end before that fails the test.
  std::string ReadTo(std::string_view text) {
    while (received_.find(text) == std::string::npos) REQUIRE(Receive() > 0);
    return std::exchange(received_, {});
  }
  // All until the end, orderly or not.
  std::string ReadAll() {
    while (Receive() > 0) {
    }
    return received_;
  }

 private:
  void Connect(int family, const sockaddr* to, socklen_t size) {
    descriptor_ = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const timeval patience{10, 0};
    setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    REQUIRE(connect(descriptor_, to, size) == 0);
  }
  ssize_t Receive() {
    char buffer[64 * 1024];
    const ssize_t size = recv(descriptor_, buffer, sizeof buffer, 0);
    if (size > 0) received_.append(buffer, static_cast<std::size_t>(size));
    const bool gave_up = size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
    REQUIRE_FALSE(gave_up);
    return size;
  }

  int descriptor_ = -1;
  std::string received_;
};

inline std::string Ask(const std::string& address, const std::string& request) {
  Client client(address);
  client.Send(request);
  return client.ReadAll();
}

inline std::string Get(const std::string& address, const std::string& path) {
  return Ask(address, "GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n");
}

inline bool HasStatus(const std::string& response, const char* status) {
  return response.rfind(std::string("HTTP/1.1 ") + status, 0) == 0;
}

}  // namespace postern::testing
