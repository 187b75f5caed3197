// Pop3Engine: one POP3 session's conversation: our own dialogue before login, the login at the
// backend, the relay after it. Pure; owned by its session; worker's thread. Knows no sockets, no
// TLS, no choice of backends.
//
// States, and what leads from one to the next:
//
//   kLogin      the client's login commands are answered by us
//                 AUTH without initial response -> kSasl; PASS, AUTH with credentials ->
//                 kConnecting
//   kSasl       AUTH waits for the client's line
//                 "*" or nonsense -> kLogin; credentials -> kConnecting
//   kConnecting a backend is being reached; the client's bytes wait
//                 connected -> kGreeting; failed -> kLogin
//   kGreeting   the backend's greeting is awaited              +OK -> kCapa; else another backend
//   kCapa       its capabilities are awaited                   +OK, -ERR -> kUser, kAuth,
//   kAuthContinue kUser       USER was sent                                  +OK -> kPass; -ERR ->
//   kLogin kAuthContinue  AUTH without initial response was sent      "+" -> kAuth; -ERR -> kLogin
//   kPass, kAuth   the password was sent                       +OK -> kRelay; -ERR -> kLogin
//   kRelay      commands go to the backend, replies to the client, in order
//                 QUIT, a malformed line -> kEnding
//   kEnding     nothing more is read from the client; what is in flight is answered -> kDone
//   kDone       finished; from every state
//
// In kGreeting to kAuth the loss of the backend leads to another backend while no byte of a
// credential was sent, and to kLogin with [SYS/TEMP] after that. Nothing here ever sends a QUIT of
// ours: deletions commit only on the client's own (RFC 1939 §6).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "postern/engine/command_counts.h"
#include "postern/engine/engine.h"
#include "postern/engine/engine_context.h"
#include "postern/engine/in_flight.h"
#include "postern/pop3/command.h"
#include "postern/pop3/framer.h"
#include "postern/sasl/sasl.h"

namespace postern {

class Pop3Engine final : public Engine {
 public:
  explicit Pop3Engine(const EngineContext& context);
  ~Pop3Engine() override;
  Pop3Engine(const Pop3Engine&) = delete;
  Pop3Engine& operator=(const Pop3Engine&) = delete;

  void Start() override;
  std::size_t OnClientBytes(std::string_view bytes) override;
  std::size_t OnBackendBytes(std::string_view bytes) override;
  bool client_blocked() const override { return blocked_; }
  void OnBackendConnected(PoolId pool, BackendId backend) override;
  void OnSecured(Side side) override;
  void OnBackendFailed() override;
  void OnBackendEnd() override;
  void OnClientEnd() override;
  void OnTimeout(Timeout which) override;
  void OnDrain() override;
  void OnDrainDeadline() override;
  void OnAbandoned() override;
  bool quiet() const override { return in_flight_.empty(); }
  std::string_view user() const override { return user_; }
  std::string commands() const override;

 private:
  enum class State : std::uint8_t {
    kLogin,
    kSasl,
    kConnecting,
    kGreeting,
    kCapa,
    kUser,
    kPass,
    kAuth,
    kAuthContinue,
    kRelay,
    kEnding,
    kDone,
  };
  // What only a login needs; gone once it is through.
  struct Login {
    std::string user;  // as USER said; PASS makes it credentials
    Credentials credentials;
    Mechanism mechanism = Mechanism::kUser;
    Instant connecting{};
    Instant connected{};
    std::string capabilities;  // the backend's CAPA body
  };

  // The client before login (pop3_login.cc).
  std::size_t ReadLogin(std::string_view bytes);
  void OnLoginLine(std::string_view line);
  void OnLoginCommand(const pop3::Command& command);
  void OnUser(const pop3::Command& command);
  void OnPass(const pop3::Command& command);
  void OnAuth(const pop3::Command& command);
  void OnSaslLine(std::string_view line);
  void OnPlain(std::string_view base64);
  void Connect(Credentials credentials, Mechanism mechanism);
  // Our last words to a client that is not logged in.
  void EndBeforeLogin(CloseReason reason, std::string_view line);
  // Our own answer to the command in flight, a line with CRLF. Refuse counts a protocol error.
  void Answer(std::string_view line);
  void Accept(std::string_view line);
  void Refuse(std::string_view line);

