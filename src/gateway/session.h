// Session: one client's whole visit: two streams, one engine, and the pump between them. Owned by
// its keeper; used on the keeper's thread; destroyed only by the keeper at the end of a turn.
//
// The pump: what arrives on a side is given to the engine; what the engine does not consume waits
// here, and when it waits for anything but more bytes, the side is no longer read. Full means stop
// reading, drained means go on.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "postern/engine/engine.h"
#include "postern/gateway/keeper.h"
#include "postern/gateway/session_info.h"
#include "postern/net/dialer.h"
#include "postern/net/proxy_header.h"

namespace postern {

class Session final : public EngineHost, private Dialer::Observer {
 public:
  Session(Keeper& keeper, std::string id, ListenerId listener, const Address& client,
          const Address& local);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void Start(std::unique_ptr<Stream> client);
  void Drain();
  void DrainDeadline();
  // For the relief of memory: what is held for this session beside itself, octets; a login that
  // takes too long, and a session that holds too much, are ended.
  std::size_t held() const;
  bool logging_in() const { return state_ == SessionState::kLogin && !client_.securing; }
  Instant opened() const { return opened_; }
  void EndLogin();
  void EndForMemory();
  // A reload may have changed the idle times and the rules.
  void SetupChanged();
  // It has lost its place under a limit to another session: it ends at the next boundary.
  void GiveWay();
  void OnLookup(LookupAnswer answer);
  const std::string& id() const { return id_; }

  // What an operator sees of it, and wants of it: the end, at the next command boundary; before the
  // login at once (session_admin.cc).
  SessionInfo Describe() const;
  void Kick() { EndAtBoundary(CloseReason::kKicked); }
  void DrainWithBackend() { EndAtBoundary(CloseReason::kDrained); }
  BackendId backend() const { return backend_id_; }

  // The keeper's list.
  std::size_t place = 0;
  // The list of its backend's drain (BackendDrain).
  std::size_t drain_place = kNotDraining;
  static constexpr std::size_t kNotDraining = static_cast<std::size_t>(-1);
  static constexpr std::size_t kToldToDrain = kNotDraining - 1;

 private:
  class SideObserver final : public Stream::Observer {
   public:
    SideObserver(Session& session, Side side) : session_(session), side_(side) {}
    void OnOpen() override { session_.OnOpen(side_); }
    void OnBytes(std::string_view bytes) override { session_.OnBytes(side_, bytes); }
    void OnDrained() override { session_.OnDrained(); }
    void OnEnd(const Status& why) override { session_.OnEnd(side_, why); }

