// One client of the load: connects, says its script, checks every answer, measures.
//
// Owned by the load generator's main loop; one thread. Reports through Load, which all sessions
// share. Knows nothing of pacing or phases: it runs on by itself or sends when told to.
#pragma once

#include <netinet/in.h>

#include <deque>
#include <memory>
#include <string>
#include <string_view>

#include "channel.h"
#include "replies.h"
#include "script.h"

namespace postern {

// What all sessions share: the plan, and what was measured so far.
struct Load {
  // plan
  sockaddr_in target{};
  SSL_CTX* tls = nullptr;
  std::vector<Script> scripts;  // each session's connections take them in turn
  size_t depth = 1;             // commands in flight once logged in
  bool reconnect = false;       // an operation is a whole connection
  bool resume = false;          // ... which offers the TLS session of the one before
  bool on_demand = false;       // after the login, send only when told
  bool logins = false;          // an operation is a login, from connect to the answer
  int epoll = -1;

  // measured; the counters below run only while `measuring`
  bool measuring = false;
  uint64_t operations = 0;
  uint64_t octets = 0;  // message octets, both directions
  uint64_t handshakes = 0;
  uint64_t resumed = 0;
  Latencies latencies;
  // always counted
  uint64_t logged_in = 0;
  uint64_t answered = 0;  // commands after the login
  uint64_t errors = 0;
  std::string first_error;

  void Fail(const std::string& why);
};

class LoadSession final : public Channel::Sink {
 public:
  LoadSession(Load& load, int number);
  ~LoadSession();
  LoadSession(const LoadSession&) = delete;
  LoadSession& operator=(const LoadSession&) = delete;

  void Open();
  void OnEvent(uint32_t events);
  // Sends one more command of the loop; its latency counts from `due_ns`.
  void SendOne(int64_t due_ns);

  void OnBytes(std::string_view bytes) override;
  // Keeps the newest ticket for the next connection; for NewSessionHook.
  void KeepTicket(SSL_SESSION* ticket);

 private:
  struct InFlight {
    uint64_t tag;
    const Step* step;
    int64_t since_ns;
  };

  void Connected();
  void Handshaken();
  void OnReply(Replies::Event event);
  void Complete();
  void Advance();
  void Send(const Step& step, int64_t since_ns);
  void Upload();
  void Ended(Channel::Status status);
  void Count(int64_t since_ns);
  bool finished() const { return load_.reconnect && next_ == script_->steps.size(); }

  Load& load_;
  const size_t number_;
  const std::string user_;
  const Script* script_;
  size_t opened_ = 0;
  std::unique_ptr<Channel> channel_;
  std::unique_ptr<Replies> replies_;
  SSL_SESSION* ticket_ = nullptr;
  bool offered_ = false;  // this connection tries to resume
  bool handshaken_ = false;
  bool logged_in_ = false;
  bool broken_ = false;
  size_t next_ = 0;  // step to send
  std::deque<InFlight> in_flight_;
  uint64_t tags_ = 0;
  uint64_t upload_left_ = 0;
  int64_t operation_since_ns_ = 0;
};

}  // namespace postern
