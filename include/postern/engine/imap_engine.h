// ImapEngine: an IMAP session's behaviour from greeting to goodbye (RFC 9051, DESIGN 2). Pure;
// owned by the session.
//
//   phase     events                                        next
//   login     Start, client lines, the backend's answers    relay, once both sides know of the
//   login relay     commands, responses, drain, timeouts          the end: EngineHost::Finish
//
// The login's state is dropped when the relay begins, so that an idle session does not carry it.
#pragma once

#include <memory>

#include "postern/engine/engine_context.h"

namespace postern {

struct ImapCore;
class ImapLogin;
class ImapRelay;

class ImapEngine final : public Engine {
 public:
  explicit ImapEngine(const EngineContext& context);
  ~ImapEngine() override;

  void Start() override;
  void Deny(const Refusal& refusal, CloseReason reason) override;
  std::size_t OnClientBytes(std::string_view bytes) override;
  std::size_t OnBackendBytes(std::string_view bytes) override;
  bool client_blocked() const override;
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
  bool quiet() const override;
  std::string_view user() const override;
  std::string_view waiting_for() const override;
  std::string commands() const override;

 private:
  std::unique_ptr<ImapCore> core_;
  std::unique_ptr<ImapLogin> login_;
  std::unique_ptr<ImapRelay> relay_;
};

}  // namespace postern
