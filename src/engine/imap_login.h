// ImapLogin: the part of an IMAP session in which Postern speaks as the server: greeting to login.
// What it learns goes to ImapBackendLogin, which speaks as the client. Dropped when the relay
// begins. Pure.
//
//   state         client line              answer of the backend leg
//   kCommand      LOGIN, AUTHENTICATE+IR -> kBusy; AUTHENTICATE -> kSasl, `+ ` asked; STARTTLS ->
//                 kSecuring; a login that is not taken here and its literal -> kSwallow
//   kLiteral      the literal, the rest of its line: as kCommand
//   kSwallow      the literal              -> kSwallowTail
//   kSwallowTail  the rest of its line     -> kCommand
//   kSasl         base64 -> kSasl, kBusy; `*` -> kCommand
//   kSecuring     (TLS has the bytes)      OnClientSecured -> kCommand
//   kBusy         (client waits)           OK -> done; a challenge -> kChallenge; NO, unavailable
//                                          -> kCommand, or the end after too many
//   kChallenge    one line -> kBusy        (an answer waits for the line)
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "engine/head_reader.h"
#include "engine/imap_backend_login.h"
#include "engine/imap_core.h"
#include "engine/imap_offer.h"
#include "postern/engine/limits.h"
#include "postern/engine/trouble.h"
#include "postern/sasl/sasl.h"

namespace postern {

class ImapLogin {
 public:
  explicit ImapLogin(ImapCore& core) : core_(core) {}

  void Greet();
  std::size_t OnClientBytes(std::string_view bytes);
  std::size_t OnBackendBytes(std::string_view bytes);
  // TLS is there: what was said in plain text is forgotten.
  void OnClientSecured();
  void OnBackendSecured();
  void OnBackendConnected();
  void OnBackendFailed();
  // The login that is under way is not to be: a rule, a limit or a lookup says so.
  void OnRefusal(const Refusal& refusal);
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
  enum class State : std::uint8_t {
    kCommand,
    kLiteral,
    kSwallow,
    kSwallowTail,
    kSasl,
    kSecuring,
    kBusy,
    kChallenge,
    kDone,
  };
  using Step = HeadReader::Step;

  // Reading the client (imap_login.cc).
  ImapOffer Offer() const;
  bool Hides(std::string_view capability) const;
  std::string Capabilities() const;
  imap::CommandSet Commands() const;
  bool MayRead() const;
  std::size_t LineLimit(std::string_view bytes) const;
  void OnFrame(const imap::Frame& frame, std::string_view bytes);
  void OnLine(std::string_view line);
  void OnStep(Step step, std::string_view line);
  void OnLiteral(std::string_view piece);
  void OnSwallowTail(std::string_view line);
  void BeginTls(bool bytes_behind);
  void Answer(imap::CommandKind kind, std::string_view status, std::string_view text);
  void Mistake(imap::CommandKind kind, std::string_view text);
  void Doubt();

  // What the commands mean (imap_login_commands.cc).
  bool RefuseLogin(Step step);
  void OnCommand(std::string_view arguments);
  void OnId(std::string_view arguments);
  void LearnWhoSpeaks(std::string_view arguments);
  void OnLoginArguments(std::string_view arguments);
  void OnAuthenticate(std::string_view arguments);
  void OnSasl(SaslExchange::Outcome outcome);
  void OnChallengeAnswer(std::string_view line);
  void TryLogin(Credentials credentials, Mechanism mechanism, imap::CommandKind kind);

  // How a login ends (imap_login_end.cc).
  void Settle();
  void Succeed();
  void Refused();
  void Unavailable(std::optional<BackendFailure> failure);
  void Reject(BackendFailure failure);
  struct Failure {
    CommandResult command = CommandResult::kLocal;
    LoginResult login = LoginResult::kUnavailable;
    std::string_view logged;                // the result in the log
    bool wrong_password = false;            // an attempt is used up
    std::optional<BackendFailure> backend;  // it is to blame
  };
  void Fail(std::string_view text, const Failure& failure);

  ImapCore& core_;
  State state_ = State::kCommand;
  bool waits_for_room_ = false;
  bool spoken_for_ = false;  // a trusted client said whose session it is
  imap::CommandFramer framer_;
  HeadReader reader_{kMaxDepthBeforeLogin};
  std::string tag_;  // of the command being answered, and of the login under way
  std::optional<SaslExchange> sasl_;
  Mechanism mechanism_ = Mechanism::kLogin;
  Credentials credentials_;
  std::unique_ptr<ImapBackendLogin> backend_;
  Instant connected_at_{};
  unsigned attempts_ = 0;
  int errors_ = 0;
};

}  // namespace postern