  // The backend before login (pop3_backend.cc).
  bool in_dialogue() const;
  bool login_pending() const { return in_dialogue() || state_ == State::kConnecting; }
  bool credentials_sent() const;
  std::size_t ReadDialogue(std::string_view bytes);
  void OnDialogueFrame(std::string_view bytes, pop3::Frame::Kind kind);
  void OnGreeting(std::string_view line);
  void OnCapabilities(std::string_view bytes, pop3::Frame::Kind kind);
  void OnUserReply(std::string_view line);
  void OnContinuation(std::string_view line);
  void OnLoginReply(std::string_view line);
  void SendLogin();
  void SendAuth(const Secret& message);
  void SendUser();
  void SendPass();
  // line: without CRLF, checked to be one line.
  void SendLine(Secret line);
  void LoginThrough(std::string_view text);
  void LoginRefused(std::string_view text);
  void LoginUnavailable(std::string_view answer, std::optional<BackendFailure> failure);
  void DialogueFailed(BackendFailure why);
  void EndLogin(LoginResult result, std::optional<BackendFailure> failure);

  // The relay (pop3_relay.cc).
  struct Run;  // bytes of one side on their way through
  std::size_t ReadCommands(std::string_view bytes);
  void OnCommandLine(Run& run, std::string_view line);
  // Our own answer to a command that may not be relayed; else empty.
  static std::string_view Judge(const pop3::Command& command);
  // Our own answer, behind those of the commands before it.
  void AnswerInLine(pop3::CommandKind kind, std::string_view line);
  void ForwardToBackend(Run& run);
  void ForwardToClient(Run& run);
  std::size_t ReadReplies(std::string_view bytes);
  void OnUnaskedReply(Run& run);
  void OnReplyFrame(Run& run, const pop3::Frame& frame);
  void OnStatusLine(Run& run, std::size_t size);
  void Gather(Run& run, const pop3::Frame& frame);
  void SendCapabilities();
  void EndReply(Run& run, CommandResult result);
  void BackendLost();

  // Both.
  CommandRecord& BeginCommand(pop3::CommandKind kind);
  // Ends the oldest command in flight.
  void EndCommand(CommandResult result);
  void MarkFirstByte();
  void RefuseFraming(pop3::Frame::Kind kind);
  bool logged_in() const { return state_ == State::kRelay || state_ == State::kEnding; }
  // A reply is cut if we end now: part of it has reached the client.
  bool reply_cut() const { return logged_in() && reply_framer_.in_body() && !gathering_; }
  // Says why at a reply boundary, and ends.
  void Break(CloseReason reason, std::string_view line);
  // kEnding's end: nothing is in flight any more.
  void EndIfAnswered();
  // The end of a client that has ended its side: nothing of it waits, nothing is in flight.
  void EndIfClientGone();
  // Counts what was in flight as aborted.
  void Settle();
  void Finish(CloseReason reason, EngineHost::Ending ending);

  EngineHost& host_;
  Shard& shard_;
  InFlight in_flight_;
  CommandCounts counts_;
  pop3::CommandFramer client_framer_;
  pop3::ReplyFramer reply_framer_;
  State state_ = State::kLogin;
  bool blocked_ =
      false;  // the last client bytes were not all consumed, and more of them would not help
  bool client_ended_ = false;
  bool gathering_ = false;   // a CAPA reply is being gathered; none of it has reached the client
  bool pipelining_ = false;  // the backend takes commands before it has answered those before
  CloseReason ending_ = CloseReason::kLogout;  // in kEnding
  std::uint8_t errors_ = 0;                    // in a row, before login
  std::uint32_t attempts_ = 0;                 // refused logins
  PoolId pool_ = kNoPool;
  BackendId backend_ = kNoBackend;
  std::unique_ptr<Login> login_;
  std::string user_;
  std::string gathered_;          // status line and body of a CAPA reply
  std::string_view ending_line_;  // in kEnding: our last words, a constant; or empty
};

}  // namespace postern
