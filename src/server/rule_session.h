// RuleSession: a real engine with a RuleHost, fed as a session feeds it: what is not consumed is
// offered again. One thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "server/rule_host.h"

namespace postern {

class RuleSession {
 public:
  // rules may be null, and outlives the session, as does what facts are views of.
  RuleSession(RuleSet* rules, const SessionFacts& facts);

  // Greets the client, or tells it that the rules of the connection do not want it.
  void Start();
  // Bytes arrive.
  void Client(std::string_view bytes);
  void Backend(std::string_view bytes);
  // Answers ConnectBackend: the rules about the login are asked; a backend is there, or the client
  // is refused.
  void Connect();
  // A whole login at a backend that has these capabilities (IMAP), or all that Postern follows, if
  // they are empty; as the user of the facts, whatever the rules about the login say. What was
  // written is forgotten.
  void LogIn(std::string_view capabilities);
  // After a rule's delay, if there is one.
  void PauseOver();
  // What else may happen; nothing once the engine has finished.
  void BackendEnd() { Call(&Engine::OnBackendEnd); }
  void ClientEnd() { Call(&Engine::OnClientEnd); }
  void Drain() {
    if (!host.finished) engine_->OnDrain(CloseReason::kDrained);
    Offer();
  }

  RuleHost host;

 private:
  void Offer();
  void Call(void (Engine::*method)()) {
    if (!host.finished) (engine_.get()->*method)();
    Offer();
  }
  void AnswerLogin(std::string_view capabilities);

  InFlightPool pool_;
  Shard shard_;
  std::unique_ptr<Engine> engine_;
  std::string client_, backend_;  // not consumed yet
};

}  // namespace postern
