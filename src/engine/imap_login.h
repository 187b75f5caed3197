// ImapLogin: the part of an IMAP session in which Postern speaks as the server: greeting to login.
// What it learns goes to ImapBackendLogin, which speaks as the client. Dropped when the relay
// begins. Pure.
//
//   state       client line            answer of the backend leg
//   kCommand    LOGIN, PLAIN+IR  -> kBusy
//   kCommand    AUTHENTICATE     -> kSasl     `+ ` asked
//   kSasl       base64           -> kBusy     `*` -> kCommand
//   kBusy       (client waits)       OK -> done; NO, unavailable -> kCommand, or the end after too
//   many
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "engine/head_reader.h"
#include "engine/imap_backend_login.h"
#include "engine/imap_core.h"
#include "postern/engine/limits.h"
#include "postern/sasl/sasl.h"

namespace postern {

class ImapLogin {
 public:
  explicit ImapLogin(ImapCore& core);

  void Greet();
  std::size_t OnClientBytes(std::string_view bytes);
  std::size_t OnBackendBytes(std::string_view bytes);
  void OnBackendConnected();
  void OnBackendFailed();
  void OnBackendEnd();
  // The backend took too long.
  void OnConnectTimeout();
  // timeouts.login is over.
  void OnLoginTimeout();
  // The session ends: a login under way is counted.
  void Abandoned();
  // `* BYE text` and the end.
  void Bye(CloseReason reason, std::string_view text);
  bool blocked() const { return state_ == State::kBusy || waits_for_room_; }
  // The backend has let the user in and the client knows: the relay takes over.
  bool done() const { return state_ == State::kDone; }

 private:
  enum class State : std::uint8_t { kCommand, kLiteral, kSasl, kBusy, kDone };

  std::size_t LineLimit(std::string_view bytes) const;
  void OnLine(std::string_view line);
  void OnStep(HeadReader::Step step, std::string_view line);
  void OnLiteral(std::string_view piece);
  void OnCommand(std::string_view head);
  void OnAuthenticate(std::string_view arguments);
  void OnLoginArguments(std::string_view arguments);
  void OnSaslLine(std::string_view line);
  void TryPlain(std::string_view base64);
  void TryLogin(Credentials credentials, Mechanism mechanism);
  void Settle();
  void Succeed();
  void Unavailable(std::optional<BackendFailure> failure);
  void Fail(std::string line, CommandResult result, LoginResult login,
            std::optional<BackendFailure> failure);
  // Our own answers.
  void Answer(imap::CommandKind kind, std::string_view status, std::string_view text);
  void Mistake(imap::CommandKind kind, std::string_view text);
  void Doubt();

  ImapCore& core_;
  State state_ = State::kCommand;
  bool waits_for_room_ = false;
  imap::CommandFramer framer_;
  HeadReader reader_{kMaxDepthBeforeLogin};
  std::string tag_;  // of the login under way
  Mechanism mechanism_ = Mechanism::kLogin;
  Credentials credentials_;
  std::unique_ptr<ImapBackendLogin> backend_;
  Instant connect_began_{};
  unsigned attempts_ = 0;
  int errors_ = 0;
};

}  // namespace postern
