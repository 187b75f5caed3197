// Pop3Engine: one POP3 session's conversation: our own dialogue before login, the login at the
// backend, the relay after it. Pure; owned by its session; worker's thread. Knows no sockets, no
// TLS, no choice of backends.
//
// States, and what leads from one to the next:
//
//   kLogin      the client's login commands are answered by us
//                 AUTH without initial response -> kSasl; STLS -> kStls; credentials -> kConnecting
//   kSasl       AUTH waits for the client's line
//                 "*" or nonsense -> kLogin; a challenge -> kSasl; credentials -> kConnecting
//   kStls       the client's TLS handshake is under way        secured -> kLogin
//   kConnecting a backend is being reached; the client's bytes wait
//                 connected -> kBackend; failed -> kLogin
//   kBackend    Pop3BackendLogin talks to the backend; the client's bytes wait
//                 in -> kRelay; refused, impossible, lost behind the credentials -> kLogin;
//                 lost before them -> kConnecting; an OAuth challenge -> kChallenge
//   kChallenge  the client's answer to it is awaited           -> kBackend
//   kRelay      commands go to the backend, replies to the client, in order; one that a rule delays
//               is held, and all behind it
//                 QUIT, a malformed line, a rule that disconnects, an operator -> kEnding
//   kEnding     nothing more is read from the client; what is in flight is answered -> kDone
//   kDone       finished; from every state
//
// Nothing here ever sends a QUIT of ours: deletions commit only on the client's own (RFC 1939 §6).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "postern/engine/command_counts.h"
#include "postern/engine/engine.h"
#include "postern/engine/engine_context.h"
#include "postern/engine/in_flight.h"
#include "postern/pop3/capability.h"
#include "postern/pop3/command.h"
#include "postern/pop3/framer.h"
#include "postern/sasl/sasl.h"

namespace postern::pop3 {
struct Complaint;  // an -ERR of ours
}

namespace postern {

class Pop3Engine final : public Engine {
 public:
  explicit Pop3Engine(const EngineContext& context);
  ~Pop3Engine() override;
  Pop3Engine(const Pop3Engine&) = delete;
  Pop3Engine& operator=(const Pop3Engine&) = delete;

  void Start() override;
  void Deny(const Refusal& refusal, CloseReason reason) override;
  std::size_t OnClientBytes(std::string_view bytes) override;
  std::size_t OnBackendBytes(std::string_view bytes) override;
  bool client_blocked() const override { return blocked_; }
  void OnBackendConnected(PoolId pool, BackendId backend) override;
  void OnSecured(Side side) override;
  void OnBackendFailed() override;
  void OnLoginRefused(const Refusal& refusal) override;
  void OnPauseOver() override;
  void OnBackendEnd() override;
  void OnClientEnd() override;
  void OnTimeout(Timeout which) override;
  void OnDrain(CloseReason why) override;
  void OnDrainDeadline() override;
  void OnAbandoned() override;
  bool quiet() const override { return in_flight_.empty(); }
  std::string_view user() const override { return user_; }
  std::string_view waiting_for() const override;
  std::string commands() const override;

 private:
  enum class State : std::uint8_t {
    kLogin,
    kSasl,
    kStls,
    kConnecting,
    kBackend,
    kChallenge,
    kRelay,
    kEnding,
    kDone,
  };
  struct Login;  // what only a login needs (engine/pop3_login.h)
  // What becomes of a command.
  struct Ruling {
    enum class Verdict : std::uint8_t { kPass, kDeny, kDisconnect, kHold };
    Verdict verdict = Verdict::kPass;
    std::string line;  // the refusal
  };
  // A command that waits because a rule delays it: it was judged, and none of it was consumed.
  struct Held {
    Ruling ruling;
    bool over = false;  // it has waited long enough
  };

