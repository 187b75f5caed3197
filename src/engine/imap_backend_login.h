// ImapBackendLogin: one login at a backend: Postern speaks as the client, from the backend's
// greeting to its tagged answer and its capabilities (DESIGN 2.6, 2.7, 2.15). One object an
// attempt. Pure; owned by ImapLogin.
//
//   pool.tls = starttls:  kGreeting -> [kTlsCapability] -> kStarttls -> kSecuring -> kCapability
//   other pools:          kGreeting -> [kCapability]
//   then:                 [kId] -> kAnswer -> [kLastCapability] -> a verdict
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/imap_core.h"
#include "postern/imap/capability.h"
#include "postern/imap/framer.h"
#include "postern/sasl/sasl.h"

namespace postern {

class ImapBackendLogin {
 public:
  enum class Verdict : std::uint8_t {
    kPending,
    kOk,           // text() is the backend's, capabilities() are known
    kRefused,      // text() begins with the code in brackets, or has none
    kNoMechanism,  // the backend does not have the client's mechanism; no credential was sent
    kUnavailable,  // nothing was decided; secrets were sent perhaps
    kUnusable,     // nothing was decided and no credential was sent: another backend may be tried
  };

  // said: what the client said. Another account stands in for it where the host has one.
  ImapBackendLogin(ImapCore& core, const Credentials& said, Mechanism mechanism)
      : ImapBackendLogin(core, said, mechanism, core.host.backend_account()) {}

  // Consumes whole lines; look at verdict() and TakeChallenge() afterwards. Stops consuming when
  // there is a verdict.
  std::size_t OnBytes(std::string_view bytes);
  // The TLS that was asked for is there.
  void OnSecured();
  // The backend ended its side, or took too long.
  void OnLost(BackendFailure failure) {
    if (verdict_ == Verdict::kPending) Lost(failure);
  }
  // Base64 in which the backend says why it does not like a token; once an attempt, and the client
  // owes it one line then (RFC 7628 §3.2.3).
  std::optional<std::string> TakeChallenge() { return std::exchange(challenge_, {}); }
  void AnswerChallenge(std::string_view line) { core_.Insert(std::string(line) + "\r\n"); }

  Verdict verdict() const { return verdict_; }
  // What the backend is to blame for; nothing when it did answer.
  std::optional<BackendFailure> failure() const { return failure_; }
  const std::string& text() const { return text_; }
  // The names as the backend listed them last.
  const std::string& capabilities() const { return capabilities_; }
  // `* OK [ALERT] ...` lines, which the client must see.
  const std::string& alerts() const { return alerts_; }

 private:
  enum class State : std::uint8_t {
    kGreeting,
    kTlsCapability,
    kStarttls,
    kSecuring,
    kCapability,
    kId,
    kAnswer,
    kLastCapability,
  };

  ImapBackendLogin(ImapCore& core, const Credentials& said, Mechanism mechanism,
                   const BackendAccount* account)
      : core_(core),
        credentials_(account == nullptr ? said : account->credentials),
        mechanism_(account == nullptr ? mechanism : account->mechanism),
        stands_in_(credentials_.password.Reveal() != said.password.Reveal()),
        pool_(core.host.plan().pool(core.pool)) {}

  bool OnFrame(const imap::Frame& frame, std::string_view bytes, bool begins);
  void OnLine(std::string_view line);
  void OnGreeting(const imap::ResponseHead& head);
  void OnUntagged(const imap::ResponseHead& head, std::string_view line);
  void OnContinuation(std::string_view text);
  void OnTagged(const imap::ResponseHead& head);
  void OnAnswer(const imap::ResponseHead& head);
  void Learn(std::string_view code);
  void Ask(State state, std::string_view command);
  void AskForTls();
  void Identify();
  void SendLogin();
  void SendNext();
  bool secured() const;
  void Give(Verdict verdict, std::optional<BackendFailure> failure);
  void Lost(BackendFailure failure) {
    Give(credentials_sent_ ? Verdict::kUnavailable : Verdict::kUnusable, failure);
  }

  ImapCore& core_;
  const Credentials& credentials_;
  const Mechanism mechanism_;
  const bool stands_in_;  // with a password that the client did not say
  const PoolPlan pool_;   // as it was when the backend was connected
  State state_ = State::kGreeting;
  imap::ResponseFramer framer_;
  std::vector<Secret> parts_;  // of the login command; each but the first waits for a `+`
  std::size_t next_part_ = 0;
  bool credentials_sent_ = false;
  bool capabilities_fresh_ = false;  // listed after the login was sent
  bool challenged_ = false;
  std::optional<std::string> challenge_;
  Verdict verdict_ = Verdict::kPending;
  std::optional<BackendFailure> failure_;
  std::string text_;
  std::string capabilities_;
  std::string alerts_;
};

}  // namespace postern
