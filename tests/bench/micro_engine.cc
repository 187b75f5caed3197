// Nanoseconds and allocations of a whole engine relaying: the path of every command after the
// login, without sockets and TLS. One iteration is the command and its answer.

#include <benchmark/benchmark.h>

#include <string>
#include <string_view>

#include "micro_allocations.h"
#include "postern/engine/engine_context.h"
#include "postern/engine/imap_engine.h"
#include "postern/engine/pop3_engine.h"

namespace postern {
namespace {

constexpr std::size_t kPiece = 64 * 1024;  // what one read from a socket brings at most
constexpr std::size_t kMessage = 1 << 20;

// A world that takes everything and counts it.
class NullHost final : public EngineHost {
 public:
  void ToClient(std::string_view bytes) override { client_octets += bytes.size(); }
  void ToBackend(std::string_view bytes) override {
    backend_octets += bytes.size();
    if (!logged_in) last_line.assign(bytes);
  }
  bool ClientHasRoom() const override { return true; }
  bool BackendHasRoom() const override { return true; }
  void ConnectBackend(const Credentials&, Mechanism) override {}
  const BackendAccount* backend_account() override { return nullptr; }
  void RejectBackend(BackendFailure) override {}
  void DropBackend(std::optional<BackendFailure>) override {}
  void StartTls(Side) override {}
  bool ClientSpeaksFor(std::string_view, std::uint16_t) override { return false; }
  ClientFacts client_facts() const override {
    ClientFacts facts;
    facts.secure = true;
    return facts;
  }
  std::optional<Refusal> Admit() override { return {}; }
  void LoggedIn() override { logged_in = true; }
  void LoginFailed(std::string_view, std::string_view, std::string_view) override {}
  void SlowCommand(std::string_view, Duration, Duration) override {}
  const SessionRules* rules() override { return nullptr; }
  Decision Judge(const CommandFacts&) override { return {}; }
  std::string_view RuleText(RuleId) override { return {}; }
  void Pause(Duration) override {}
  std::optional<Refusal> LearnClientId(std::string_view, std::string_view) override { return {}; }
  const CommonOffer& common_offer() const override { return offer; }
  void Finish(CloseReason, Ending) override { finished = true; }
  Instant now() const override { return Instant{std::chrono::hours(1)}; }
  Duration client_stall() const override { return {}; }
  const Plan& plan() const override { return settings; }

  uint64_t client_octets = 0;
  uint64_t backend_octets = 0;
  std::string last_line;  // before the login: what the engine said to the backend last
  bool logged_in = false;
  bool finished = false;
  Plan settings;
  CommonOffer offer;
};

// An engine that has come through its login.
template <typename EngineType>
struct Relay {
  Relay() : shard(ShardSize{1, 1, 1}), engine(EngineContext{host, shard, pool}) { engine.Start(); }

  void Client(std::string_view bytes) { Feed(bytes, &Engine::OnClientBytes); }
  void Backend(std::string_view bytes) { Feed(bytes, &Engine::OnBackendBytes); }

  // In pieces as they come from a socket. What the engine leaves is offered again.
  void Feed(std::string_view bytes, std::size_t (Engine::*on_bytes)(std::string_view)) {
    while (!bytes.empty()) {
      const std::size_t taken = (engine.*on_bytes)(bytes.substr(0, kPiece));
      bytes.remove_prefix(taken);
      if (taken == 0) return;
    }
  }

  // Fails the benchmark when the conversation did not go as meant.
  bool Good(benchmark::State& state) const {
    if (host.logged_in && !host.finished) return true;
    state.SkipWithError("the engine ended or never logged in");
    return false;
  }

