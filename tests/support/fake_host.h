// FakeHost: an EngineHost that records what an engine does to the world, with a clock that tests
// move. FakeSession: an engine with such a host, fed as a session feeds it: what is not consumed is
// offered again. One thread; for tests and fuzzers.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "postern/base/check.h"
#include "postern/engine/engine.h"
#include "postern/engine/engine_context.h"
#include "postern/engine/in_flight.h"
#include "postern/metrics/shard.h"
#include "postern/rules/rule_set.h"

namespace postern::testing {

class FakeHost final : public EngineHost {
 public:
  struct End {
    CloseReason reason;
    Ending ending;
  };
  struct FailedLogin {
    std::string user, mechanism, result;
  };
  struct Slow {
    std::string command;
    Duration first_byte, total;
  };
  // What Judge was asked.
  struct Judged {
    std::uint8_t command;
    std::vector<std::string> mailboxes;
    std::string argument;
    std::optional<std::uint64_t> size;
  };

  void ToClient(std::string_view bytes) override { Write(client, client_writes, bytes); }
  void ToBackend(std::string_view bytes) override { Write(backend, backend_writes, bytes); }
  bool ClientHasRoom() const override { return client_room; }
  bool BackendHasRoom() const override { return backend_room; }
  void ConnectBackend(const Credentials& credentials, Mechanism) override {
    connects.emplace_back(credentials.login_name());
  }
  const BackendAccount* backend_account() override { return account ? &*account : nullptr; }
  void RejectBackend(BackendFailure why) override { rejections.push_back(why); }
  void BackendGreeted() override { ++greetings; }
  void DropBackend(std::optional<BackendFailure> failure) override {
    ++drops;
    drop_failure = failure;
  }
  std::optional<Refusal> Admit() override { return ++admissions, admit_refusal; }
  void LoggedIn() override { logged_in = true; }
  void LoginFailed(std::string_view user, std::string_view mechanism,
                   std::string_view result) override {
    failed_logins.push_back({std::string(user), std::string(mechanism), std::string(result)});
  }
  void SlowCommand(std::string_view command, Duration first_byte, Duration total) override {
    slow.push_back({std::string(command), first_byte, total});
  }
  const SessionRules* rules() override { return session_rules.get(); }
  Decision Judge(const CommandFacts& command) override {
    std::vector<std::string> names(command.mailboxes.begin(), command.mailboxes.end());
    judged.push_back(
        {command.command, std::move(names), std::string(command.argument), command.size});
    const Decision decision = judge(command);
    for (const RuleId rule : decision.hits) hits.push_back(rule_name(rule));
    for (const RuleId rule : decision.reports) hits.push_back("report " + rule_name(rule));
    return decision;
  }
  std::string_view RuleText(RuleId rule) override {
    const std::string& text = rule_book->rules.at(rule).text;
    return text.empty() ? "refused by a rule" : std::string_view(text);
  }
  void Pause(Duration length) override { pauses.push_back(length); }
  std::optional<Refusal> LearnClientId(std::string_view name, std::string_view version) override {
    client_ids.push_back(std::string(name) + " " + std::string(version));
    return id_refusal;
  }
  const CommonOffer& common_offer() const override { return offer; }
  void StartTls(Side side) override { tls_started.push_back(side); }
  bool ClientSpeaksFor(std::string_view address, std::uint16_t port) override {
    spoken_for.push_back(std::string(address) + " " + std::to_string(port));
    return speaks_for;
  }
  ClientFacts client_facts() const override { return facts; }
  void Finish(CloseReason reason, Ending ending) override {
    POSTERN_CHECK(!end);
    end = End{reason, ending};
  }
  Instant now() const override { return time; }
  Duration client_stall() const override { return stall; }
  const Plan& plan() const override { return settings; }

  bool Ended(CloseReason reason, Ending ending = Ending::kOrderly) const {
    return end && end->reason == reason && end->ending == ending;
  }
  // What was written since the last call.
  std::string TakeClient() { return std::exchange(client, {}); }
  std::string TakeBackend() { return std::exchange(backend, {}); }

  // From now on the session lives by these rules; an empty list: by none. As a reload does it, may
  // be said at any time. The facts are those of `rule_facts`.
  void UseRules(std::vector<Rule> rules) {
    rule_book = std::make_shared<RuleBook>(RuleBook{std::move(rules)});
    Result<std::shared_ptr<RuleSet>> made = RuleSet::Compile(rule_book, rule_names);
    POSTERN_CHECK(made.ok());
    rule_set = std::move(made.value());
    session_rules = rule_set->For(rule_facts);
    judge = [this](const CommandFacts& command) {
      return rule_set->Judge(*session_rules, command);
    };
  }

  // A view that lives as long as the host, for facts and refusals.
  std::string_view KeepText(std::string text) { return texts_.emplace_back(std::move(text)); }

