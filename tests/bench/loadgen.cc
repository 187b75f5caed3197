// bench_loadgen: many mail clients in one thread.
//
//   bench_loadgen --port N --protocol imap|pop3 [--plain] --sessions N [--depth N] [--rate N]
//                 [--reconnect] [--resume] [--warmup-ms N] [--measure-ms N] [--operations N]
//                 [--idle] [--hold] [--burst] [--proxy-pids N,N] [--backend-pids N]
//                 -- STEP... [-- STEP...]
//
// Logs all sessions in, warms up, measures, prints one JSON line. With several lists of steps each
// session's connections take them in turn. --operations ends the span after so many. --hold prints
// `open` when all sessions are logged in and waits for a line on stdin before it goes on. --burst
// connects all sessions at once; an operation is a login, and the span ends with the last of them.
// --idle prints `open` like --hold, then obeys lines on stdin: `each` sends the first step once on
// every session and prints `done`; the end of stdin ends it. CPU times are read at both ends of the
// measured span, in the same process that counts the operations, so that they cover the same span.

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "channel.h"
#include "load_session.h"

namespace postern {
namespace {

constexpr size_t kOpeningAtOnce = 32;
constexpr int64_t kStuckAfterNs = 30'000'000'000;

struct Options {
  uint16_t port = 0;
  Protocol protocol = Protocol::kImap;
  bool plain = false;
  bool idle = false;
  bool hold = false;
  bool burst = false;
  size_t sessions = 1;
  uint64_t operations = UINT64_MAX;
  double rate = 0;
  int64_t warmup_ns = 300'000'000;
  int64_t measure_ns = 2'000'000'000;
  std::vector<int> proxy_pids;
  std::vector<int> backend_pids;
  std::vector<std::vector<std::string>> scripts;
};

std::vector<int> ParsePids(std::string_view text) {
  std::vector<int> pids;
  while (!text.empty()) {
    pids.push_back(static_cast<int>(NumberAt(text)));
    text.remove_prefix(std::min(text.find(','), text.size() - 1) + 1);
  }
  return pids;
}

Options ParseOptions(int argc, char** argv, Load& load) {
  Options options;
  int i = 1;
  const auto value = [&]() -> std::string_view {
    if (i + 1 >= argc) Die(std::string(argv[i]) + " needs a value");
    return argv[++i];
  };
  for (; i < argc; ++i) {
    const std::string_view option = argv[i];
    if (option == "--") break;
    if (option == "--plain")
      options.plain = true;
    else if (option == "--idle")
      options.idle = true;
    else if (option == "--hold")
      options.hold = true;
    else if (option == "--burst")
      options.burst = load.logins = true;
    else if (option == "--operations")
      options.operations = NumberAt(value());
    else if (option == "--reconnect")
      load.reconnect = true;
    else if (option == "--resume")
      load.resume = true;
    else if (option == "--port")
      options.port = static_cast<uint16_t>(NumberAt(value()));
    else if (option == "--protocol")
      options.protocol = value() == "pop3" ? Protocol::kPop3 : Protocol::kImap;
    else if (option == "--sessions")
      options.sessions = NumberAt(value());
    else if (option == "--depth")
      load.depth = NumberAt(value());
    else if (option == "--rate")
      options.rate = static_cast<double>(NumberAt(value()));
    else if (option == "--warmup-ms")
      options.warmup_ns = static_cast<int64_t>(NumberAt(value())) * 1'000'000;
    else if (option == "--measure-ms")
      options.measure_ns = static_cast<int64_t>(NumberAt(value())) * 1'000'000;
    else if (option == "--proxy-pids")
      options.proxy_pids = ParsePids(value());
    else if (option == "--backend-pids")
      options.backend_pids = ParsePids(value());
    else
      Die("unknown option " + std::string(option));
  }
  options.scripts.emplace_back();
  for (++i; i < argc; ++i) {
    if (argv[i] == std::string_view("--")) {
      options.scripts.emplace_back();
    } else {
      options.scripts.back().emplace_back(argv[i]);
    }
  }
  return options;
}

int OnNewTicket(SSL* ssl, SSL_SESSION* ticket) {
  static_cast<LoadSession*>(Channel::OwnerOf(ssl))->KeepTicket(ticket);
  return 1;
}

// CPU time and wall clock at one moment.
struct Moment {
  int64_t wall_ns, proxy_ns, backend_ns, load_ns;
};

class Generator {
 public:
  Generator(const Options& options, Load& load) : options_(options), load_(load) {
    for (size_t n = 0; n < options.sessions; ++n) {
      sessions_.push_back(std::make_unique<LoadSession>(load, static_cast<int>(n)));
    }
  }

  // Logs all sessions in, a few at a time or all at once.
  void OpenAll() {
    const size_t at_once = options_.burst ? sessions_.size() : kOpeningAtOnce;
    size_t opened = 0;
    uint64_t seen = 0;
    int64_t progress_ns = NowNs();
    while (load_.logged_in < sessions_.size()) {
      while (opened < sessions_.size() && opened < load_.logged_in + at_once) {
        sessions_[opened++]->Open();
      }
      Turn(100'000'000);
      if (load_.logged_in != seen) progress_ns = NowNs();
      seen = load_.logged_in;
      if (NowNs() - progress_ns > kStuckAfterNs) load_.Fail("logins hang");
      if (load_.errors > 0) return;
    }
  }

