// bench_stub: a mail server that costs next to nothing, for the proxies under measurement.
//
//   bench_stub [--tls CHAIN KEY] [--pop3-messages N] [--pop3-octets N]
//
// Listens on loopback ports of the kernel's choice, prints them as one JSON line (imap, pop3, http;
// imaps and pop3s with --tls, for the target "direct") and runs until a signal or the end of stdin.

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <functional>
#include <vector>

#include "channel.h"
#include "stub_dialect.h"

namespace postern {
namespace {

constexpr size_t kSendAhead = 256 * 1024;

// Message text: lines of 64 octets, so that every multiple of 64 ends with a whole line.
const std::string& BulkText() {
  static const std::string text = [] {
    std::string made;
    while (made.size() < kSendAhead) made += std::string(62, 'm') + "\r\n";
    return made;
  }();
  return text;
}

class Connection final : public Channel::Sink, public Answers {
 public:
  Connection(int fd, SSL_CTX* tls, std::unique_ptr<Dialect> dialect)
      : channel_(fd, tls, true, nullptr, this), dialect_(std::move(dialect)) {
    GreetOnce();
  }

  // False when the connection is over.
  bool OnEvent(uint32_t events) {
    Channel::Status status = Channel::Status::kOpen;
    if ((events & ~static_cast<uint32_t>(EPOLLOUT)) != 0) {
      status = channel_.Receive((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0, *this);
      GreetOnce();
    }
    return Pump() && status == Channel::Status::kOpen;
  }

  void OnBytes(std::string_view bytes) override { dialect_->Feed(bytes, *this); }

  void Text(std::string_view text) override {
    if (queue_.empty()) {
      channel_.Write(text);
    } else {
      queue_.push_back({std::string(text), 0});
    }
  }
  void Bulk(uint64_t octets) override { queue_.push_back({"", octets}); }
  void Close() override { closing_ = true; }

  // Sends what the kernel takes. False when the connection is over.
  bool Pump() {
    for (;;) {
      while (!queue_.empty() && channel_.backlog() < kSendAhead) TakeFromQueue();
      if (channel_.Flush() != Channel::Status::kOpen) return false;
      if (channel_.backlog() > 0) return true;
      if (queue_.empty()) return !closing_;
    }
  }

  int fd() const { return channel_.fd(); }

 private:
  struct Piece {
    std::string text;
    uint64_t bulk;
  };

  void GreetOnce() {
    if (greeted_ || !channel_.handshaken()) return;
    greeted_ = true;
    dialect_->Greet(*this);
    Pump();
  }

  void TakeFromQueue() {
    Piece& piece = queue_.front();
    if (piece.bulk == 0) {
      channel_.Write(piece.text);
      queue_.pop_front();
      return;
    }
    const auto size = static_cast<size_t>(std::min<uint64_t>(piece.bulk, 64 * 1024));
    channel_.Write(std::string_view(BulkText()).substr(0, size));
    piece.bulk -= size;
    if (piece.bulk == 0) queue_.pop_front();
  }

  Channel channel_;
  std::unique_ptr<Dialect> dialect_;
  std::deque<Piece> queue_;
  bool greeted_ = false;
  bool closing_ = false;
};

// A port and what is spoken there.
struct Service {
  const char* name;
  SSL_CTX* tls;
  std::function<std::unique_ptr<Dialect>()> make;
  uint16_t port = 0;
  int fd = -1;
};

class Stub {
 public:
  explicit Stub(std::vector<Service>& services) : epoll_(epoll_create1(EPOLL_CLOEXEC)) {
    for (Service& service : services) {
      Watch(service.fd, EPOLLIN);
      By(services_, service.fd) = &service;
    }
    Watch(STDIN_FILENO, EPOLLIN);
  }

  void Run() {
    epoll_event events[512];
    for (;;) {
      const int count = epoll_wait(epoll_, events, 512, -1);
      if (count < 0 && errno != EINTR) return;
      for (int i = 0; i < count; ++i) {
        if (!Dispatch(events[i])) return;
      }
    }
  }

 private:
  template <typename T>
  static T& By(std::vector<T>& table, int fd) {
    const auto index = static_cast<size_t>(fd);
    if (index >= table.size()) table.resize(index + 64);
    return table[index];
  }

  void Watch(int fd, uint32_t interest) {
    epoll_event event{};
    event.events = interest;
    event.data.fd = fd;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
  }

  bool Dispatch(const epoll_event& event) {
    const int fd = event.data.fd;
    if (fd == STDIN_FILENO) {
      char drop[256];
      return read(fd, drop, sizeof drop) > 0;
    }
    if (const Service* service = By(services_, fd)) {
      Accept(*service);
    } else if (auto& connection = By(connections_, fd)) {
      if (!connection->OnEvent(event.events)) connection.reset();
    }
    return true;
  }

  void Accept(const Service& service) {
    for (;;) {
      const int fd = accept4(service.fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) return;
      By(connections_, fd) = std::make_unique<Connection>(fd, service.tls, service.make());
      Watch(fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | static_cast<uint32_t>(EPOLLET));
    }
  }

  const int epoll_;
  std::vector<const Service*> services_;
  std::vector<std::unique_ptr<Connection>> connections_;
};

int Main(int argc, char** argv) {
  SSL_CTX* tls = nullptr;
  uint64_t messages = 10;
  uint64_t octets = 20480;
  for (int i = 1; i < argc; ++i) {
    const std::string option = argv[i];
    if (option == "--tls" && i + 2 < argc) {
      tls = MakeServerTls(argv[i + 1], argv[i + 2]);
      i += 2;
    } else if (option == "--pop3-messages" && i + 1 < argc) {
      messages = NumberAt(argv[++i]);
    } else if (option == "--pop3-octets" && i + 1 < argc) {
      octets = NumberAt(argv[++i]);
    } else {
      Die("unknown option " + option);
    }
  }
  const auto pop3 = [&] { return MakePop3Dialect(messages, octets); };
  std::vector<Service> services = {{"imap", nullptr, MakeImapDialect}, {"pop3", nullptr, pop3}};
  if (tls != nullptr) {
    services.push_back({"imaps", tls, MakeImapDialect});
    services.push_back({"pop3s", tls, pop3});
  }
  services.push_back(
      {"http", nullptr, [&] { return MakeAuthHttpDialect(services[0].port, services[1].port); }});
  for (Service& service : services) service.fd = ListenOnLoopback(&service.port);
  const char* separator = "{";
  for (const Service& service : services) {
    printf("%s\"%s\":%u", separator, service.name, service.port);
    separator = ",";
  }
  printf("}\n");
  fflush(stdout);
  signal(SIGPIPE, SIG_IGN);
  Stub(services).Run();
  return 0;
}

}  // namespace
}  // namespace postern

int main(int argc, char** argv) { return postern::Main(argc, argv); }
