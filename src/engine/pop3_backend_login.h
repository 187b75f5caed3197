// Pop3BackendLogin: one login at a backend: Postern speaks as the client, from the backend's
// greeting to its word on the credentials. One object a connection. Pure; owned by the engine's
// login state; the worker's thread. Knows nothing of our own client: what it needs from there, the
// answer to a challenge, is asked for by TakeChallenge.
//
//   kGreeting     the greeting is awaited            +OK -> kCapa
//   kCapa         the capabilities are awaited       -> the next of the steps below that is due
//   kStls         pool.tls = starttls, not secured   +OK -> kTls
//   kTls          the handshake is under way         secured -> kCapa, asked again (RFC 2595 §4)
//   kXclient      pool.forward = xclient             +OK, -ERR -> the next step
//   kUtf8         the client said UTF8               +OK -> the next step
//   kUser         USER was sent                      +OK -> kPass
//   kPass         PASS was sent                      +OK, -ERR -> a verdict
//   kAuthContinue AUTH without initial response      "+" -> kAuth
//   kAuth         the SASL message was sent          +OK, -ERR -> a verdict; "+" -> kChallenge
//   kChallenge    an OAuth failure waits for the client's answer, then for the -ERR
//
// Before the first byte of a credential (kUser, kPass, kAuth, kChallenge) any mishap makes the
// backend unusable and leads to another one; after it nothing is sent twice. A pool that wants TLS
// never hears a credential without it, whatever the backend says.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "engine/pop3_text.h"
#include "postern/engine/engine.h"
#include "postern/pop3/capability.h"
#include "postern/pop3/framer.h"
#include "postern/sasl/sasl.h"

namespace postern {

class Pop3BackendLogin {
 public:
  // What is to be done. The credentials outlive the login at the backend.
  struct Order {
    const Credentials& credentials;
    Mechanism mechanism = Mechanism::kUser;
    bool utf8 = false;
    // The client did not say this password, so it is no word on the client's when it is refused.
    bool stands_in = false;
    PoolPlan pool;
  };
  enum class Verdict : std::uint8_t {
    kPending,
    kOk,           // text() is the backend's
    kRefused,      // text() is the backend's, with its code or without
    kCannot,       // the backend has no way to do it: complaint() says so
    kUnavailable,  // nothing was decided, and a credential may have been sent
    kUnusable,     // nothing was decided and no credential was sent: another backend may be asked
  };

  Pop3BackendLogin(EngineHost& host, Shard& shard, const Order& order)
      : host_(host), shard_(shard), order_(order) {}
  Pop3BackendLogin(const Pop3BackendLogin&) = delete;
  Pop3BackendLogin& operator=(const Pop3BackendLogin&) = delete;

  // Consumes whole frames; stops when there is a verdict. Look at TakeChallenge() and verdict()
  // after each event.
  std::size_t OnBytes(std::string_view bytes);
  // The handshake that was asked for is done.
  void OnSecured();
  // The backend ended its side; what it said before stands.
  void OnEnd() { Lost(state_ == State::kTls ? BackendFailure::kTls : BackendFailure::kClosed); }
  void OnTimeout() { Lost(BackendFailure::kTimeout); }
  // Why a token was refused, for the client, whose line goes to Answer; once. A verdict may be
  // there before that line is.
  std::optional<std::string> TakeChallenge() { return std::exchange(challenge_, {}); }
  // The client's answer to the challenge, without CRLF.
  void Answer(std::string_view line);

  Verdict verdict() const { return verdict_; }
  // Valid until the next event.
  std::string_view text() const { return text_; }
  const pop3::Complaint& complaint() const { return complaint_; }
  // What the backend is to blame for; nothing when it did answer.
  std::optional<BackendFailure> failure() const { return failure_; }
  // It takes commands before it has answered those before (RFC 2449 §6.6).
  bool pipelining() const { return offered_.pipelining; }
  // The time that handshakes within the dialogue took.
  Duration tls_time() const { return tls_time_; }

 private:
  enum class State : std::uint8_t {
    kGreeting,
    kCapa,
    kStls,
    kTls,
    kXclient,
    kUtf8,
    kUser,
    kPass,
    kAuthContinue,
    kAuth,
    kChallenge,
  };

  bool listening() const { return verdict_ == Verdict::kPending; }
  bool credentials_sent() const;
  void OnFrame(std::string_view bytes, pop3::Frame::Kind kind);
  void OnGreeting(std::string_view line);
  void OnCapabilities(std::string_view bytes, pop3::Frame::Kind kind);
  void OnStlsReply(std::string_view line);
  void OnXclientReply(std::string_view line);
  void OnUtf8Reply(std::string_view line);
  void OnUserReply(std::string_view line);
  void OnContinuation(std::string_view line);
  void OnVerdict(std::string_view line);
  void Refused(std::string_view line);
  void AskCapabilities();
  // The steps between the capabilities and the credentials; each goes on to the next.
  void Secure();
  void Introduce();
  void SwitchToUtf8();
  void LogIn();
  void SendUser();
  void SendAuth(Mechanism mechanism);
  void Send(State next, Secret line);
  void Give(Verdict verdict, std::string_view text);
  void Cannot(const pop3::Complaint& complaint);
  void Lost(BackendFailure failure);

  EngineHost& host_;
  Shard& shard_;
  const Order order_;
  State state_ = State::kGreeting;
  pop3::ReplyFramer framer_;
  std::string listed_;  // the body of the CAPA reply so far
  pop3::Capabilities offered_;
  bool greeted_xclient_ = false;
  bool secured_ = false;                     // by STLS
  Mechanism mechanism_ = Mechanism::kPlain;  // what AUTH was sent with
  Instant handshake_began_{};
  Duration tls_time_{};
  Verdict verdict_ = Verdict::kPending;
  std::string text_;
  std::optional<std::string> challenge_;
  pop3::Complaint complaint_;
  std::optional<BackendFailure> failure_;
};

}  // namespace postern