  // Runs until `end_ns`; with a rate, sends on session after session at its moment.
  void RunUntil(int64_t end_ns) {
    if (due_ns_ == 0) due_ns_ = NowNs();
    for (int64_t now = NowNs(); now < end_ns && load_.operations < options_.operations;
         now = NowNs()) {
      int64_t wake_ns = end_ns;
      if (options_.rate > 0) {
        for (; due_ns_ <= now; due_ns_ += static_cast<int64_t>(1e9 / options_.rate)) {
          sessions_[turn_++ % sessions_.size()]->SendOne(due_ns_);
        }
        wake_ns = std::min(end_ns, due_ns_);
      }
      Turn(std::max<int64_t>(wake_ns - NowNs(), 0));
    }
  }

  // The first step of the loop once on every session, a few at a time.
  void Each() {
    const uint64_t before = load_.answered;
    const int64_t begun_ns = NowNs();
    for (size_t sent = 0; load_.answered - before < sessions_.size() && load_.errors == 0;) {
      while (sent < sessions_.size() && sent < load_.answered - before + kOpeningAtOnce) {
        sessions_[sent++]->SendOne(NowNs());
      }
      Turn(100'000'000);
      if (NowNs() - begun_ns > kStuckAfterNs) load_.Fail("answers are missing");
    }
  }

  Moment Now() const {
    return {NowNs(), CpuNs(options_.proxy_pids), CpuNs(options_.backend_pids), CpuNs({getpid()})};
  }

  // Handles what is ready, waiting at most `wait_ns`.
  void Turn(int64_t wait_ns) {
    epoll_event events[256];
    const timespec wait = {wait_ns / 1'000'000'000, wait_ns % 1'000'000'000};
    const int count = epoll_pwait2(load_.epoll, events, 256, &wait, nullptr);
    for (int i = 0; i < count; ++i) {
      static_cast<LoadSession*>(events[i].data.ptr)->OnEvent(events[i].events);
    }
  }

 private:
  const Options& options_;
  Load& load_;
  std::vector<std::unique_ptr<LoadSession>> sessions_;
  int64_t due_ns_ = 0;
  size_t turn_ = 0;
};

std::string JsonText(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return quoted + "\"";
}

void Report(const Load& load, const Moment& begin, const Moment& end) {
  const auto seconds = [](int64_t ns) { return static_cast<double>(ns) / 1e9; };
  printf("{\"operations\":%lu,\"octets\":%lu,\"handshakes\":%lu,\"resumed\":%lu,", load.operations,
         load.octets, load.handshakes, load.resumed);
  printf("\"errors\":%lu,\"first_error\":%s,", load.errors, JsonText(load.first_error).c_str());
  printf("\"p50_us\":%.1f,\"p99_us\":%.1f,", load.latencies.QuantileUs(0.5),
         load.latencies.QuantileUs(0.99));
  printf("\"wall_s\":%.6f,\"proxy_cpu_s\":%.6f,\"backend_cpu_s\":%.6f,\"load_cpu_s\":%.6f}\n",
         seconds(end.wall_ns - begin.wall_ns), seconds(end.proxy_ns - begin.proxy_ns),
         seconds(end.backend_ns - begin.backend_ns), seconds(end.load_ns - begin.load_ns));
  fflush(stdout);
}

void Idle(Generator& generator, Load& load) {
  printf("open\n");
  fflush(stdout);
  char line[64];
  while (fgets(line, sizeof line, stdin) != nullptr) {
    if (strcmp(line, "each\n") == 0) generator.Each();
    printf("done\n");
    fflush(stdout);
    if (load.errors > 0) return;
  }
}

// `open`, and then whatever comes on stdin.
void Hold() {
  printf("open\n");
  fflush(stdout);
  char line[64];
  if (fgets(line, sizeof line, stdin) == nullptr) Die("nobody said go");
}

// From the login to the end of the measured span.
void Measure(const Options& options, Generator& generator, Load& load) {
  load.measuring = options.burst;
  Moment begin = generator.Now();
  generator.OpenAll();
  if (options.hold && load.errors == 0) Hold();
  const bool spans = load.errors == 0 && !options.idle && !options.burst;
  if (spans) generator.RunUntil(NowNs() + options.warmup_ns);
  load.measuring = true;
  if (!options.burst) begin = generator.Now();
  if (load.errors == 0 && options.idle) Idle(generator, load);
  if (spans) generator.RunUntil(begin.wall_ns + options.measure_ns);
  Report(load, begin, generator.Now());
}

int Main(int argc, char** argv) {
  signal(SIGPIPE, SIG_IGN);
  Load load;
  const Options options = ParseOptions(argc, argv, load);
  for (const auto& steps : options.scripts) {
    load.scripts.push_back(MakeScript(options.protocol, steps, load.reconnect));
  }
  load.on_demand = options.idle || options.rate > 0;
  load.tls = options.plain ? nullptr : MakeClientTls(OnNewTicket);
  load.target.sin_family = AF_INET;
  load.target.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  load.target.sin_port = htons(options.port);
  load.epoll = epoll_create1(EPOLL_CLOEXEC);

  Generator generator(options, load);
  Measure(options, generator, load);
  return load.errors == 0 ? 0 : 1;
}

}  // namespace
}  // namespace postern

int main(int argc, char** argv) { return postern::Main(argc, argv); }
