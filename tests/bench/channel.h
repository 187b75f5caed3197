// One TCP connection of the benchmark's own tools, plain or TLS, client or server.
//
// Owned by the session that uses it; one thread. Knows nothing of mail. Built to be cheap rather
// than gentle: one receive buffer for the whole process, a BIO without copies of its own, one send
// per Flush, edge-triggered readiness. Expects TLS 1.3 with AES-128-GCM and says so when it gets
// anything else, because figures of different ciphers cannot be compared.
#pragma once

#include <netinet/in.h>
#include <openssl/base.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace postern {

// A context for `bench_loadgen` (chain and key empty) or for the stub's own TLS ports. Tickets are
// handed to `on_session`, which may be null. Ends the process with a sentence on failure.
using NewSessionHook = int (*)(SSL* ssl, SSL_SESSION* session);
SSL_CTX* MakeClientTls(NewSessionHook on_session);
SSL_CTX* MakeServerTls(const std::string& chain, const std::string& key);

// A non-blocking socket connecting to `to`, or a listening one on 127.0.0.1 with a port of the
// kernel's choice; both end the process with a sentence when the kernel refuses.
int ConnectTo(const sockaddr_in& to);
int ListenOnLoopback(uint16_t* port);
[[noreturn]] void Die(const std::string& why);

class Channel {
 public:
  enum class Status { kOpen, kEnded, kFailed };

  // Gets plaintext as it arrives; the view ends with the call. May Write, must not destroy.
  class Sink {
   public:
    virtual void OnBytes(std::string_view bytes) = 0;

   protected:
    ~Sink() = default;
  };

  // Takes `fd`. `tls` null means plain; `session` (client only, may be null) is offered for
  // resumption.
  Channel(int fd, SSL_CTX* tls, bool server, SSL_SESSION* session, void* owner);
  ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  // Reads all the kernel has. `hung_up`: the peer's end was announced, so read until it shows.
  Status Receive(bool hung_up, Sink& sink);
  // Takes all of it; nothing leaves before Flush.
  void Write(std::string_view bytes);
  Status Flush();
  // A TLS client speaks first; call once when the socket is connected.
  Status BeginHandshake();

  int fd() const { return fd_; }
  size_t backlog() const { return unsealed_.size() + out_.size() - sent_; }
  bool handshaken() const;
  bool resumed() const;
  // Empty when version and cipher are what every cell must use.
  std::string CipherComplaint() const;
  // The owner given at construction, for NewSessionHook.
  static void* OwnerOf(const SSL* ssl);

 private:
  struct BioHooks;
  Status Open(Sink& sink);
  void Seal();

  const int fd_;
  SSL* ssl_ = nullptr;
  std::string_view in_;   // ciphertext received and not yet taken by the library
  std::string unsealed_;  // plaintext waiting for Flush
  std::string out_;       // what the kernel gets
  size_t sent_ = 0;
};

}  // namespace postern