   private:
    Session& session_;
    Side side_;
  };
  // What is only needed until the login is through.
  struct Arrival {
    Address client;  // whom the session is for
    Address local;
    std::string local_text;
    Instant tls_began{};
    bool spoken_for = false;  // a trusted client has said for whom it speaks
    bool tls_judged = false;  // the rules of the TLS stage were tried
    bool cut = false;         // a rule wants the connection to end without a word
    // What the rules said before the login; told when the client can hear it.
    std::optional<Trouble> denied;
    std::string denied_text;
    Duration delay{};  // before the greeting
    std::uint32_t logins = 0;
  };
  // What rules and limits need of the session beyond its arrival. Only where there are rules.
  struct Judged {
    explicit Judged(Session& session)
        : pause(session.keeper_.world().deadlines(), &Session::OnPauseOver, &session) {}
    std::shared_ptr<const SessionRules> rules;
    std::uint32_t generation = 0;  // of the keeper's rules; 0: to be asked again
    bool of_user = false;          // rules are those of who has logged in
    std::string client_name;       // of the first ID
    std::string client_version;
    std::vector<std::unique_ptr<Ledger::Place>> places;
    bool greeting_waits = false;
    Deadline pause;
  };
  // A login under way: judged by the rules, looked up, and its backend found.
  struct Dialing {
    enum class Step : std::uint8_t {
      kDelay,   // until deadline; then kLookup
      kLookup,  // OnLookup follows
      kRefuse,  // until deadline; then the engine is told
      kDial,
    };
    explicit Dialing(Session& session)
        : setup(session.keeper_.shared_setup()),
          deadline(session.keeper_.world().deadlines(), &Session::OnConnectDeadline, &session) {}
    // The backend that was chosen, its address and its TLS are of one configuration, whatever a
    // reload changes meanwhile.
    const std::shared_ptr<const Setup> setup;
    Step step = Step::kDial;
    Credentials credentials;  // what the client said, the name after any rewriting
    Mechanism mechanism = Mechanism::kPlain;
    PoolId route = kNoPool;  // a rule's
    BackendId route_backend = kNoBackend;
    std::vector<RuleId> limits;  // of the rules as they are now
    std::uint32_t generation = 0;
    std::string user_key;      // one user in any spelling is one key (SECURITY T-ID-5)
    std::uint64_t ticket = 0;  // of the question to the lookups; 0: none
    std::optional<BackendAccount> account;
    Refusal refusal;
    std::string refusal_text;
    Candidates candidates;
    std::size_t next = 0;  // of the candidates
    Instant began{};       // of this attempt, then of its TLS
    std::optional<BackendHealth::Place> queue;
    std::unique_ptr<Dialer::Attempt> attempt;
    Deadline deadline;
  };
  struct Half {
    std::unique_ptr<Stream> stream;
    std::string pending;  // bytes the engine has not consumed
    bool reading = true;
    bool ended = false;  // the peer sent its last byte
    bool end_told = false;
    bool open = false;      // it carries the protocol
    bool tls_due = false;   // TLS begins when what was said is flushed
    bool securing = false;  // its TLS, from the first byte or begun in the middle, is not there yet
    bool tls_failed = false;
    std::uint64_t in = 0;
    std::uint64_t out = 0;
  };

  // Stream events.
  void OnOpen(Side side);
  void OnBytes(Side side, std::string_view bytes);
  void OnDrained();
  void OnEnd(Side side, const Status& why);
  void OnDialed(Result<std::unique_ptr<Stream>> result) override;
  void OnProxyHeader(const ProxyHeader& header);
  void ClientOpen();
  void BackendOpen();
  void BackendTlsFailed(const Status& why);

  // EngineHost.
  void ToClient(std::string_view bytes) override;
  void ToBackend(std::string_view bytes) override;
  bool ClientHasRoom() const override;
  bool BackendHasRoom() const override;
  void ConnectBackend(const Credentials& credentials, Mechanism mechanism) override;
  const BackendAccount* backend_account() override;
  std::optional<Refusal> Admit() override;
  const SessionRules* rules() override;
  Decision Judge(const CommandFacts& facts) override;
  std::string_view RuleText(RuleId rule) override;
  void Pause(Duration time) override;
  std::optional<Refusal> LearnClientId(std::string_view name, std::string_view version) override;
  const CommonOffer& common_offer() const override { return keeper_.common_offer(); }
  void RejectBackend(BackendFailure why) override;
  void BackendGreeted() override;
  void DropBackend(std::optional<BackendFailure> failure) override;
  void StartTls(Side side) override;
  bool ClientSpeaksFor(std::string_view address, std::uint16_t port) override;
  ClientFacts client_facts() const override;
  void LoggedIn() override;
  void LoginFailed(std::string_view user, std::string_view mechanism,
                   std::string_view result) override;
  void SlowCommand(std::string_view command, Duration first_byte, Duration total) override;
  void Finish(CloseReason reason, Ending ending) override;
  Instant now() const override { return now_; }
  Duration client_stall() const override;
  const Plan& plan() const override { return setup().plan; }

