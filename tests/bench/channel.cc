#include "channel.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

namespace postern {
namespace {

// A send buffer that never runs empty (bulk) is moved down once this much of it has left.
constexpr size_t kCompactFrom = 256 * 1024;

char receive_buffer[256 * 1024];
char plain_buffer[SSL3_RT_MAX_PLAIN_LENGTH];

void PreferTls13(SSL_CTX* context) {
  SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  const int curve = NID_X25519;
  SSL_CTX_set1_curves(context, &curve, 1);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
}

bool WouldBlock() { return errno == EAGAIN || errno == EINTR; }

void NoDelay(int fd) {
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

}  // namespace

void Die(const std::string& why) {
  fprintf(stderr, "bench: %s\n", why.c_str());
  exit(1);
}

SSL_CTX* MakeClientTls(NewSessionHook on_session) {
  SSL_CTX* context = SSL_CTX_new(TLS_method());
  PreferTls13(context);
  SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nullptr);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
  if (on_session != nullptr) SSL_CTX_sess_set_new_cb(context, on_session);
  return context;
}

SSL_CTX* MakeServerTls(const std::string& chain, const std::string& key) {
  SSL_CTX* context = SSL_CTX_new(TLS_method());
  PreferTls13(context);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  if (SSL_CTX_use_certificate_chain_file(context, chain.c_str()) != 1 ||
      SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) != 1) {
    Die("cannot use the certificate " + chain + " with the key " + key);
  }
  return context;
}

int ConnectTo(const sockaddr_in& to) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) Die(std::string("no socket: ") + strerror(errno));
  NoDelay(fd);
  const auto* address = reinterpret_cast<const sockaddr*>(&to);
  if (connect(fd, address, sizeof to) != 0 && errno != EINPROGRESS) {
    Die(std::string("cannot connect: ") + strerror(errno));
  }
  return fd;
}

int ListenOnLoopback(uint16_t* port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* any = reinterpret_cast<sockaddr*>(&address);
  if (fd < 0 || bind(fd, any, size) != 0 || listen(fd, 4096) != 0 ||
      getsockname(fd, any, &size) != 0) {
    Die(std::string("cannot listen on loopback: ") + strerror(errno));
  }
  *port = ntohs(address.sin_port);
  return fd;
}

// The library's view of a Channel: takes ciphertext from in_, leaves ciphertext in out_.
struct Channel::BioHooks {
  static int Read(BIO* bio, char* into, int room) {
    auto* self = static_cast<Channel*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    if (self->in_.empty()) {
      BIO_set_retry_read(bio);
      return -1;
    }
    const size_t taken = std::min(self->in_.size(), static_cast<size_t>(room));
    memcpy(into, self->in_.data(), taken);
    self->in_.remove_prefix(taken);
    return static_cast<int>(taken);
  }

  static int Write(BIO* bio, const char* from, int size) {
    auto* self = static_cast<Channel*>(BIO_get_data(bio));
    self->out_.append(from, static_cast<size_t>(size));
    return size;
  }

  static long Control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

  static const BIO_METHOD* Method() {
    static BIO_METHOD* const method = [] {
      BIO_METHOD* made = BIO_meth_new(0, "channel");
      BIO_meth_set_read(made, Read);
      BIO_meth_set_write(made, Write);
      BIO_meth_set_ctrl(made, Control);
      return made;
    }();
    return method;
  }
};

Channel::Channel(int fd, SSL_CTX* tls, bool server, SSL_SESSION* session, void* owner) : fd_(fd) {
  if (server) NoDelay(fd);
  if (tls == nullptr) return;
  ssl_ = SSL_new(tls);
  BIO* bio = BIO_new(BioHooks::Method());
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_, bio, bio);
  SSL_set_app_data(ssl_, static_cast<char*>(owner));
  if (session != nullptr) SSL_set_session(ssl_, session);
  if (server) {
    SSL_set_accept_state(ssl_);
  } else {
    SSL_set_connect_state(ssl_);
  }
}

