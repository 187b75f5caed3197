// What the rules say of a session: at its arrival, about its commands, and what is told of it in
// the log and the metrics.
#include <algorithm>
#include <utility>

#include "gateway/session.h"
#include "postern/base/ip_bytes.h"
#include "postern/engine/rule_text.h"
#include "postern/imap/command.h"
#include "postern/pop3/command.h"

namespace postern {
namespace {

std::string_view CommandName(Protocol protocol, std::uint8_t command) {
  if (protocol == Protocol::kImap) {
    return imap::CommandName(static_cast<imap::CommandKind>(command));
  }
  return pop3::CommandName(static_cast<pop3::CommandKind>(command));
}

Trouble TroubleOf(Decision::Verdict verdict) {
  return verdict == Decision::Verdict::kTlsTooLow ? Trouble::kTlsRequired : Trouble::kAuthorization;
}

}  // namespace

Session::Judged& Session::judged() {
  if (!judged_) judged_ = std::make_unique<Judged>(*this);
  return *judged_;
}

SessionFacts Session::Facts() const {
  SessionFacts facts;
  facts.protocol = protocol_;
  facts.listener = listener_;
  if (const Result<Address> client = Address::FromParts(address_, port_); client.ok()) {
    facts.client = client.value();
  }
  facts.time = keeper_.world().unix_time();
  if (secure_) {
    const TlsFacts tls = client_.stream->tls();
    facts.sni = tls.sni;
    facts.tls_version = FindTlsVersion(tls.version).value_or(TlsVersion::kNone);
    facts.tls_cipher = tls.cipher;
  }
  facts.user = PlainUser(engine_->user());
  facts.pool = pool_;
  facts.mechanism = mechanism_;
  if (!judged_) return facts;
  facts.client_name = judged_->client_name;
  facts.client_version = judged_->client_version;
  return facts;
}

// ---- before the login

// False: the session is to be cut. A denial is kept until the client can hear it.
bool Session::JudgeArrival(Stage stage) {
  if (!judged_by_rules()) return true;
  const SessionFacts facts = Facts();
  const Decision decision = keeper_.rules().Decide(stage, facts);
  NoteHits(decision, facts, nullptr);
  if (decision.verdict == Decision::Verdict::kDisconnect) return false;
  arrival_->delay = std::min<Duration>(arrival_->delay + decision.delay, kMaxRuleDelay);
  if (arrival_->denied) return true;
  if (decision.refused()) {
    arrival_->denied = TroubleOf(decision.verdict);
    arrival_->denied_text = RuleText(decision.verdict_rule);
    return true;
  }
  TakeArrivalLimits(decision);
  return true;
}

void Session::TakeArrivalLimits(const Decision& decision) {
  // Taking a place asks nothing of the rules: the view stays valid.
  for (const RuleId rule : decision.hits) {
    if (keeper_.rules().rule(rule).action != Action::kLimit || TakePlace(rule, {})) continue;
    arrival_->denied = Trouble::kLimit;
    arrival_->denied_text = RuleText(rule);
    return;
  }
}

// A client of IPv6 has a whole /64 to come from.
std::string Session::LimitKey(const Rule& rule, std::string_view user) const {
  if (rule.per == Rule::Per::kUser) return Ledger::Key(rule.name, user);
  const Result<Address> client = Address::FromParts(address_, port_);
  if (!client.ok()) return Ledger::Key(rule.name, address_);
  const IpBytes ip = IpBytesOf(client.value());
  return Ledger::Key(rule.name, ip.view().substr(0, 8));
}

bool Session::TakePlace(RuleId id, std::string_view user) {
  const Rule& rule = keeper_.rules().rule(id);
  const std::string key = LimitKey(rule, user);
  Shared& shared = keeper_.shared();
  Ledger::Taken taken =
      shared.ledger.Take(key, rule.sessions, rule.full == Rule::Full::kEndOldestIdle,
                         Ledger::Holder{keeper_.index(), id_});
  if (!taken.place) return false;
  judged().places.push_back(std::move(taken.place));
  if (taken.end) {
    shared.post(taken.end->worker,
                [id = taken.end->session](Keeper& keeper) { keeper.GiveWay(id); });
  }
  return true;
}

// The client can hear us: why it is not wanted, or the greeting, perhaps after a while.
void Session::Greet() {
  if (arrival_->delay > Duration::zero()) {
    judged().greeting_waits = true;
    return Pause(std::exchange(arrival_->delay, Duration::zero()));
  }
  if (!arrival_->denied) return engine_->Start();
  const bool limit = *arrival_->denied == Trouble::kLimit;
  engine_->Deny(Refusal{*arrival_->denied, arrival_->denied_text, true, false},
                limit ? CloseReason::kLimit : CloseReason::kRule);
}

// Without a word: whoever asked for it does not want it told.
void Session::Cut() {
  engine_->OnAbandoned();
  End(CloseReason::kRule, Stream::How::kAbort);
}

// While a session waits for nothing it may have to give way to another one of a limit.
void Session::NoteIdle() {
  for (const std::unique_ptr<Ledger::Place>& one : judged_->places) {
    if (busy_ || state_ != SessionState::kRelay) {
      one->Busy();
    } else {
      one->Idle(client_bytes_at_);
    }
  }
}

void Session::GiveWay() {
  if (finished_ || state_ != SessionState::kRelay) return;
  Enter([this] { engine_->OnDrain(CloseReason::kLimit); });
}

void Session::Pause(Duration time) { judged().pause.Arm(now_ + time); }

void Session::OnPauseOver(void* owner) {
  Session& self = *static_cast<Session*>(owner);
  if (self.finished_) return;
  self.Enter([&self] {
    if (!self.judged_->greeting_waits) return self.engine_->OnPauseOver();
    self.judged_->greeting_waits = false;
    self.Greet();
  });
}

// ---- EngineHost

const SessionRules* Session::rules() {
  if (!judged_by_rules() && !judged_) return nullptr;
  Judged& judged = this->judged();
  if (judged.generation != keeper_.rules_generation()) {
    judged.generation = keeper_.rules_generation();
    const bool relayed = !engine_->user().empty();
    judged.rules = relayed ? keeper_.rules().For(Facts()) : keeper_.rules().ForArrival(Facts());
    judged.of_user = relayed;
    if (relayed && judged.rules) keeper_.KeepRules(judged.rules);
  }
  return judged.rules.get();
}

Decision Session::Judge(const CommandFacts& command) {
  CommandFacts facts = command;
  facts.time = keeper_.world().unix_time();
  const Decision decision = keeper_.rules().Judge(*judged_->rules, facts);
  if (!decision.hits.empty() || !decision.reports.empty() || decision.failed) {
    NoteHits(decision, Facts(), &facts);
  }
  return decision;
}

std::string_view Session::RuleText(RuleId id) { return RefusalText(keeper_.rules().rule(id)); }

std::optional<Refusal> Session::LearnClientId(std::string_view name, std::string_view version) {
  if (!judged_by_rules()) return {};
  Judged& judged = this->judged();
  if (!judged.client_name.empty() || !judged.client_version.empty()) return {};
  judged.client_name = name;
  judged.client_version = version;
  const SessionRules* rules = this->rules();
  const bool asked = rules != nullptr && rules->AsksClientId();
  judged.generation = 0;
  if (!asked || state_ != SessionState::kRelay) return {};
  const SessionFacts facts = Facts();
  const Decision decision = keeper_.rules().DecideById(facts);
  NoteHits(decision, facts, nullptr);
  if (!decision.refused()) return {};
  return Refusal{TroubleOf(decision.verdict), RuleText(decision.verdict_rule), true, false};
}

// ---- what is told of a hit

void Session::NoteHits(const Decision& decision, const SessionFacts& facts,
                       const CommandFacts* command) {
  if (decision.failed) shard().RuleFailed();
  const std::vector<RuleSlot>& slots = keeper_.setup().rule_slots;
  const auto count = [&](RuleId rule) {
    shard().RuleHit(rule < slots.size() ? slots[rule] : kNoRuleSlot);
  };
  for (const RuleId rule : decision.hits) {
    count(rule);
    if (keeper_.rules().rule(rule).action == Action::kLog) LogHit(rule, facts, command);
  }
  for (const RuleId rule : decision.reports) {
    count(rule);
    LogHit(rule, facts, command);
  }
}

// With the facts that the rule asks for; never what a command searches or says.
void Session::LogHit(RuleId id, const SessionFacts& facts, const CommandFacts* command) {
  const Rule& rule = keeper_.rules().rule(id);
  LogLine line("rule");
  line.Text("id", id_).Text("protocol", ProtocolName(protocol_)).Text("rule", rule.name);
  line.Text("then", ActionName(rule.action));
  line.Text("mode", rule.mode == Rule::Mode::kReport ? "report" : "enforce");
  line.Text("listener", door().name).Text("client", address_).Text("user", facts.user);
  line.Text("tls_version", secure_ ? client_.stream->tls().version : std::string_view("none"));
  if (facts.mechanism) line.Text("mechanism", MechanismName(*facts.mechanism));
  if (!facts.client_name.empty()) line.Text("client_id", facts.client_name);
  if (!facts.sni.empty()) line.Text("sni", facts.sni);
  if (facts.pool != kNoPool) line.Text("pool", routes().pool(facts.pool).name);
  if (command != nullptr) {
    line.Text("command", CommandName(protocol_, command->command));
    if (!command->mailboxes.empty()) line.Text("mailbox", command->mailboxes.front());
    if (command->size) line.Number("size", static_cast<std::int64_t>(*command->size));
  }
  keeper_.shared().log.Write(std::move(line));
}

}  // namespace postern
