#include "net/tcp_socket.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>

#include "postern/base/check.h"
#include "postern/base/secret.h"

namespace postern {
namespace {

using namespace std::chrono_literals;

// How long a peer that reads nothing may keep a stream whose owner has left.
constexpr Duration kFlushLimit = 10s;
// How long input is discarded after sending was shut down (DESIGN 2.4).
constexpr Duration kLingerLimit = 2s;
// While a backlog waits: how often to ask whether the peer still acknowledges, and the silence
// after which it does not (SECURITY R-05). A peer that keeps its window shut answers probes; a dead
// one does not.
constexpr Duration kLookForPeer = 10s;
constexpr std::uint32_t kPeerSilentMs = 20'000;
constexpr int kUnansweredProbes = 2;
// Pieces of the backlog: small enough that the low mark is noticed near its place.
constexpr std::size_t kPieceSize = 32 * 1024;

void SetOption(int descriptor, int level, int name, int value) {
  setsockopt(descriptor, level, name, &value, sizeof value);
}

}  // namespace

void SetTcpOptions(int descriptor) {
  SetOption(descriptor, IPPROTO_TCP, TCP_NODELAY, 1);
  SetOption(descriptor, SOL_SOCKET, SO_KEEPALIVE, 1);
  SetOption(descriptor, IPPROTO_TCP, TCP_KEEPIDLE, 60);
  SetOption(descriptor, IPPROTO_TCP, TCP_KEEPINTVL, 15);
  SetOption(descriptor, IPPROTO_TCP, TCP_KEEPCNT, 4);
  // Also counts while a living peer keeps its window shut, as a client does that shows a message
  // before it reads on: long enough for that, short enough for a peer that has vanished.
  SetOption(descriptor, IPPROTO_TCP, TCP_USER_TIMEOUT, 180'000);
}

TcpSocket::Backlog::Backlog(TcpSocket& socket)
    : look(
          socket.loop_.deadlines, [](void* self) { static_cast<TcpSocket*>(self)->LookForPeer(); },
          &socket) {
  look.Arm(MonotonicNow() + kLookForPeer);
}

void TcpSocket::Backlog::Append(std::string_view bytes) {
  if (pieces.size() > 1) {
    std::string& last = pieces.back();
    const std::size_t room = kPieceSize - std::min(kPieceSize, last.size());
    const std::string_view part = bytes.substr(0, room);
    last.append(part);
    waiting += part.size();
    bytes.remove_prefix(part.size());
  }
  while (!bytes.empty()) {
    const std::string_view part = bytes.substr(0, kPieceSize);
    if (!pieces.empty()) waiting += part.size();
    pieces.emplace_back(part);
    bytes.remove_prefix(part.size());
  }
}

TcpSocket* TcpSocket::New(Loop::Inner& loop, int family) {
  auto* socket = new TcpSocket(loop);
  const auto flags = static_cast<unsigned>(family);
  if (uv_tcp_init_ex(&loop.uv, &socket->handle_, flags) != 0) {
    // Out of descriptors: libuv has taken its handle off the loop again.
    delete socket;
    return nullptr;
  }
  socket->handle_.data = socket;
  if (family != AF_UNSPEC) SetTcpOptions(socket->descriptor());
  return socket;
}

TcpSocket::TcpSocket(Loop::Inner& loop)
    : loop_(loop), end_([](void* self) { static_cast<TcpSocket*>(self)->ReportEnd(); }, this) {}

int TcpSocket::descriptor() {
  uv_os_fd_t descriptor = -1;
  uv_fileno(handle(), &descriptor);
  return descriptor;
}

void TcpSocket::Start(Stream::Observer& observer) {
  POSTERN_CHECK(state_ == State::kNew || state_ == State::kOpen || state_ == State::kDead);
  observer_ = &observer;
  if (state_ == State::kNew) state_ = State::kOpen;
  if (state_ == State::kDead || end_seen_) {
    loop_.later.Schedule(end_);  // the observer before was told, this one was not
  } else {
    ReadMore();
  }
  observer.OnOpen();
}

void TcpSocket::ReadMore() {
  uv_read_start(
      stream(),
      [](uv_handle_t* handle, std::size_t, uv_buf_t* buffer) noexcept {
        *buffer = uv_buf_init(Of(handle).loop_.read_scratch.get(), kReadSize);
      },
      [](uv_stream_t* stream, ssize_t count, const uv_buf_t* buffer) noexcept {
        Of(reinterpret_cast<uv_handle_t*>(stream)).OnRead(count, buffer->base);
      });
}

void TcpSocket::OnRead(ssize_t count, const char* bytes) {
  loop_.EnterCallback();
  if (count == 0) return;  // nothing there after all
  if (count < 0) end_seen_ = true;
  if (closing()) return OnReadClosing(count);
  if (state_ != State::kOpen) return;
  if (count > 0) {
    const bool wipe = wipe_reads_;
    const auto size = static_cast<std::size_t>(count);
    observer_->OnBytes({bytes, size});
    if (wipe) Wipe(loop_.read_scratch.get(), size);
    return;
  }
  if (count == UV_EOF) return observer_->OnEnd({});
  Fail(static_cast<int>(count));
}

void TcpSocket::OnReadClosing(ssize_t count) {
  if (count > 0) return;
  // With the backlog still going out an orderly end of the peer changes nothing.
  if (count != UV_EOF || state_ == State::kLingering) Dispose();
}

void TcpSocket::SetReading(bool on) {
  if (state_ != State::kOpen || end_seen_) return;
  if (on) {
    ReadMore();
  } else {
    uv_read_stop(stream());
  }
}

Stream::Peer TcpSocket::peer() const {
  uv_os_fd_t descriptor = -1;
  tcp_info info{};
  socklen_t size = sizeof info;
  const auto* handle = reinterpret_cast<const uv_handle_t*>(&handle_);
  if (uv_fileno(handle, &descriptor) != 0) return Stream::Peer::kGone;
  // Not every stream is TCP: the admin's may be a Unix socket.
  if (getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return Stream::Peer::kThere;
  if (info.tcpi_state == TCP_CLOSE) return Stream::Peer::kGone;
  return info.tcpi_state == TCP_CLOSE_WAIT ? Stream::Peer::kFinished : Stream::Peer::kThere;
}

void TcpSocket::Write(std::string_view bytes) {
  // Before Start too: a PROXY header goes in front of everything.
  if ((state_ != State::kOpen && state_ != State::kNew) || bytes.empty()) return;
  if (backlog_ == nullptr) {
    const uv_buf_t buffer =
        uv_buf_init(const_cast<char*>(bytes.data()), static_cast<unsigned>(bytes.size()));
    const int taken = uv_try_write(stream(), &buffer, 1);
    if (taken < 0 && taken != UV_EAGAIN) return Fail(taken);
    if (taken > 0) bytes.remove_prefix(static_cast<std::size_t>(taken));
    if (bytes.empty()) return;
    backlog_ = std::make_unique<Backlog>(*this);
    backlog_->Append(bytes);
    SendFirst();
  } else {
    backlog_->Append(bytes);
  }
  if (backlog_ != nullptr && backlog() >= kHighMark) backlog_->was_high = true;
}

std::size_t TcpSocket::backlog() const {
  return backlog_ == nullptr ? 0 : handle_.write_queue_size + backlog_->waiting;
}

void TcpSocket::SendFirst() {
  std::string& first = backlog_->pieces.front();
  const uv_buf_t buffer = uv_buf_init(first.data(), static_cast<unsigned>(first.size()));
  const int error = uv_write(
      &backlog_->request, stream(), &buffer, 1, [](uv_write_t* request, int status) noexcept {
        Of(reinterpret_cast<uv_handle_t*>(request->handle)).OnWritten(status);
      });
  if (error != 0) Fail(error);
}

void TcpSocket::LookForPeer() {
  tcp_info info{};
  socklen_t size = sizeof info;
  const bool known = getsockopt(descriptor(), IPPROTO_TCP, TCP_INFO, &info, &size) == 0;
  const bool unanswered = info.tcpi_retransmits > 0 || info.tcpi_probes >= kUnansweredProbes;
  if (known && unanswered && info.tcpi_last_ack_recv >= kPeerSilentMs) return Fail(UV_ETIMEDOUT);
  backlog_->look.Arm(MonotonicNow() + kLookForPeer);
}

void TcpSocket::OnWritten(int status) {
  loop_.EnterCallback();
  if (state_ == State::kClosed || state_ == State::kDead) return;
  if (status != 0) return Fail(status);
  backlog_->pieces.pop_front();
  if (state_ == State::kFlushing) limit_->Arm(MonotonicNow() + kFlushLimit);
  const bool drained = backlog_->was_high && backlog() <= kLowMark;
  if (drained) backlog_->was_high = false;
  if (!backlog_->pieces.empty()) {
    backlog_->waiting -= backlog_->pieces.front().size();
    SendFirst();
  } else {
    backlog_.reset();
    if (state_ == State::kFlushing) return Linger();
  }
  if (drained && state_ == State::kOpen) observer_->OnDrained();
}

// The error becomes known to the owner at the end of the turn, when none of its calls is on the
// stack.
void TcpSocket::Fail(int error) {
  if (closing()) return Dispose();
  if (state_ != State::kOpen) return;
  state_ = State::kDead;
  error_ = error;
  uv_read_stop(stream());
  loop_.later.Schedule(end_);
}

void TcpSocket::ReportEnd() {
  observer_->OnEnd(error_ == 0 ? Status() : Status::Error(uv_strerror(error_)));
}

// The shutdown or the close that follows sends what the cork holds.
void TcpSocket::LastWords() {
  if (state_ == State::kOpen && backlog_ == nullptr) {
    SetOption(descriptor(), IPPROTO_TCP, TCP_CORK, 1);
  }
}

void TcpSocket::Close(Stream::How how) {
  end_.Cancel();
  observer_ = nullptr;
  if (how == Stream::How::kAbort) return Abort();
  if (state_ != State::kNew && state_ != State::kOpen) return Dispose();
  state_ = State::kFlushing;
  ++loop_.closing_streams;
  limit_ = std::make_unique<Deadline>(
      loop_.deadlines, [](void* self) { static_cast<TcpSocket*>(self)->OnLate(); }, this);
  limit_->Arm(MonotonicNow() + kFlushLimit);
  if (!end_seen_) ReadMore();
  if (backlog_ == nullptr) Linger();
}

void TcpSocket::Linger() {
  state_ = State::kLingering;
  if (end_seen_ || shutdown(descriptor(), SHUT_WR) != 0) return Dispose();
  limit_->Arm(MonotonicNow() + kLingerLimit);
}

void TcpSocket::OnLate() {
  if (state_ == State::kFlushing) {
    Abort();  // bytes are missing: the peer must see it
  } else {
    Dispose();
  }
}

void TcpSocket::Abort() {
  if (state_ == State::kClosed) return;
  const linger reset{1, 0};
  setsockopt(descriptor(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  Dispose();
}

void TcpSocket::Dispose() {
  if (state_ == State::kClosed) return;
  if (closing()) --loop_.closing_streams;
  state_ = State::kClosed;
  limit_.reset();
  uv_close(handle(), [](uv_handle_t* handle) noexcept { delete &Of(handle); });
}

}  // namespace postern
