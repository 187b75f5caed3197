// Engine and EngineHost: the seam between a protocol's behaviour and the world.
// An engine is one session's conversation: bytes in, bytes and decisions out. Pure: no sockets, no
// clock of its own, never blocks. Owned by its session, called on the worker's thread only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "postern/base/clock.h"
#include "postern/base/close_reason.h"
#include "postern/base/ids.h"
#include "postern/engine/plan.h"
#include "postern/engine/trouble.h"
#include "postern/metrics/shard.h"
#include "postern/rules/rule_set.h"
#include "postern/sasl/sasl.h"

namespace postern {

// What is known of the client and of how it came. Views of the host's; valid until the engine
// returns.
struct ClientFacts {
  ListenerId listener = 0;
  bool trusted = false;  // its address is in listener.trusted
  bool secure = false;   // TLS is on
  // Numeric, without brackets: whom the session is for (a PROXY header or a trusted client may have
  // said so), and the address of ours that it came to.
  std::string_view address;
  std::uint16_t port = 0;
  std::string_view local_address;
  std::uint16_t local_port = 0;
  std::string_view session;  // the session's id in our log
};

// Why a login, a session or a command is refused. A view of the host's.
struct Refusal {
  Trouble trouble = Trouble::kAuthorization;
  std::string_view text;
  // The words are the last: the session ends with them.
  bool last = false;
  // A password was judged and found wrong: an attempt is used up.
  bool wrong_password = false;
};

// With what to log in at a backend, where that is not what the client said.
struct BackendAccount {
  Credentials credentials;
  Mechanism mechanism = Mechanism::kPlain;
};

// What an engine can do to the world. Implemented by Session, and by fakes in tests.
class EngineHost {
 public:
  // Bytes of the session's streams, in order. Taken whole; never calls back.
  virtual void ToClient(std::string_view bytes) = 0;
  virtual void ToBackend(std::string_view bytes) = 0;
  // False above the high mark of that side's backlog: the engine stops consuming until it is called
  // again.
  virtual bool ClientHasRoom() const = 0;
  virtual bool BackendHasRoom() const = 0;

  // Judges the login by the rules, asks the lookups, chooses pool and backend and connects. The
  // answer is OnBackendConnected, OnBackendFailed or OnLoginRefused, always on a later turn. What
  // is needed of the credentials is copied, and wiped.
  virtual void ConnectBackend(const Credentials& credentials, Mechanism mechanism) = 0;
  // With what to log in at the backend that is connected; null: with what the client said. Rules,
  // lookups and master accounts may have changed it. Valid until the backend is dropped or the
  // login is through.
  virtual const BackendAccount* backend_account() = 0;
  // This backend is of no use (greeting refused, nonsense, lost) and no byte of a credential was
  // sent: the next candidate is tried once, else OnBackendFailed comes. Answer on a later turn.
  virtual void RejectBackend(BackendFailure why) = 0;
  // The backend has greeted and said all it must before the login: timeouts.connect no longer runs.
  virtual void BackendGreeted() {}
  // Ends the backend leg in order, after a refused login. No On...Backend... call follows.
  // With a reason: the backend failed in the middle of it, and rests like one that cannot be
  // reached.
  virtual void DropBackend(std::optional<BackendFailure> failure) = 0;
  // TLS begins on this side behind what was written so far. All bytes of the side must have been
  // consumed. OnSecured follows; when there is no TLS to be had, the session ends (client), or
  // OnBackendEnd comes and the failure counts as one of TLS (backend).
  virtual void StartTls(Side side) = 0;
  // A trusted client said for whom it speaks. False when this is no numeric address; nothing is
  // changed then.
  virtual bool ClientSpeaksFor(std::string_view address, std::uint16_t port) = 0;
  virtual ClientFacts client_facts() const = 0;
  // The backend has let the user in, the client does not know yet: a limit may still refuse it.
  // Valid until the engine returns.
  virtual std::optional<Refusal> Admit() = 0;
  // The login is through: idle timeouts begin, the session counts as logged in.
  virtual void LoggedIn() = 0;
  // A login ended badly; for the log line that fail2ban may read. user as the client gave it.
  virtual void LoginFailed(std::string_view user, std::string_view mechanism,
                           std::string_view result) = 0;
  // A command ended that took at least plan().slow.
  virtual void SlowCommand(std::string_view command, Duration first_byte, Duration total) = 0;

