// Session: one client's whole visit: two streams, one engine, and the pump between them. Owned by
// its worker; used on the worker's thread; destroyed only by the worker at the end of a turn.
//
// The pump: what arrives on a side is given to the engine; what the engine does not consume waits
// here, and when it waits for anything but more bytes, the side is no longer read. Full means stop
// reading, drained means go on.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "postern/engine/engine.h"
#include "postern/gateway/backends.h"
#include "postern/gateway/worker.h"
#include "postern/net/dialer.h"

namespace postern {

class Session final : public EngineHost, private Dialer::Observer {
 public:
  Session(Worker& worker, std::string id, ListenerId listener, Protocol protocol,
          std::unique_ptr<Stream> client, const Address& address);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void Start();
  void Drain();
  void DrainDeadline();

  // The worker's list.
  std::size_t place = 0;

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
  // A backend being found for a login under way.
  struct Dialing {
    explicit Dialing(Session& session)
        : deadline(session.worker_.loop().deadlines(), &Session::OnConnectDeadline, &session) {}
    Candidates candidates;
    std::size_t next = 0;  // of the candidates
    std::unique_ptr<Dialer::Attempt> attempt;
    Deadline deadline;
  };
  struct Half {
    std::unique_ptr<Stream> stream;
    std::string pending;  // bytes the engine has not consumed
    bool reading = true;
    bool ended = false;  // the peer sent its last byte
    bool end_told = false;
    std::uint64_t in = 0;
    std::uint64_t out = 0;
  };

  // Stream events.
  void OnOpen(Side side);
  void OnBytes(Side side, std::string_view bytes);
  void OnDrained();
  void OnEnd(Side side, const Status& why);
  void OnDialed(Result<std::unique_ptr<Stream>> result) override;

  // EngineHost.
  void ToClient(std::string_view bytes) override;
  void ToBackend(std::string_view bytes) override;
  bool ClientHasRoom() const override;
  bool BackendHasRoom() const override;
  void ConnectBackend(std::string_view user) override;
  void RejectBackend(BackendFailure why) override;
  void BackendGreeted() override;
  void DropBackend(std::optional<BackendFailure> failure) override;
  void LoggedIn() override;
  void LoginFailed(std::string_view user, std::string_view mechanism,
                   std::string_view result) override;
  void SlowCommand(std::string_view command, Duration first_byte, Duration total) override;
  void Finish(CloseReason reason, Ending ending) override;
  Instant now() const override { return now_; }
  Duration client_stall() const override;
  const Plan& plan() const override { return *worker_.shared().plan; }

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
  void TryNextBackend();
  void CloseBackend(Stream::How how);
  void End(CloseReason reason, Stream::How how);
  void EndHandshake(CloseReason reason, Stream::How how);
  void Close();
  void WriteLog() const;
  static void OnDeadline(void* session);
  static void OnConnectDeadline(void* session);
  void ArmIdle();

  Half& half(Side side) { return side == Side::kClient ? client_ : backend_; }
  Shard& shard() { return worker_.shard(); }

  Worker& worker_;
  std::string id_;
  std::string address_;
  ListenerId listener_;
  Protocol protocol_;
  SessionState state_ = SessionState::kHandshake;
  PoolId pool_ = kNoPool;
  BackendId backend_id_ = kNoBackend;
  bool finished_ = false;
  bool stalled_ = false;  // reading the backend is paused for the client's backlog
  bool inside_ = false;   // within Enter
  bool busy_ = false;     // a command waited for its answer
  CloseReason reason_ = CloseReason::kInternal;
  Stream::How how_ = Stream::How::kFlush;
  Instant opened_;
  Instant now_;
  Instant client_bytes_at_;  // the idle time counts from here
  Instant stalled_since_{};
  Duration stall_total_{};
  Half client_;
  Half backend_;
  SideObserver client_observer_;
  SideObserver backend_observer_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<Dialing> dialing_;
  Deadline deadline_;  // of the handshake, then the login, then idleness
};

template <typename Visit>
void Session::Enter(Visit visit) {
  if (finished_) return;
  now_ = MonotonicNow();
  inside_ = true;
  visit();
  Settle();
  inside_ = false;
  FlushGathered();
  if (finished_) Close();
}

}  // namespace postern
