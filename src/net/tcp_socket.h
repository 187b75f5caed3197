// TcpSocket: the heap record behind a TCP stream. Owns itself: it outlives the stream's face until
// libuv's close callback, which is the only place that frees it. Used on its loop's thread. Knows
// nothing of TLS.
//
//   kNew ──Start──► kOpen ──error──► kDead
//     │               │                │
//     └──Close(kFlush)┴► kFlushing     │        backlog goes out; 10 s without progress: reset
//                          │           │
//                     kLingering       │        sending shut down, input discarded, at most 2 s
//                          │           │
//                       kClosed ◄──────┘        waits for the close callback (kAbort: at once)
#pragma once

#include <uv.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>

#include "net/later.h"
#include "net/loop_inner.h"
#include "postern/base/address.h"
#include "postern/net/deadlines.h"
#include "postern/net/stream.h"

namespace postern {

class TcpSocket {
 public:
  // A record without a connection. family AF_UNSPEC makes the descriptor later (for accept).
  static TcpSocket* New(Loop::Inner& loop, int family);
  static TcpSocket& Of(const uv_handle_t* handle) { return *static_cast<TcpSocket*>(handle->data); }
  TcpSocket(const TcpSocket&) = delete;
  TcpSocket& operator=(const TcpSocket&) = delete;

  uv_tcp_t* tcp() { return &handle_; }
  uv_stream_t* stream() { return reinterpret_cast<uv_stream_t*>(&handle_); }

  // As the functions of Stream. After Close the caller must forget the record.
  void Start(Stream::Observer& observer);
  void Write(std::string_view bytes);
  std::size_t backlog() const;
  void SetReading(bool on);
  void LastWords();
  void WipeReads(bool on) { wipe_reads_ = on; }
  Stream::Peer peer() const;
  void Close(Stream::How how);

 private:
  enum class State : std::uint8_t { kNew, kOpen, kDead, kFlushing, kLingering, kClosed };

  // What the kernel did not take. Exists only while there is some.
  struct Backlog {
    explicit Backlog(TcpSocket& socket);
    void Append(std::string_view bytes);
    uv_write_t request;
    std::deque<std::string> pieces;  // the first is with libuv
    std::size_t waiting = 0;         // bytes in all but the first
    bool was_high = false;
    Deadline look;  // whether the peer still lives
  };

  explicit TcpSocket(Loop::Inner& loop);
  ~TcpSocket() = default;

  void ReadMore();
  void OnRead(ssize_t count, const char* bytes);
  void OnReadClosing(ssize_t count);
  void SendFirst();
  void LookForPeer();
  void OnWritten(int status);
  void Fail(int error);
  void ReportEnd();
  void Linger();
  void OnLate();
  void Abort();
  void Dispose();
  bool closing() const { return state_ == State::kFlushing || state_ == State::kLingering; }
  uv_handle_t* handle() { return reinterpret_cast<uv_handle_t*>(&handle_); }
  int descriptor();

  uv_tcp_t handle_;
  Loop::Inner& loop_;
  Stream::Observer* observer_ = nullptr;
  std::unique_ptr<Backlog> backlog_;
  std::unique_ptr<Deadline> limit_;  // only while closing
  Later end_;
  int error_ = 0;
  State state_ = State::kNew;
  bool end_seen_ = false;
  bool wipe_reads_ = false;
};

// TCP_NODELAY, keep-alive 60/15/4 and TCP_USER_TIMEOUT. Set on a listening socket they are
// inherited.
void SetTcpOptions(int descriptor);

}  // namespace postern