  // The client before login (pop3_login.cc).
  bool reads_login() const;
  std::size_t ReadLogin(std::string_view bytes);
  std::size_t LoginLineLimit(std::string_view bytes) const;
  void OnLoginLine(std::string_view line);
  void OnLoginCommand(const pop3::Command& command);
  void OnCapa(const pop3::Command& command);
  void OnStls(const pop3::Command& command);
  void BeginTls(bool more_behind);
  void OnXclient(const pop3::Command& command);
  void OnUtf8(const pop3::Command& command);
  void OnQuit(const pop3::Command& command);
  // Connection facts that decide what may be said.
  ListenerPlan listener() const;
  bool may_log_in() const;
  bool may_secure() const;
  // What the rules hide from this client, if anything.
  pop3::Names hidden() const;
  MechanismSet mechanisms() const { return pop3::Shown(listener().mechanisms, hidden()); }

  // Its credentials (pop3_credentials.cc).
  void OnCredentials(const pop3::Command& command);
  void RefusePlaintext(const pop3::Command& command);
  void OnUser(const pop3::Command& command);
  void OnPass(const pop3::Command& command);
  void OnAuth(const pop3::Command& command);
  void OnSaslLine(std::string_view line);
  void OnSasl(SaslExchange::Outcome outcome);
  void OnChallengeAnswer(std::string_view line);
  // An AUTH's last line is what its time begins with.
  void RestartCommand();
  void Connect(Credentials credentials, Mechanism mechanism);

  // The capability that offers the command is hidden: nobody here knows it.
  bool IsHidden(pop3::CommandKind kind) const;

  // Our own answers to the command in flight. Accept forgives errors, Refuse counts one.
  void Answer(std::string_view line);
  void Accept(std::string_view line);
  void Refuse(const pop3::Complaint& complaint);
  // Our last words to a client that is not logged in.
  void EndBeforeLogin(CloseReason reason, const pop3::Complaint& complaint);

  // The login's fate (pop3_backend.cc).
  bool in_dialogue() const { return state_ == State::kBackend || state_ == State::kChallenge; }
  bool login_pending() const { return in_dialogue() || state_ == State::kConnecting; }
  std::size_t ReadDialogue(std::string_view bytes);
  // Acts on the backend login's verdict.
  void Conclude();
  void LoginThrough(std::string_view text);
  // By a rule, a limit or a lookup: before the backend is asked, or when it has let the user in.
  void RefuseLogin(const Refusal& refusal);
  void LoginRefused(std::string_view text);
  void LoginUnavailable(const pop3::Complaint& complaint, std::optional<BackendFailure> failure);
  void TryAnotherBackend(BackendFailure why);
  void OnConnectTimeout();
  // logged: the result in the log.
  void EndLogin(LoginResult result, std::string_view logged, std::optional<BackendFailure> failure);
  void ObserveLogin();

  // The relay (pop3_relay.cc).
  struct Run;  // bytes of one side on their way through
  std::size_t ReadCommands(std::string_view bytes);
  void OnCommandLine(Run& run, std::string_view line);
  // What is wrong with a command that may not be relayed; else nothing.
  const pop3::Complaint* Fault(const pop3::Command& command) const;
  // A command of ours to answer: nothing of its line, with CRLF of that size, goes on.
  void AnswerInstead(Run& run, std::size_t size, pop3::CommandKind kind, std::string line,
                     CommandResult result);
  // Our own answer, behind those of the commands before it.
  void AnswerInLine(pop3::CommandKind kind, std::string line, CommandResult result);
  void Forward(Run& run, const pop3::Command& command, std::size_t size, std::size_t spaces);
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

  // The rules on commands (pop3_rules.cc).
  Ruling AskRules(const pop3::Command& command);
  Ruling Judge(const pop3::Command& command, const SessionRules& rules, Duration* delay);
  bool holds() const { return held_ && !held_->over; }
  void Kick(CloseReason why);

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
  void Break(CloseReason reason, const pop3::Complaint& complaint);
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
  PoolId pool_ = kNoPool;
  BackendId backend_ = kNoBackend;
  std::unique_ptr<Login> login_;
  std::unique_ptr<Held> held_;
  std::string user_;
  std::string gathered_;                               // status line and body of a CAPA reply
  const pop3::Complaint* ending_complaint_ = nullptr;  // in kEnding: our last words, a constant
  const pop3::Complaint* kicked_ = nullptr;  // the same, due behind the reply that is under way
};

}  // namespace postern
