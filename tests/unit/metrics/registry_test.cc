#include "postern/metrics/registry.h"

#include <array>
#include <atomic>
#include <catch2/catch.hpp>
#include <map>
#include <sstream>
#include <thread>

#include "postern/imap/command.h"
#include "postern/pop3/command.h"

namespace postern {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr auto kFetch = static_cast<std::uint8_t>(imap::CommandKind::kFetch);
constexpr auto kRetr = static_cast<std::uint8_t>(pop3::CommandKind::kRetr);
constexpr ShardSize kSize{.listeners = 2, .pools = 2, .backends = 3, .rules = 2, .lookups = 2};

// Two workers of a gateway with two pools, and what a scrape of them says.
class Gateway {
 public:
  Gateway() : registry_(Names(), Figures()), workers_{Shard(kSize), Shard(kSize)} {
    for (const Shard& worker : workers_) registry_.AddShard(worker);
  }
  Shard& worker(std::size_t index) { return workers_[index]; }
  std::string Text() const { return registry_.Scrape(); }
  // Samples by name with labels, as they stand in the text.
  std::map<std::string, double> Scrape() const {
    std::map<std::string, double> samples;
    std::istringstream text(Text());
    for (std::string line; std::getline(text, line);) {
      if (line.empty() || line[0] == '#') continue;
      const std::size_t space = line.rfind(' ');
      samples[line.substr(0, space)] = std::stod(line.substr(space + 1));
    }
    return samples;
  }

