// ImapBackendLogin: one login at a backend: Postern speaks as the client, from the backend's
// greeting to its tagged answer and its capabilities (DESIGN 2.6). One object an attempt. Pure;
// owned by ImapLogin.
//
//   kGreeting -> [kPreCapability] -> kLogin | kLiteral* | kSasl -> kAnswer -> [kCapability] -> a
//   verdict
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/imap_core.h"
#include "postern/imap/framer.h"
#include "postern/sasl/sasl.h"

namespace postern {

class ImapBackendLogin {
 public:
  enum class Verdict : std::uint8_t {
    kPending,
    kOk,           // text() is the backend's, capabilities() are known
    kRefused,      // text() begins with the code in brackets, or has none
    kUnavailable,  // nothing was decided; secrets were sent perhaps
    kUnusable,     // nothing was decided and no credential was sent: another backend may be tried
  };

  ImapBackendLogin(ImapCore& core, const Credentials& credentials, Mechanism mechanism)
      : core_(core), credentials_(credentials), mechanism_(mechanism) {}

  // Consumes whole lines; look at verdict() afterwards. Stops consuming when there is one.
  std::size_t OnBytes(std::string_view bytes);
  Verdict verdict() const { return verdict_; }
  // What the backend is to blame for; nothing when it did answer.
  std::optional<BackendFailure> failure() const { return failure_; }
  bool credentials_sent() const { return credentials_sent_; }
  const std::string& text() const { return text_; }
  // The names as the backend listed them last.
  const std::string& capabilities() const { return capabilities_; }
  // `* OK [ALERT] ...` lines, which the client must see.
  const std::string& alerts() const { return alerts_; }

 private:
  enum class State : std::uint8_t { kGreeting, kPreCapability, kAnswer, kCapability };

  void OnLine(std::string_view line);
  void OnGreeting(const imap::ResponseHead& head);
  void OnUntagged(const imap::ResponseHead& head, std::string_view line);
  void OnContinuation();
  void OnTagged(const imap::ResponseHead& head);
  void Learn(std::string_view code);
  void SendLogin();
  void Queue(std::string_view text);
  void SendNext();
  void Give(Verdict verdict, std::optional<BackendFailure> failure);
  void Lost(BackendFailure failure) {
    Give(credentials_sent_ ? Verdict::kUnavailable : Verdict::kUnusable, failure);
  }

  ImapCore& core_;
  const Credentials& credentials_;
  Mechanism mechanism_;
  State state_ = State::kGreeting;
  imap::ResponseFramer framer_;
  std::vector<Secret> parts_;  // of the login command; each but the first waits for a `+`
  std::size_t next_part_ = 0;
  bool credentials_sent_ = false;
  bool capabilities_fresh_ = false;  // listed after the login was sent
  Verdict verdict_ = Verdict::kPending;
  std::optional<BackendFailure> failure_;
  std::string text_;
  std::string capabilities_;
  std::string alerts_;
};

}  // namespace postern
