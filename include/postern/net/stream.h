// Stream: a duplex, ordered byte stream bound to one loop; the seam between sessions and the
// network. Owned by whoever opened it (a session); used on its loop's thread only. Knows nothing of
// protocols.
//
// Bytes are pushed: an observer gets a view of what arrived, straight from the loop's one read
// buffer, so that a relayed byte is not copied between the kernel and the engine and an idle stream
// owns no buffer. Law: no downward call (Write, SetReading, Close) leads to an upward call on the
// same stack.
#pragma once

#include <cstddef>
#include <string_view>

#include "postern/base/status.h"

namespace postern {

// What TLS agreed on. Views of static text; empty and false on a plain stream.
struct TlsFacts {
  std::string_view version;  // "1.2", "1.3"
  std::string_view cipher;   // IANA name, "TLS_AES_128_GCM_SHA256"
  std::string_view sni;      // the name the client asked for; valid as long as the stream
  bool resumed = false;
  // The first byte that should have begun a handshake was none of TLS.
  bool plaintext = false;
};

class Stream {
 public:
  class Observer {
   public:
    virtual ~Observer() = default;
    // The stream can carry the protocol: TCP connected, TLS handshake done. Once, before all
    // others; Start may call it before it returns.
    virtual void OnOpen() = 0;
    // Bytes from the peer, at most 64 KiB. The view dies on return: the observer takes all of it.
    virtual void OnBytes(std::string_view bytes) = 0;
    // The backlog was at or above the high mark and has fallen to the low mark.
    virtual void OnDrained() = 0;
    // Ok: the peer finished sending (FIN, TLS close_notify); writing is still possible.
    // Error: the stream is dead (reset, TLS failure, truncation, a failed write); nothing follows.
    virtual void OnEnd(const Status& why) = 0;
  };

  enum class How {
    // Write what is accepted, TLS close_notify, shut down sending, discard input for at most 2 s.
    kFlush,
    kAbort,  // reset at once; no close_notify: the peer must see that something is missing
  };

  virtual ~Stream() = default;
  // Begins reading, or goes on with another observer (TLS that begins in the middle, from inside
  // OnBytes too; OnOpen is called again then). The observer must outlive the stream or the call of
  // Close, whichever is first.
  virtual void Start(Observer& observer) = 0;
  // Takes all of the bytes (copies what the kernel does not take now). Never calls the observer.
  // A failure arrives on a later turn through OnEnd. A no-op on a dead or closed stream.
  virtual void Write(std::string_view bytes) = 0;
  // Bytes accepted and not yet taken by the kernel.
  virtual std::size_t backlog() const = 0;
  // False stops the flow within one OnBytes: no further call until true. True resumes on a later
  // turn.
  virtual void SetReading(bool on) = 0;
  // What is written from here on is the last: it may leave together with the end that Close(kFlush)
  // brings, in one packet.
  virtual void LastWords() {}
  // No observer call follows. The object may be destroyed at once, also from outside a callback of
  // its own; the socket lives on in the loop until it is flushed. Destroying without Close aborts.
  virtual void Close(How how) = 0;
  virtual TlsFacts tls() const { return {}; }
  // What the kernel knows of the peer. Asks it: for a stream whose reading is paused, where no end
  // arrives through OnEnd.
  enum class Peer : std::uint8_t {
    kThere,
    kFinished,  // its FIN came: it sends no more, and may or may not read
    kGone,      // reset
  };
  virtual Peer peer() const { return Peer::kThere; }
  // While on, what was delivered is wiped from the loop's buffers as soon as OnBytes returns: a
  // login may be in it.
  virtual void WipeReads(bool) {}
};

// Marks of the backlog (DESIGN 2.13): reading the other side pauses at the high mark and goes on at
// the low.
inline constexpr std::size_t kHighMark = 128 * 1024;
inline constexpr std::size_t kLowMark = 32 * 1024;

}  // namespace postern