 private:
  static MetricNames Names() {
    MetricNames names;
    names.listeners = {"imaps", "pop3s"};
    names.pools = {"legacy", "new"};
    names.backends = {{"mail1", 0}, {"mail2", 0}, {"mail1", 1}};
    names.certificates = {"default"};
    names.rules = {{"no DELE", "deny", "enforce"},
                   {"TLS floor", "require-tls", "report"},
                   {"no room", "log", "enforce"}};
    names.lookups = {"users.map", "redis"};
    return names;
  }
  static ProcessFigures Figures() {
    ProcessFigures figures;
    figures.backend_up = [](BackendId backend) { return backend != 1; };
    figures.backend_state = [](BackendId backend) -> std::string_view {
      return backend == 1 ? "down" : "up";
    };
    figures.certificate_not_after = [](std::size_t) { return std::int64_t{1'800'000'000}; };
    figures.log_dropped = [] { return std::uint64_t{4}; };
    figures.rules_memory = [] { return std::uint64_t{4096}; };
    figures.version = "1.2.3";
    figures.tls_library = "API 17";
    return figures;
  }

  Registry registry_;
  std::array<Shard, 2> workers_;
};

double SumOf(const std::map<std::string, double>& samples, const std::string& prefix) {
  double sum = 0;
  for (const auto& [name, value] : samples) {
    if (name.rfind(prefix, 0) == 0) sum += value;
  }
  return sum;
}

TEST_CASE("Commands of all workers add up in the right series") {
  Gateway gateway;
  for (std::size_t worker = 0; worker < 2; ++worker) {
    gateway.worker(worker).CommandBegun(Protocol::kImap);
    gateway.worker(worker).CommandEnded({Protocol::kImap, kFetch, 1, 2}, CommandResult::kOk,
                                        milliseconds(300), milliseconds(20));
  }
  gateway.worker(0).CommandBegun(Protocol::kImap);
  gateway.worker(0).CommandBegun(Protocol::kPop3);
  gateway.worker(0).CommandEnded({Protocol::kPop3, kRetr, kNoPool, kNoBackend},
                                 CommandResult::kLocal, {}, {});
  auto samples = gateway.Scrape();
  const std::string fetch = R"(protocol="imap",command="FETCH",pool="new")";
  CHECK(samples.at("postern_commands_total{" + fetch + ",result=\"ok\"}") == 2);
  CHECK(samples.at("postern_command_duration_seconds_count{" + fetch + "}") == 2);
  CHECK(samples.at("postern_command_duration_seconds_bucket{" + fetch + ",le=\"0.25\"}") == 0);
  CHECK(samples.at("postern_command_duration_seconds_bucket{" + fetch + ",le=\"0.5\"}") == 2);
  CHECK(samples.at("postern_command_duration_seconds_sum{" + fetch + "}") == Approx(0.6));
  CHECK(samples.at("postern_backend_first_byte_seconds_bucket{" + fetch + ",le=\"0.025\"}") == 2);
  CHECK(samples.at(R"(postern_backend_command_seconds_count{protocol="imap",pool="new",)"
                   R"(backend="mail1"})") == 2);
  CHECK(samples.at(R"(postern_commands_total{protocol="pop3",command="RETR",pool="none",)"
                   R"(result="local"})") == 1);
  CHECK(samples.at(R"(postern_commands_begun_total{protocol="imap"})") == 3);
  CHECK(samples.at(R"(postern_commands_in_flight{protocol="imap"})") == 1);
  CHECK(samples.at(R"(postern_commands_in_flight{protocol="pop3"})") == 0);
}

TEST_CASE("What never happened has no series") {
  const Gateway gateway;
  const std::string text = gateway.Text();
  for (const char* name : {"postern_commands_total", "postern_sessions_total", "postern_sessions{",
                           "postern_logins_total", "postern_bytes_total", "_duration_seconds",
                           "postern_upload_seconds", "postern_rewrites_total"}) {
    CAPTURE(name);
    CHECK(text.find(name) == std::string::npos);
  }
}

TEST_CASE("Obsolete TLS versions are told apart so that who speaks them can be counted") {
  Gateway gateway;
  for (const char* version : {"1.0", "1.1"}) {
    gateway.worker(0).Handshake(0, version, "other", false, true, milliseconds(3));
  }
  const auto samples = gateway.Scrape();
  for (const std::string version : {"1.0", "1.1"}) {
    CHECK(samples.count(R"(postern_tls_handshakes_total{listener="imaps",version=")" + version +
                        R"(",cipher="other",resumed="false",result="ok"})") == 1);
  }
}

TEST_CASE("Sessions logins handshakes and bytes have the names of the contract") {
  Gateway gateway;
  Shard& worker = gateway.worker(1);
  worker.SessionOpened(Protocol::kImap, 0);
  worker.SessionOpened(Protocol::kImap, 0);
  worker.SessionMoved(Protocol::kImap, SessionState::kHandshake, SessionState::kRelay);
  worker.SessionClosed(Protocol::kImap, 0, SessionState::kHandshake, CloseReason::kHttp);
  worker.Handshake(0, "1.3", "TLS_AES_128_GCM_SHA256", true, true, milliseconds(3));
  worker.Login(Protocol::kImap, Mechanism::kPlain, LoginResult::kFailed);
  worker.LoginPhaseDone(Protocol::kImap, 0, LoginPhase::kConnect, milliseconds(2));
  worker.Bytes(Protocol::kPop3, Side::kBackend, Direction::kOut, 12);
  worker.Elided(Protocol::kImap, 3);
  worker.Inserted(Protocol::kImap, 4);
  worker.Rewritten(Protocol::kImap, Rewrite::kLiteral);
  worker.Upload(Protocol::kImap, 0, seconds(2));
  worker.BackendContinue(Protocol::kImap, 0, seconds(2));
  worker.ClientStall(Protocol::kPop3, 0, seconds(2));
  worker.Idle(0, seconds(400));
  worker.BackendSessions(2, 1);
  worker.BackendFailed(1, BackendFailure::kTimeout);
  worker.AdmissionRejected(Admission::kSessions);
  worker.LoopTurn(milliseconds(1));
  auto samples = gateway.Scrape();
  const std::array<std::pair<const char*, double>, 28> expected{{
      {R"(postern_sessions_opened_total{protocol="imap",listener="imaps"})", 2},
      {R"(postern_sessions_total{protocol="imap",listener="imaps",close_reason="http"})", 1},
      {R"(postern_sessions{protocol="imap",state="relay",worker="1"})", 1},
      {R"(postern_sessions{protocol="imap",state="relay",worker="0"})", 0},
      {R"(postern_sessions{protocol="imap",state="handshake",worker="1"})", 0},
      {R"(postern_tls_handshakes_total{listener="imaps",version="1.3",)"
       R"(cipher="TLS_AES_128_GCM_SHA256",resumed="true",result="ok"})",
       1},
      {R"(postern_tls_handshake_duration_seconds_count{listener="imaps",version="1.3"})", 1},
      {R"(postern_logins_total{protocol="imap",mechanism="PLAIN",result="failed"})", 1},
      {R"(postern_login_duration_seconds_count{protocol="imap",pool="legacy",phase="connect"})", 1},
      {R"(postern_bytes_total{protocol="pop3",side="backend",direction="out"})", 12},
      {R"(postern_elided_bytes_total{protocol="imap"})", 3},
      {R"(postern_inserted_bytes_total{protocol="imap"})", 4},
      {R"(postern_rewrites_total{protocol="imap",kind="literal"})", 1},
      {R"(postern_upload_seconds_bucket{protocol="imap",pool="legacy",le="10"})", 1},
      {R"(postern_backend_continue_seconds_bucket{protocol="imap",pool="legacy",le="2.5"})", 1},
      {R"(postern_client_stall_seconds_bucket{protocol="pop3",pool="legacy",le="1"})", 0},
      {R"(postern_idle_seconds_bucket{pool="legacy",le="900"})", 1},
      {R"(postern_backend_sessions{pool="new",backend="mail1"})", 1},
      {R"(postern_backend_up{pool="legacy",backend="mail1"})", 1},
      {R"(postern_backend_up{pool="legacy",backend="mail2"})", 0},
      {R"(postern_backend_state{pool="legacy",backend="mail2",state="up"})", 0},
      {R"(postern_backend_state{pool="legacy",backend="mail2",state="down"})", 1},
      {R"(postern_backend_failures_total{pool="legacy",backend="mail2",reason="timeout"})", 1},
      {R"(postern_admission_rejected_total{reason="sessions"})", 1},
      {R"(postern_loop_turn_seconds_bucket{worker="1",le="0.001"})", 1},
      {R"(postern_certificate_expiry_timestamp_seconds{name="default"})", 1'800'000'000},
      {"postern_log_dropped_total", 4},
      {"postern_series_dropped_total", 0},
  }};
  for (const auto& [name, value] : expected) {
    CAPTURE(name);
    REQUIRE(samples.count(name) == 1);
    CHECK(samples.at(name) == value);
  }
  CHECK(SumOf(samples, "postern_build_info{version=\"1.2.3\",compiler=\"") == 1);
  CHECK(samples.count("process_cpu_seconds_total") == 1);
}

TEST_CASE("Rules and lookups of all workers add up by name") {
  Gateway gateway;
  for (std::size_t worker = 0; worker < 2; ++worker) {
    gateway.worker(worker).RuleHit(1);
    gateway.worker(worker).RuleFailed();
    gateway.worker(worker).Lookup(1, LookupResult::kUnavailable, milliseconds(20));
    gateway.worker(worker).LookupCacheHit(0);
  }
  gateway.worker(0).RuleHit(2);  // beyond the room
  const auto samples = gateway.Scrape();
  CHECK(samples.at(R"(postern_rule_hits_total{rule="TLS floor",then="require-tls",)"
                   R"(mode="report"})") == 2);
  CHECK(SumOf(samples, "postern_rule_hits_total") == 2);
  CHECK(samples.at("postern_rule_errors_total") == 2);
  CHECK(samples.at("postern_rules_memory_bytes") == 4096);
  CHECK(samples.at(R"(postern_lookup_requests_total{lookup="redis",result="unavailable"})") == 2);
  CHECK(samples.at(R"(postern_lookup_duration_seconds_bucket{lookup="redis",le="0.025"})") == 2);
  CHECK(samples.at(R"(postern_lookup_cache_hits_total{lookup="users.map"})") == 2);
  CHECK(SumOf(samples, "postern_lookup_requests_total") == 2);
  CHECK(samples.at("postern_series_dropped_total") == 1);
}

TEST_CASE("A shard that is no worker's counts and has no worker label") {
  MetricNames names;
  names.listeners = {"imaps"};
  names.lookups = {"redis"};
  Registry registry(names, {});
  Shard worker({.listeners = 1, .pools = 0, .backends = 0, .rules = 0, .lookups = 1});
  Shard lookups({.listeners = 1, .pools = 0, .backends = 0, .rules = 0, .lookups = 1});
  registry.AddShard(worker);
  registry.AddSideShard(lookups);
  worker.SessionOpened(Protocol::kImap, 0);
  lookups.LookupCacheHit(0);
  const std::string text = registry.Scrape();
  CHECK(text.find(R"(postern_lookup_cache_hits_total{lookup="redis"} 1)") != text.npos);
  CHECK(text.find(R"(worker="0")") != text.npos);
  CHECK(text.find(R"(worker="1")") == text.npos);
}

TEST_CASE("Unknown commands share one series however many there are") {
  Gateway gateway;
  gateway.worker(0).CommandEnded({Protocol::kImap, 0}, CommandResult::kLocal, {}, {});
  const std::size_t before = gateway.Scrape().size();
  for (int i = 0; i < 100'000; ++i) {
    gateway.worker(0).CommandEnded({Protocol::kImap, 0}, CommandResult::kLocal, {}, {});
  }
  CHECK(gateway.Scrape().size() == before);
  CHECK(gateway.Scrape().at(R"(postern_commands_total{protocol="imap",command="other",pool="none",)"
                            R"(result="local"})") == 100'001);
}

TEST_CASE("A scrape beside busy workers is whole and its laws hold") {
  Gateway gateway;
  std::atomic<bool> stop{false};
  std::array<std::thread, 2> threads;
  for (std::size_t worker = 0; worker < threads.size(); ++worker) {
    threads[worker] = std::thread([&, worker] {
      Shard& shard = gateway.worker(worker);
      for (std::uint8_t i = 0; !stop.load(); ++i) {
        const auto command = static_cast<std::uint8_t>(i % imap::kCommandCount);
        shard.SessionOpened(Protocol::kImap, 0);
        shard.CommandBegun(Protocol::kImap);
        shard.CommandEnded({Protocol::kImap, command, static_cast<PoolId>(i % 2), 0},
                           CommandResult::kOk, milliseconds(i), milliseconds(i));
        shard.Idle(0, seconds(i));
        shard.SessionClosed(Protocol::kImap, 0, SessionState::kHandshake, CloseReason::kLogout);
      }
    });
  }
  for (int i = 0; i < 30; ++i) {
    const auto samples = gateway.Scrape();
    if (samples.count(R"(postern_commands_begun_total{protocol="imap"})") == 0) continue;
    CHECK(samples.at(R"(postern_commands_begun_total{protocol="imap"})") ==
          SumOf(samples, "postern_commands_total") +
              samples.at(R"(postern_commands_in_flight{protocol="imap"})"));
  }
  stop.store(true);
  for (std::thread& thread : threads) thread.join();
  const auto samples = gateway.Scrape();
  const double ended = SumOf(samples, "postern_commands_total");
  CHECK(ended > 0);
  CHECK(samples.at(R"(postern_commands_in_flight{protocol="imap"})") == 0);
  CHECK(SumOf(samples, "postern_command_duration_seconds_count") == ended);
  CHECK(SumOf(samples, "postern_backend_command_seconds_count") == ended);
  CHECK(SumOf(samples, "postern_sessions_opened_total") ==
        SumOf(samples, "postern_sessions_total") + SumOf(samples, "postern_sessions{"));
}

}  // namespace
}  // namespace postern