  // Every way into the engine: takes the time, flushes what was said, and settles what follows from
  // it.
  template <typename Visit>
  void Enter(Visit visit);
  void Settle();
  std::size_t Offer(Side side, std::string_view bytes);
  void OfferPending(Side side);
  void TellEnds();
  void AdjustReading();
  void NoteBusy();
  void FlushGathered();
  void Write(Half& half, Side side, std::string& gather, std::string_view bytes);
  void BeginDueTls();
  void TakeClientAddress(const Address& address);
  // The rules (session_rules.cc).
  bool judged_by_rules() const { return !keeper_.rules().empty(); }
  Judged& judged();
  SessionFacts Facts() const;
  bool JudgeArrival(Stage stage);
  void TakeArrivalLimits(const Decision& decision);
  std::string LimitKey(const Rule& rule, std::string_view user) const;
  bool TakePlace(RuleId rule, std::string_view user);
  void NoteHits(const Decision& decision, const SessionFacts& facts, const CommandFacts* command);
  void LogHit(RuleId rule, const SessionFacts& facts, const CommandFacts* command);
  void Greet();
  void Cut();
  void NoteIdle();
  static void OnPauseOver(void* session);
  // The login on its way to a backend (session_login.cc).
  bool JudgeLogin(std::string_view user);
  bool RefuseByRule(const Decision& decision, const SessionFacts& facts, Duration delay);
  void TakeRoute(const Decision& decision);
  void TakeLimits(const Decision& decision);
  void FindLimitsAnew();
  bool LimitsHaveRoom();
  void AskLookups();
  void RefuseLogin(const Refusal& refusal, Duration wait);
  void UseAccount(LookupAnswer& answer);
  void Dial(PoolId pool, BackendId backend);
  void LeaveLookup();
  void TryNextBackend();
  void BackendFailedWith(BackendFailure why);
  void CloseBackend(Stream::How how);
  void End(CloseReason reason, Stream::How how);
  void EndHandshake(CloseReason reason, Stream::How how);
  void EndAtBoundary(CloseReason why);
  void Close();
  void WriteLog() const;
  static void OnDeadline(void* session);
  static void OnConnectDeadline(void* session);
  void ArmIdle();

  Half& half(Side side) { return side == Side::kClient ? client_ : backend_; }
  Shard& shard() { return keeper_.shard(); }
  const Door& door() const { return keeper_.setup().doors[listener_]; }
  const Setup& setup() const { return dialing_ ? *dialing_->setup : keeper_.setup(); }
  const Routes& routes() const { return setup().routes; }

  Keeper& keeper_;
  std::string id_;
  std::string address_;
  std::uint16_t port_ = 0;
  ListenerId listener_;
  Protocol protocol_;
  SessionState state_ = SessionState::kHandshake;
  std::optional<Mechanism> mechanism_;  // of the last login; rules that a reload brings may ask
  PoolId pool_ = kNoPool;
  BackendId backend_id_ = kNoBackend;
  bool finished_ = false;
  bool stalled_ = false;        // reading the backend is paused for the client's backlog
  bool inside_ = false;         // within Enter
  bool busy_ = false;           // a command waited for its answer
  bool awaits_header_ = false;  // the PROXY header was not read yet
  bool trusted_ = false;
  bool secure_ = false;  // the client's TLS is there
  CloseReason reason_ = CloseReason::kInternal;
  Stream::How how_ = Stream::How::kFlush;
  Instant opened_;
  Instant now_;
  Instant client_bytes_at_;  // the idle time counts from here
  Instant kicked_until_{};   // an operator waits for its end no longer
  Instant stalled_since_{};
  Duration stall_total_{};
  Half client_;
  Half backend_;
  SideObserver client_observer_;
  SideObserver backend_observer_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<Arrival> arrival_;
  std::unique_ptr<Dialing> dialing_;
  std::unique_ptr<Judged> judged_;
  Deadline deadline_;  // of the handshake, then the login, then idleness
};

template <typename Visit>
void Session::Enter(Visit visit) {
  if (finished_) return;
  now_ = keeper_.world().now();
  inside_ = true;
  visit();
  Settle();
  inside_ = false;
  if (finished_ && how_ == Stream::How::kFlush) client_.stream->LastWords();
  FlushGathered();
  if (finished_) return Close();
  if (client_.tls_due || backend_.tls_due) BeginDueTls();
}

}  // namespace postern
