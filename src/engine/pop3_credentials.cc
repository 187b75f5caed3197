// Pop3Engine: how a client says who it is: USER and PASS (RFC 1939 §7), AUTH (RFC 5034).

#include <utility>

#include "engine/pop3_login.h"
#include "engine/pop3_text.h"
#include "postern/engine/limits.h"
#include "postern/pop3/capability.h"

namespace postern {

void Pop3Engine::OnCredentials(const pop3::Command& command) {
  if (!may_log_in()) return RefusePlaintext(command);
  if (command.kind == pop3::CommandKind::kUser) return OnUser(command);
  if (command.kind == pop3::CommandKind::kPass) return OnPass(command);
  if (command.kind == pop3::CommandKind::kAuth) return OnAuth(command);
  // APOP answers the timestamp of a greeting that a backend has not said (PROTOCOL 1939).
  Refuse(pop3::kNoSuchCommand);
}

// Nothing of the line is kept, and no continuation is asked for (SECURITY T-TLS-3). USER and the
// PASS behind it are one attempt. It is no error of the protocol, so it does not end the session.
void Pop3Engine::RefusePlaintext(const pop3::Command& command) {
  const bool same_attempt =
      command.kind == pop3::CommandKind::kPass && std::exchange(login_->user_refused, false);
  if (!same_attempt) shard_.PlaintextAttempt(host_.client_facts().listener);
  login_->user_refused = command.kind == pop3::CommandKind::kUser;
  Answer(pop3::kTlsRequired.Line());
}

void Pop3Engine::OnUser(const pop3::Command& command) {
  if (!listener().mechanisms.passwords()) return Refuse(pop3::kNoPasswords);
  if (command.rest.empty()) return Refuse(pop3::kBadArguments);
  if (command.rest.size() > kMaxUser) return Refuse(pop3::kLongLine);
  login_->user = command.rest;
  Accept("+OK\r\n");
}

void Pop3Engine::OnPass(const pop3::Command& command) {
  if (!listener().mechanisms.passwords()) return Refuse(pop3::kNoPasswords);
  if (login_->user.empty()) return Refuse(pop3::kUserFirst);
  if (!command.has_rest) return Refuse(pop3::kBadArguments);
  Credentials credentials;
  credentials.user = login_->user;
  credentials.password = Secret(command.rest);
  if (!CheckCredentials(credentials).ok()) return Refuse(pop3::kBadArguments);
  Connect(std::move(credentials), Mechanism::kUser);
}

void Pop3Engine::OnAuth(const pop3::Command& command) {
  const MechanismSet offered = mechanisms();
  // Without an argument: the list of mechanisms, as servers have long answered it.
  if (!command.has_rest) return Accept("+OK\r\n" + pop3::MechanismList(offered));
  const std::size_t space = command.rest.find(' ');
  const std::optional<Mechanism> mechanism = SaslMechanismOf(command.rest.substr(0, space));
  if (!mechanism || !offered.Has(*mechanism)) return Refuse(pop3::kNoSuchMechanism);
  std::optional<std::string_view> initial_response;
  if (space != command.rest.npos) initial_response = command.rest.substr(space + 1);
  login_->sasl.emplace(*mechanism);
  OnSasl(login_->sasl->Begin(initial_response));
}

void Pop3Engine::OnSaslLine(std::string_view line) {
  state_ = State::kLogin;
  RestartCommand();
  OnSasl(login_->sasl->Next(line));
}

void Pop3Engine::OnSasl(SaslExchange::Outcome outcome) {
  SaslExchange& sasl = *login_->sasl;
  switch (outcome) {
    case SaslExchange::Outcome::kChallenge:
      state_ = State::kSasl;
      return host_.ToClient("+ " + std::string(sasl.challenge()) + "\r\n");
    case SaslExchange::Outcome::kCredentials:
      Connect(sasl.Take(), sasl.mechanism());
      break;
    case SaslExchange::Outcome::kCancelled:
      // Neither an error nor an attempt (RFC 5034 §4).
      Answer(pop3::kCancelled.Line());
      break;
    case SaslExchange::Outcome::kMalformed:
      Refuse({Trouble::kClientBug, sasl.complaint()});
      break;
  }
  if (login_) login_->sasl.reset();
}

void Pop3Engine::OnChallengeAnswer(std::string_view line) {
  state_ = State::kBackend;
  RestartCommand();
  login_->backend->Answer(line);
  Conclude();
}

void Pop3Engine::RestartCommand() {
  CommandRecord& record = *in_flight_.front();
  record.start = host_.now();
  record.stall_at_start = host_.client_stall();
}

void Pop3Engine::Connect(Credentials credentials, Mechanism mechanism) {
  login_->errors = 0;
  login_->credentials = std::move(credentials);
  login_->mechanism = mechanism;
  state_ = State::kConnecting;
  host_.ConnectBackend(login_->credentials, mechanism);
}

}  // namespace postern
