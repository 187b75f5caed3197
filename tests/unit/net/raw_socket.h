// RawSocket: a plain descriptor on the other side of a test, free to be as rude as the test wants.
#pragma once

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <string>
#include <string_view>
#include <utility>

#include "postern/base/address.h"
#include "postern/base/check.h"

namespace postern {

class RawSocket {
 public:
  // Connects at once: the kernel answers for a listener on loopback.
  explicit RawSocket(const Address& to, int receive_buffer = 0)
      : descriptor_(socket(to.family(), SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    std::signal(SIGPIPE, SIG_IGN);
    if (receive_buffer > 0) {
      setsockopt(descriptor_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    }
    POSTERN_CHECK(connect(descriptor_, to.sockaddr_ptr(), to.sockaddr_size()) == 0);
  }
  ~RawSocket() { Close(); }
  RawSocket(const RawSocket&) = delete;
  RawSocket& operator=(const RawSocket&) = delete;

  void Send(std::string_view bytes) const {
    POSTERN_CHECK(send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
                  static_cast<ssize_t>(bytes.size()));
  }
  void ShutDown() const { shutdown(descriptor_, SHUT_WR); }
  void Close() {
    if (descriptor_ >= 0) close(std::exchange(descriptor_, -1));
  }
  // Closes with a reset.
  void Reset() {
    const linger now{1, 0};
    setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    Close();
  }
  // Takes what is there without waiting. False at an end; error() then tells which.
  bool Receive() {
    char buffer[64 * 1024];
    const ssize_t size = recv(descriptor_, buffer, sizeof buffer, MSG_DONTWAIT);
    if (size > 0) received_.append(buffer, static_cast<std::size_t>(size));
    if (size < 0 && errno != EAGAIN) error_ = errno;
    ended_ = ended_ || size == 0 || error_ != 0;
    return !ended_;
  }
  const std::string& received() const { return received_; }
  bool ended() const { return ended_; }
  int error() const { return error_; }

 private:
  int descriptor_;
  std::string received_;
  int error_ = 0;
  bool ended_ = false;
};

}  // namespace postern