  NullHost host;
  Shard shard;
  InFlightPool pool;
  EngineType engine;
};

void LogIn(Relay<ImapEngine>& relay) {
  relay.Client("A1 LOGIN ann secret\r\n");
  relay.engine.OnBackendConnected(PoolId{0}, BackendId{0});
  relay.Backend("* OK [CAPABILITY IMAP4rev1 LITERAL+ AUTH=PLAIN IDLE] ready\r\n");
  for (int n = 0; n < 8 && !relay.host.logged_in; ++n) {
    const std::string& line = relay.host.last_line;
    relay.Backend(line.substr(0, line.find(' ')) +
                  " OK [CAPABILITY IMAP4rev1 LITERAL+ IDLE] done\r\n");
  }
}

void LogIn(Relay<Pop3Engine>& relay) {
  relay.Client("USER ann\r\n");
  relay.Client("PASS secret\r\n");
  relay.engine.OnBackendConnected(PoolId{0}, BackendId{0});
  relay.Backend("+OK ready\r\n");
  for (int n = 0; n < 8 && !relay.host.logged_in; ++n) {
    const bool capa = relay.host.last_line.substr(0, 4) == "CAPA";
    relay.Backend(capa ? "+OK\r\nUSER\r\nUIDL\r\nTOP\r\n.\r\n" : "+OK\r\n");
  }
}

void ImapNoop(benchmark::State& state) {
  Relay<ImapEngine> relay;
  LogIn(relay);
  const AllocationsPerIteration allocations(state);
  for (auto _ : state) {
    relay.Client("A12345 NOOP\r\n");
    relay.Backend("A12345 OK done\r\n");
  }
  relay.Good(state);
}
BENCHMARK(ImapNoop);

void Imap16Noops(benchmark::State& state) {
  Relay<ImapEngine> relay;
  LogIn(relay);
  std::string commands, answers;
  for (int n = 10; n < 26; ++n) {
    commands += "A" + std::to_string(n) + " NOOP\r\n";
    answers += "A" + std::to_string(n) + " OK done\r\n";
  }
  const AllocationsPerIteration allocations(state);
  for (auto _ : state) {
    relay.Client(commands);
    relay.Backend(answers);
  }
  state.SetItemsProcessed(state.iterations() * 16);
  relay.Good(state);
}
BENCHMARK(Imap16Noops);

void ImapFetchMegabyte(benchmark::State& state) {
  Relay<ImapEngine> relay;
  LogIn(relay);
  std::string answer = "* 1 FETCH (BODY[] {" + std::to_string(kMessage) + "}\r\n";
  answer += std::string(kMessage, 'm') + ")\r\nA12345 OK done\r\n";
  const AllocationsPerIteration allocations(state);
  for (auto _ : state) {
    relay.Client("A12345 FETCH 1 BODY.PEEK[]\r\n");
    relay.Backend(answer);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(answer.size()));
  relay.Good(state);
}
BENCHMARK(ImapFetchMegabyte);

void ImapAppendMegabyte(benchmark::State& state) {
  Relay<ImapEngine> relay;
  LogIn(relay);
  const std::string command = "A12345 APPEND INBOX {" + std::to_string(kMessage) + "}\r\n";
  const std::string message = std::string(kMessage, 'm') + "\r\n";
  const AllocationsPerIteration allocations(state);
  for (auto _ : state) {
    relay.Client(command);
    relay.Backend("+ OK\r\n");
    relay.Client(message);
    relay.Backend("A12345 OK done\r\n");
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(message.size()));
  relay.Good(state);
}
BENCHMARK(ImapAppendMegabyte);

void Pop3Retr20k(benchmark::State& state) {
  Relay<Pop3Engine> relay;
  LogIn(relay);
  std::string answer = "+OK 20480 octets\r\n";
  for (int n = 0; n < 20480 / 64; ++n) answer += std::string(62, 'm') + "\r\n";
  answer += ".\r\n";
  const AllocationsPerIteration allocations(state);
  for (auto _ : state) {
    relay.Client("RETR 1\r\n");
    relay.Backend(answer);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(answer.size()));
  relay.Good(state);
}
BENCHMARK(Pop3Retr20k);

}  // namespace
}  // namespace postern
