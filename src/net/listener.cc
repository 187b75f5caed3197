#include "postern/net/listener.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "net/loop_inner.h"
#include "net/tcp_stream.h"

namespace postern {
namespace {

// The kernel cuts it to net.core.somaxconn.
constexpr int kBacklog = 4096;

Status BindError(const Address& address, int error) {
  std::string text = "cannot listen on " + address.Text() + ": " + std::strerror(error);
  if (error == EADDRINUSE) {
    text += "; another program has this port: stop it or choose another port";
  } else if (error == EACCES) {
    text += "; ports below 1024 need root or CAP_NET_BIND_SERVICE";
  } else if (error == EADDRNOTAVAIL) {
    text += "; no interface of this machine has this address";
  }
  return Status::Error(std::move(text));
}

void SwitchOn(int descriptor, int level, int name) {
  const int on = 1;
  setsockopt(descriptor, level, name, &on, sizeof on);
}

int OpenSocket(const Address& address) {
  const int descriptor = socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return descriptor;
  SwitchOn(descriptor, SOL_SOCKET, SO_REUSEADDR);
  if (address.family() == AF_INET6) SwitchOn(descriptor, IPPROTO_IPV6, IPV6_V6ONLY);
  return descriptor;
}

// A listening socket that outlives its Listener until libuv's close callback.
struct ListeningSocket {
  uv_tcp_t handle;
  Loop::Inner& loop;
  Listener::Accept accept;
  Later resume;
  bool paused = false;
  // One connection is taken from the kernel and not from libuv, which therefore polls no more.
  bool parked = false;
  bool closed = false;

  ListeningSocket(Loop::Inner& inner, Listener::Accept function)
      : loop(inner),
        accept(std::move(function)),
        resume([](void* self) { static_cast<ListeningSocket*>(self)->AcceptParked(); }, this) {}

  static ListeningSocket& Of(const void* data) {
    return *static_cast<ListeningSocket*>(const_cast<void*>(data));
  }
  uv_handle_t* AsHandle() { return reinterpret_cast<uv_handle_t*>(&handle); }
  uv_stream_t* AsStream() { return reinterpret_cast<uv_stream_t*>(&handle); }

  void OnConnection(int status) {
    loop.EnterCallback();
    if (status != 0 || closed) return;
    if (paused) {
      parked = true;
    } else {
      AcceptOne();
    }
  }

  void AcceptParked() {
    if (!parked || paused) return;
    parked = false;
    AcceptOne();
  }

  void AcceptOne() {
    TcpSocket* socket = TcpSocket::New(loop, AF_UNSPEC);
    if (socket == nullptr) return;
    auto stream = std::make_unique<TcpStream>(socket);
    if (uv_accept(AsStream(), socket->stream()) != 0) return;
    sockaddr_storage peer{};
    int size = sizeof peer;
    auto* name = reinterpret_cast<sockaddr*>(&peer);
    if (uv_tcp_getpeername(socket->tcp(), name, &size) != 0) return;  // gone already
    const Address client = Address::FromSockaddr(name);
    size = sizeof peer;
    if (uv_tcp_getsockname(socket->tcp(), name, &size) != 0) return;
    accept(std::move(stream), client, Address::FromSockaddr(name));
  }

  void Close() {
    closed = true;
    resume.Cancel();
    uv_close(AsHandle(), [](uv_handle_t* closing) noexcept { delete &Of(closing->data); });
  }
};

class TcpListener final : public Listener {
 public:
  explicit TcpListener(ListeningSocket* socket) : socket_(socket) {}
  ~TcpListener() override { socket_->Close(); }
  TcpListener(const TcpListener&) = delete;
  TcpListener& operator=(const TcpListener&) = delete;

  void Pause() override { socket_->paused = true; }
  void Resume() override {
    socket_->paused = false;
    if (socket_->parked) socket_->loop.later.Schedule(socket_->resume);
  }

 private:
  ListeningSocket* socket_;
};

}  // namespace

Status BoundSocket::CheckFree(const Address& address) {
  if (address.port() == 0) return {};
  const int descriptor = OpenSocket(address);
  if (descriptor < 0) return BindError(address, errno);
  const int result = bind(descriptor, address.sockaddr_ptr(), address.sockaddr_size());
  const int error = errno;
  close(descriptor);
  return result == 0 ? Status() : BindError(address, error);
}

Result<BoundSocket> BoundSocket::Bind(const Address& address) {
  const int descriptor = OpenSocket(address);
  if (descriptor < 0) return BindError(address, errno);
  BoundSocket bound(descriptor, address);
  SwitchOn(descriptor, SOL_SOCKET, SO_REUSEPORT);
  SetTcpOptions(descriptor);
  if (bind(descriptor, address.sockaddr_ptr(), address.sockaddr_size()) != 0) {
    return BindError(address, errno);
  }
  sockaddr_storage actual{};
  socklen_t size = sizeof actual;
  auto* name = reinterpret_cast<sockaddr*>(&actual);
  if (getsockname(descriptor, name, &size) != 0) return BindError(address, errno);
  bound.address_ = Address::FromSockaddr(name);
  return bound;
}

BoundSocket::BoundSocket(BoundSocket&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), address_(other.address_) {}

BoundSocket& BoundSocket::operator=(BoundSocket&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(address_, other.address_);
  return *this;
}

BoundSocket::~BoundSocket() {
  if (descriptor_ >= 0) close(descriptor_);
}

int BoundSocket::Release() { return std::exchange(descriptor_, -1); }

Result<std::unique_ptr<Listener>> Listener::Open(Loop& loop, BoundSocket socket, Accept accept) {
  const Address address = socket.address();
  auto* listening = new ListeningSocket(loop.inner(), std::move(accept));
  uv_tcp_init(&loop.inner().uv, &listening->handle);
  listening->handle.data = listening;
  std::unique_ptr<Listener> listener = std::make_unique<TcpListener>(listening);
  int error = uv_tcp_open(&listening->handle, socket.Release());
  if (error == 0) {
    error =
        uv_listen(listening->AsStream(), kBacklog, [](uv_stream_t* server, int status) noexcept {
          ListeningSocket::Of(server->data).OnConnection(status);
        });
  }
  if (error != 0) return BindError(address, -error);
  return listener;
}

}  // namespace postern