Channel::~Channel() {
  if (ssl_ != nullptr) SSL_free(ssl_);
  close(fd_);
}

Channel::Status Channel::BeginHandshake() {
  if (ssl_ == nullptr) return Status::kOpen;
  const int result = SSL_do_handshake(ssl_);
  if (result <= 0 && SSL_get_error(ssl_, result) != SSL_ERROR_WANT_READ) return Status::kFailed;
  return Flush();
}

Channel::Status Channel::Open(Sink& sink) {
  for (;;) {
    const int size = SSL_read(ssl_, plain_buffer, sizeof plain_buffer);
    if (size > 0) {
      sink.OnBytes(std::string_view(plain_buffer, static_cast<size_t>(size)));
      continue;
    }
    const int error = SSL_get_error(ssl_, size);
    if (error == SSL_ERROR_WANT_READ) return Status::kOpen;
    ERR_clear_error();
    return error == SSL_ERROR_ZERO_RETURN ? Status::kEnded : Status::kFailed;
  }
}

Channel::Status Channel::Receive(bool hung_up, Sink& sink) {
  for (;;) {
    const ssize_t size = recv(fd_, receive_buffer, sizeof receive_buffer, 0);
    if (size == 0) return Status::kEnded;
    if (size < 0) return WouldBlock() ? Status::kOpen : Status::kFailed;
    const std::string_view received(receive_buffer, static_cast<size_t>(size));
    if (ssl_ == nullptr) {
      sink.OnBytes(received);
    } else {
      in_ = received;
      const Status status = Open(sink);
      in_ = {};
      if (status != Status::kOpen) return status;
    }
    // A short read emptied the socket; what comes later raises a new edge.
    if (received.size() < sizeof receive_buffer && !hung_up) return Status::kOpen;
  }
}

void Channel::Write(std::string_view bytes) {
  if (ssl_ == nullptr) {
    out_.append(bytes);
    return;
  }
  unsealed_.append(bytes);
  if (unsealed_.size() >= SSL3_RT_MAX_PLAIN_LENGTH) Seal();
}

// Everything since the last Flush in as few records as possible, as a good client does it.
void Channel::Seal() {
  std::string_view bytes = unsealed_;
  while (!bytes.empty()) {
    const int size = SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size()));
    if (size <= 0) {  // the next Receive reports the broken connection
      ERR_clear_error();
      break;
    }
    bytes.remove_prefix(static_cast<size_t>(size));
  }
  unsealed_.clear();
}

Channel::Status Channel::Flush() {
  if (!unsealed_.empty()) Seal();
  while (sent_ < out_.size()) {
    const ssize_t size = send(fd_, out_.data() + sent_, out_.size() - sent_, MSG_NOSIGNAL);
    if (size < 0) {
      if (!WouldBlock()) return Status::kFailed;
      if (sent_ >= kCompactFrom) {
        out_.erase(0, sent_);
        sent_ = 0;
      }
      return Status::kOpen;
    }
    sent_ += static_cast<size_t>(size);
  }
  out_.clear();
  sent_ = 0;
  return Status::kOpen;
}

bool Channel::handshaken() const { return ssl_ == nullptr || !SSL_in_init(ssl_); }

bool Channel::resumed() const { return ssl_ != nullptr && SSL_session_reused(ssl_) == 1; }

std::string Channel::CipherComplaint() const {
  if (ssl_ == nullptr) return "";
  const SSL_CIPHER* cipher = SSL_get_current_cipher(ssl_);
  if (SSL_version(ssl_) == TLS1_3_VERSION && cipher != nullptr &&
      SSL_CIPHER_get_protocol_id(cipher) == 0x1301) {
    return "";
  }
  return std::string("not TLS 1.3 with AES-128-GCM but ") + SSL_get_version(ssl_) + " " +
         (cipher != nullptr ? SSL_CIPHER_standard_name(cipher) : "nothing");
}

void* Channel::OwnerOf(const SSL* ssl) { return SSL_get_app_data(ssl); }

}  // namespace postern