  // Written by the engine, in all or since the last Take.
  std::string client, backend;
  std::size_t client_writes = 0, backend_writes = 0;
  // Decisions of the engine, in order.
  std::vector<std::string> connects;
  std::vector<BackendFailure> rejections;
  int greetings = 0;
  int drops = 0;
  std::optional<BackendFailure> drop_failure;  // of the last one
  bool logged_in = false;
  std::vector<Side> tls_started;
  std::vector<std::string> spoken_for;  // "ADDRESS PORT"
  std::vector<FailedLogin> failed_logins;
  std::vector<Slow> slow;
  std::optional<End> end;
  std::vector<Judged> judged;
  std::vector<std::string> hits;  // of rules, by name; "report NAME" of those that only report
  std::vector<Duration> pauses;
  std::vector<std::string> client_ids;  // "NAME VERSION"
  int admissions = 0;                   // how often Admit was asked
  // Set by the test.
  bool client_room = true, backend_room = true;
  bool speaks_for = true;  // what ClientSpeaksFor returns
  // A client that came by implicit TLS.
  ClientFacts facts{0, false, true, "192.0.2.7", 50143, "192.0.2.1", 993, "test-0-1"};
  // One listener with implicit TLS, and pools in plain text to which nothing is forwarded.
  Plan settings = QuietPlan();
  Instant time{std::chrono::hours(1)};
  Duration stall{};
  std::optional<BackendAccount> account;
  std::optional<Refusal> admit_refusal, id_refusal;
  CommonOffer offer;
  // The rules: UseRules makes them all.
  SessionFacts rule_facts;
  RuleNames rule_names{{"imaps"}, {"legacy", "modern"}};
  std::shared_ptr<const RuleBook> rule_book;
  std::shared_ptr<RuleSet> rule_set;
  std::shared_ptr<const SessionRules> session_rules;

 private:
  static Plan QuietPlan() {
    Plan plan;
    plan.listeners.resize(1);
    PoolPlan pool;
    pool.forward_id = false;
    plan.pools = std::vector<PoolPlan>(2, pool);
    return plan;
  }
  std::string rule_name(RuleId rule) const { return rule_book->rules.at(rule).name; }
  void Write(std::string& to, std::size_t& writes, std::string_view bytes) {
    POSTERN_CHECK(!end);
    to.append(bytes);
    ++writes;
  }

  std::deque<std::string> texts_;
  // Set by UseRules, so that tests without rules need no rule set.
  std::function<Decision(const CommandFacts&)> judge;
};

// E is constructed from an EngineContext. All calls but the accessors do nothing once the engine
// has finished, as a session would.
template <typename E>
class FakeSession {
 public:
  FakeSession() : shard(ShardSize{1, 2, 2}), engine(EngineContext{host, shard, pool}) {}

  void Start() {
    if (!host.end) engine.Start();
  }
  void Deny(const Refusal& refusal, CloseReason reason) { Call(&E::Deny, refusal, reason); }
  // Bytes arrive, and are offered with what was left before.
  void Client(std::string_view bytes) {
    client_pending.append(bytes);
    OfferClient();
  }
  void Backend(std::string_view bytes) {
    backend_pending.append(bytes);
    OfferBackend();
  }
  void BackendConnected(PoolId pool_id = 0, BackendId backend_id = 0) {
    backend_pending.clear();
    After(&E::OnBackendConnected, pool_id, backend_id);
  }
  // The TLS that StartTls asked for is there.
  void Secured(Side side) {
    if (side == Side::kClient) host.facts.secure = true;
    After(&E::OnSecured, side);
  }
  void BackendFailed() { After(&E::OnBackendFailed); }
  void LoginRefused(const Refusal& refusal) { After(&E::OnLoginRefused, refusal); }
  void PauseOver() { After(&E::OnPauseOver); }
  void BackendEnd() { After(&E::OnBackendEnd); }
  void ClientEnd() { Call(&E::OnClientEnd); }
  void Timeout(Engine::Timeout which) { Call(&E::OnTimeout, which); }
  void Drain(CloseReason why = CloseReason::kDrained) { Call(&E::OnDrain, why); }
  void DrainDeadline() { Call(&E::OnDrainDeadline); }
  void Abandoned() { Call(&E::OnAbandoned); }
  // The backlog of one side has drained: both sides' bytes are offered again.
  void Drained() {
    OfferBackend();
    OfferClient();
  }
  void Advance(Duration time) { host.time += time; }
  // Reading the backend was paused for the client during this time.
  void Stall(Duration time) {
    host.time += time;
    host.stall += time;
  }

  FakeHost host;
  InFlightPool pool;
  Shard shard;
  E engine;
  std::string client_pending, backend_pending;
  std::size_t client_consumed = 0, backend_consumed = 0;

 private:
  template <typename Method, typename... Args>
  void Call(Method method, Args... args) {
    if (!host.end) (engine.*method)(args...);
  }
  template <typename Method, typename... Args>
  void After(Method method, Args... args) {
    Call(method, args...);
    OfferClient();
  }
  void OfferClient() {
    if (host.end || client_pending.empty()) return;
    client_consumed += Offer(client_pending, &E::OnClientBytes);
  }
  void OfferBackend() {
    if (host.end) return;
    if (!backend_pending.empty()) backend_consumed += Offer(backend_pending, &E::OnBackendBytes);
    OfferClient();
  }
  // Through a copy of exactly this size, so that the address sanitizer sees a look past its end.
  template <typename Method>
  std::size_t Offer(std::string& pending, Method method) {
    const auto exact = std::make_unique<char[]>(pending.size());
    pending.copy(exact.get(), pending.size());
    const std::size_t consumed = (engine.*method)(std::string_view(exact.get(), pending.size()));
    POSTERN_CHECK(consumed <= pending.size());
    pending.erase(0, consumed);
    return consumed;
  }
};

}  // namespace postern::testing
