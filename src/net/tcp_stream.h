// TcpStream: the face of a TCP connection. Owned by whoever opened it; its socket lives on in the
// loop after Close. Used on the loop's thread.
#pragma once

#include "net/tcp_socket.h"
#include "postern/net/stream.h"

namespace postern {

class TcpStream final : public Stream {
 public:
  // Takes over the record, which is connected.
  explicit TcpStream(TcpSocket* socket) : socket_(socket) {}
  ~TcpStream() override { Close(How::kAbort); }
  TcpStream(const TcpStream&) = delete;
  TcpStream& operator=(const TcpStream&) = delete;

  void Start(Observer& observer) override {
    if (socket_ != nullptr) socket_->Start(observer);
  }
  void Write(std::string_view bytes) override {
    if (socket_ != nullptr) socket_->Write(bytes);
  }
  std::size_t backlog() const override { return socket_ == nullptr ? 0 : socket_->backlog(); }
  void SetReading(bool on) override {
    if (socket_ != nullptr) socket_->SetReading(on);
  }
  void LastWords() override {
    if (socket_ != nullptr) socket_->LastWords();
  }
  void WipeReads(bool on) override {
    if (socket_ != nullptr) socket_->WipeReads(on);
  }
  Peer peer() const override { return socket_ == nullptr ? Peer::kGone : socket_->peer(); }
  void Close(How how) override {
    if (socket_ == nullptr) return;
    TcpSocket* socket = socket_;
    socket_ = nullptr;
    socket->Close(how);
  }

 private:
  TcpSocket* socket_;
};

}  // namespace postern
