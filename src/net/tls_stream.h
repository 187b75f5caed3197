// TlsStream: TLS over any other stream, a server's or a client's. Owned by whoever wrapped it, owns
// the stream below; used on its loop's thread. Knows nothing of sockets or certificates.
//
//   kHandshake ──done: OnOpen──► kOpen ──close_notify: OnEnd(ok)──► kHalf (writing goes on)
//       │                          │                                  │
//       └───────alert, end─────────┴──alert, truncation, write error──┴──► kDead: OnEnd(error)
//   Close leads from everywhere to kClosed.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "net/boringssl.h"
#include "net/later.h"
#include "net/loop_inner.h"
#include "net/tls_scratch.h"
#include "postern/net/stream.h"

namespace postern {

class TlsStream final : public Stream, private Stream::Observer {
 public:
  TlsStream(Loop::Inner& loop, SSL_CTX* context, std::unique_ptr<Stream> lower,
            std::unique_ptr<TlsHandshake> handshake);
  ~TlsStream() override;
  TlsStream(const TlsStream&) = delete;
  TlsStream& operator=(const TlsStream&) = delete;

  void Start(Stream::Observer& observer) override;
  void Write(std::string_view bytes) override;
  std::size_t backlog() const override { return lower_->backlog(); }
  void SetReading(bool on) override;
  void WipeReads(bool on) override { wipe_reads_ = on; }
  void LastWords() override { lower_->LastWords(); }
  void Close(How how) override;
  TlsFacts tls() const override;
  Peer peer() const override { return lower_->peer(); }

 private:
  enum class State : std::uint8_t { kHandshake, kOpen, kHalf, kDead, kClosed };

  // Of the stream below.
  void OnOpen() override;
  void OnBytes(std::string_view ciphertext) override;
  void OnDrained() override;
  void OnEnd(const Status& why) override;

  // A server's handshake waits for its turn with what it was sent.
  void QueueHandshake(std::string_view ciphertext);
  // Feeds ciphertext and keeps what is left when the observer pauses. False: this object is gone.
  bool Feed(std::string_view ciphertext);
  // One step each; true when more can be done at once. The observer's call is their last act.
  bool Handshake(std::string_view& ciphertext);
  bool IsPlaintext(std::string_view ciphertext);
  bool Decrypt(std::string_view& ciphertext);
  bool wants_input() const {
    return (state_ == State::kHandshake && !signing()) || (state_ == State::kOpen && reading_);
  }
  bool signing() const { return handshake_ != nullptr && handshake_->signing; }
  void Continue();
  void OnSigned();
  void EndOfInput();
  void FlushOutput();
  void Die(const Status& why);

  Loop::Inner& loop_;
  TlsScratch& scratch_;
  bssl::UniquePtr<SSL> ssl_;
  std::unique_ptr<Stream> lower_;
  std::unique_ptr<TlsHandshake> handshake_;  // until it is done
  Stream::Observer* observer_ = nullptr;
  std::string pending_;  // ciphertext that waits for SetReading(true) or for its turn; at most one
                         // arrival
  Later continue_;
  Instant opened_at_{};
  bool* gone_ = nullptr;  // set while the observer may destroy this object from inside its call
  State state_ = State::kHandshake;
  bool reading_ = true;
  bool wipe_reads_ = false;
  bool more_ = false;         // the last step stopped before it had found the end of the input
  bool lower_ended_ = false;  // while paused or waiting for a turn
  bool write_failed_ = false;
  bool plaintext_ = false;
};

}  // namespace postern
