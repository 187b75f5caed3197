#include "server/rule_session.h"

#include <utility>

#include "postern/base/text.h"
#include "postern/engine/imap_engine.h"
#include "postern/engine/pop3_engine.h"

namespace postern {
namespace {

// A backend that has all that Postern follows.
constexpr std::string_view kImapBackend =
    "IMAP4rev1 IMAP4rev2 ACL BINARY CATENATE CONDSTORE CONTEXT=SEARCH ENABLE ESEARCH "
    "I18NLEVEL=2 ID IDLE LANGUAGE LIST-EXTENDED LIST-STATUS METADATA MOVE MULTIAPPEND MULTISEARCH "
    "NAMESPACE NOTIFY QRESYNC QUOTA QUOTASET REPLACE SORT SPECIAL-USE STATUS=SIZE "
    "THREAD=REFERENCES UIDPLUS UNSELECT URLAUTH URLAUTH=BINARY UTF8=ACCEPT WITHIN XLIST";
constexpr std::string_view kPop3Backend =
    "+OK\r\nUSER\r\nTOP\r\nUIDL\r\nUTF8 USER\r\nLANG\r\nRESP-CODES\r\n.\r\n";
// Lines that a backend may ask for until a login is through.
constexpr int kMostLoginLines = 8;

std::unique_ptr<Engine> MakeEngine(Protocol protocol, const EngineContext& context) {
  if (protocol == Protocol::kImap) return std::make_unique<ImapEngine>(context);
  return std::make_unique<Pop3Engine>(context);
}

}  // namespace

RuleSession::RuleSession(RuleSet* rules, const SessionFacts& facts)
    : host(rules, facts),
      shard_(ShardSize{1, 1, 1}),
      engine_(MakeEngine(facts.protocol, EngineContext{host, shard_, pool_})) {}

void RuleSession::Start() {
  for (const Stage stage : {Stage::kConnection, Stage::kTls}) {
    const std::optional<Refusal> refusal = host.RefusalAt(stage);
    if (!refusal) continue;
    engine_->Deny(*refusal, CloseReason::kRule);
    return;
  }
  host.UseRules();
  engine_->Start();
}

void RuleSession::Client(std::string_view bytes) {
  client_ += bytes;
  Offer();
}

void RuleSession::Backend(std::string_view bytes) {
  backend_ += bytes;
  Offer();
}

void RuleSession::Offer() {
  for (std::size_t taken = 1; taken > 0 && !host.finished;) {
    taken = 0;
    if (!backend_.empty()) {
      const std::size_t size = engine_->OnBackendBytes(backend_);
      backend_.erase(0, size);
      taken += size;
    }
    if (!client_.empty() && !host.finished) {
      const std::size_t size = engine_->OnClientBytes(client_);
      client_.erase(0, size);
      taken += size;
    }
  }
}

void RuleSession::Connect() {
  if (!std::exchange(host.wants_backend, false) || host.finished) return;
  if (const std::optional<Refusal> refusal = host.RefusalAt(Stage::kLogin)) {
    engine_->OnLoginRefused(*refusal);
  } else {
    engine_->OnBackendConnected(0, 0);
    host.UseRules();
  }
  Offer();
}

void RuleSession::AnswerLogin(std::string_view capabilities) {
  const std::string line = std::exchange(host.backend, {});
  if (host.facts.protocol == Protocol::kPop3) {
    return Backend(StartsWithNoCase(line, "CAPA") ? kPop3Backend : "+OK\r\n");
  }
  const std::string_view known = capabilities.empty() ? kImapBackend : capabilities;
  Backend(line.substr(0, line.find(' ')) + " OK [CAPABILITY " + std::string(known) + "] in\r\n");
}

void RuleSession::LogIn(std::string_view capabilities) {
  const bool is_imap = host.facts.protocol == Protocol::kImap;
  // The engine logs in under another name than the session's, which the facts have.
  const SessionFacts facts = host.facts;
  engine_->Start();
  Client(is_imap ? "l LOGIN trial trial\r\n" : "USER trial\r\nPASS trial\r\n");
  if (!std::exchange(host.wants_backend, false)) return;
  engine_->OnBackendConnected(0, 0);
  Backend(is_imap ? "* OK ready\r\n" : "+OK ready\r\n");
  for (int i = 0; i < kMostLoginLines && !host.logged_in && !host.backend.empty(); ++i) {
    AnswerLogin(capabilities);
  }
  host.facts = facts;
  host.client.clear();
  host.backend.clear();
  host.UseRules();
}

void RuleSession::PauseOver() {
  while (std::exchange(host.paused, false) && !host.finished) {
    engine_->OnPauseOver();
    Offer();
  }
}

}  // namespace postern