  // The rules about this session's commands and answers, as they are now (a reload changes them
  // between two calls); null when there are none. Before the login those of the connection. Valid
  // until the engine returns.
  virtual const SessionRules* rules() = 0;
  // What the rules say about one command, if rules() concerns it: once a command, hits are counted
  // and logged. Valid as long as rules().
  virtual Decision Judge(const CommandFacts& facts) = 0;
  // The words for a client that this rule refuses; ours where the rule has none.
  virtual std::string_view RuleText(RuleId rule) = 0;
  // OnPauseOver comes after this time, on a later turn; one at a time.
  virtual void Pause(Duration time) = 0;
  // What the client's first ID says of its program, at any time; empty where it is silent. With a
  // refusal the session is to end (DESIGN 1.3): `* BYE`. Valid until the engine returns.
  virtual std::optional<Refusal> LearnClientId(std::string_view name, std::string_view version) = 0;
  // What every pool that this session could come to has, as far as probes have found out.
  virtual const CommonOffer& common_offer() const = 0;

  // The conversation is over. Orderly: what was written is flushed and the closing is heard. Abort:
  // reset without close_notify, because a response is cut. The engine is not called again.
  enum class Ending : std::uint8_t { kOrderly, kAbort };
  virtual void Finish(CloseReason reason, Ending ending) = 0;

  // The time of this call's arrival; constant within one On... call.
  virtual Instant now() const = 0;
  // The time for which reading the backend was paused for this client's backlog, in all, up to
  // now().
  virtual Duration client_stall() const = 0;
  virtual const Plan& plan() const = 0;

 protected:
  ~EngineHost() = default;
};

class Engine {
 public:
  virtual ~Engine() = default;
  // The client is ready: greet it.
  virtual void Start() = 0;
  // The client is ready and not wanted: say why instead of a greeting, and finish with the reason.
  virtual void Deny(const Refusal& refusal, CloseReason reason) = 0;
  // Consumes whole frames from the front and returns how many bytes; the rest is given again, with
  // more behind it, at the next call. The view dies on return.
  virtual std::size_t OnClientBytes(std::string_view bytes) = 0;
  virtual std::size_t OnBackendBytes(std::string_view bytes) = 0;
  // True while unconsumed client bytes wait for something other than more client bytes (room, a
  // backend's answer, a place in flight): the host stops reading the client and offers the bytes
  // again after every On...Backend... call and every drained backlog.
  virtual bool client_blocked() const = 0;

  // With TLS done where the pool's is implicit.
  virtual void OnBackendConnected(PoolId pool, BackendId backend) = 0;
  // The TLS that StartTls asked for is there.
  virtual void OnSecured(Side side) = 0;
  virtual void OnBackendFailed() = 0;
  // ConnectBackend's answer when the login is not to be: by a rule, a limit or a lookup.
  virtual void OnLoginRefused(const Refusal& refusal) = 0;
  virtual void OnPauseOver() = 0;
  // The backend ended its side; all its bytes were offered before.
  virtual void OnBackendEnd() = 0;
  // The client ended its side in order; commands in flight may still be answered. All its bytes
  // were offered.
  virtual void OnClientEnd() = 0;
  // The connection attempt, the login or the idle time ran out.
  enum class Timeout : std::uint8_t { kConnect, kLogin, kIdle };
  virtual void OnTimeout(Timeout which) = 0;
  // Shutdown has begun, or the backend is drained, or an operator wants the session to end: at the
  // next command boundary (DESIGN 2.4, 2.5). why: kDrained or kKicked.
  virtual void OnDrain(CloseReason why) = 0;
  // The drain is over: end now; a cut response stays visibly cut.
  virtual void OnDrainDeadline() = 0;
  // The connection is gone without a word of ours (reset, TLS failure); settle what was in flight.
  virtual void OnAbandoned() = 0;

  // True when no command waits for its answer; an IMAP IDLE does not count, nor a command whose
  // literal the client is still sending. The idle timeout runs then.
  virtual bool quiet() const = 0;
  // The name the client logged in with; empty before. Valid until the next call.
  virtual std::string_view user() const = 0;
  // The name of the oldest command in flight; empty: there is none.
  virtual std::string_view waiting_for() const { return {}; }
  // The commands of the session by name, as a JSON object.
  virtual std::string commands() const = 0;
};

}  // namespace postern
