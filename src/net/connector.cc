#include "postern/net/connector.h"

#include <utility>

#include "net/loop_inner.h"
#include "net/tcp_stream.h"

namespace postern {
namespace {

// One connect under way. libuv's request must outlive the attempt until its callback, so it is a
// record of its own; a cancelled one has no owner any more and only frees itself.
class TcpAttempt;

struct ConnectRequest {
  uv_connect_t request;
  TcpAttempt* owner;
};

class TcpAttempt final : public Dialer::Attempt {
 public:
  TcpAttempt(Loop::Inner& loop, const Address& address, Dialer::Observer& observer)
      : loop_(loop),
        address_(address),
        observer_(observer),
        failed_([](void* self) { static_cast<TcpAttempt*>(self)->Finish(); }, this) {
    Begin();
  }
  ~TcpAttempt() override {
    if (request_ != nullptr) request_->owner = nullptr;
    if (socket_ != nullptr) socket_->Close(Stream::How::kAbort);
  }
  TcpAttempt(const TcpAttempt&) = delete;
  TcpAttempt& operator=(const TcpAttempt&) = delete;

 private:
  void Begin() {
    socket_ = TcpSocket::New(loop_, address_.family());
    if (socket_ == nullptr) return FailLater(UV_EMFILE);
    auto request = std::make_unique<ConnectRequest>();
    request->owner = this;
    request->request.data = request.get();
    const int error =
        uv_tcp_connect(&request->request, socket_->tcp(), address_.sockaddr_ptr(),
                       [](uv_connect_t* done, int status) noexcept { OnConnect(done, status); });
    if (error != 0) return FailLater(error);
    request_ = request.release();
  }

  static void OnConnect(uv_connect_t* done, int status) {
    Loop::Inner::Of(done->handle->loop).EnterCallback();
    const std::unique_ptr<ConnectRequest> request(static_cast<ConnectRequest*>(done->data));
    if (request->owner == nullptr) return;
    request->owner->request_ = nullptr;
    request->owner->error_ = status;
    request->owner->Finish();
  }

  void FailLater(int error) {
    error_ = error;
    loop_.later.Schedule(failed_);
  }

  // The observer may destroy this attempt, so its call comes last.
  void Finish() {
    if (error_ != 0) {
      return observer_.OnDialed(
          Status::Error("connect to " + address_.Text() + ": " + uv_strerror(error_)));
    }
    auto stream = std::make_unique<TcpStream>(std::exchange(socket_, nullptr));
    observer_.OnDialed(Result<std::unique_ptr<Stream>>(std::move(stream)));
  }

  Loop::Inner& loop_;
  const Address address_;
  Dialer::Observer& observer_;
  Later failed_;
  TcpSocket* socket_ = nullptr;
  ConnectRequest* request_ = nullptr;
  int error_ = 0;
};

class TcpDialer final : public Dialer {
 public:
  explicit TcpDialer(Loop::Inner& loop) : loop_(loop) {}
  std::unique_ptr<Attempt> Dial(const Address& address, Observer& observer) override {
    return std::make_unique<TcpAttempt>(loop_, address, observer);
  }

 private:
  Loop::Inner& loop_;
};

}  // namespace

std::unique_ptr<Dialer> NewTcpDialer(Loop& loop) {
  return std::make_unique<TcpDialer>(loop.inner());
}

}  // namespace postern
