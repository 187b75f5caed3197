#include "postern/server/server.h"

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <iostream>
#include <random>
#include <thread>
#include <utility>

#include "postern/gateway/worker.h"
#include "postern/metrics/registry.h"
#include "postern/server/admin.h"
#include "server/process.h"
#include "server/watchdog.h"

namespace postern {
namespace {

std::vector<Pool> PoolsOf(const Config& config) {
  std::vector<Pool> pools;
  for (const PoolConfig& pool : config.pools) pools.push_back({pool.name, pool.backends});
  return pools;
}

std::vector<Backend> BackendsOf(const Config& config) {
  std::vector<Backend> backends;
  for (const BackendConfig& from : config.backends) {
    Backend backend;
    backend.name = from.name;
    backend.pool = from.pool;
    backend.serves[0] = from.has_imap;
    backend.serves[1] = from.has_pop3;
    backend.address[0] = from.imap;
    backend.address[1] = from.pop3;
    backends.push_back(std::move(backend));
  }
  return backends;
}

MetricNames NamesOf(const Config& config) {
  MetricNames names;
  for (const ListenerConfig& listener : config.listeners) names.listeners.push_back(listener.name);
  for (const PoolConfig& pool : config.pools) names.pools.push_back(pool.name);
  for (const BackendConfig& backend : config.backends) {
    names.backends.push_back({backend.name, backend.pool});
  }
  for (const CertificateConfig& certificate : config.certificates) {
    names.certificates.push_back(certificate.chain);
  }
  return names;
}

std::string NewServerId() {
  char text[9];
  std::snprintf(text, sizeof text, "%08x", std::random_device{}());
  return text;
}

// Everything that runs, in the order in which it is taken down.
class Server {
 public:
  explicit Server(const Config& config)
      : config_(config),
        backends_(PoolsOf(config), BackendsOf(config)),
        look_(
            loop_.deadlines(), [](void* self) { static_cast<Server*>(self)->LookAtWorkers(); },
            this) {}

  Status Open();
  int Run();

 private:
  Status OpenWorkers();
  Result<std::vector<ListenerSetup>> BindListeners(bool first);
  Status OpenAdmin();
  void Announce();
  void BeginDrain(const char* signal_name);
  void WorkerEnded();
  void LookAtWorkers();

  const Config& config_;
  Backends backends_;
  std::unique_ptr<Log> log_;
  std::unique_ptr<Shared> shared_;
  Loop loop_;
  std::vector<Address> bound_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::unique_ptr<Registry> registry_;
  std::unique_ptr<Admin> admin_;
  std::unique_ptr<Watchdog> watchdog_;
  Deadline look_;
  Instant looked_at_{};
  std::vector<std::thread> threads_;
  std::size_t running_ = 0;
  bool draining_ = false;
};

Status Server::Open() {
  ForbidCoreDumps();
  Result<std::unique_ptr<Log>> log = Log::Open(config_.log_path);
  if (!log.ok()) return log.error();
  log_ = std::move(log.value());
  const std::size_t possible = SessionsFor(RaiseDescriptorLimit());
  const std::size_t wanted = config_.plan.limits.sessions;
  shared_.reset(new Shared{backends_,
                           *log_,
                           NewServerId(),
                           std::make_shared<const Plan>(config_.plan),
                           config_.routing_pool,
                           wanted == 0 ? possible : std::min(wanted, possible),
                           {}});
  if (Status status = OpenWorkers(); !status.ok()) return status;
  if (Status status = OpenAdmin(); !status.ok()) return status;
  return BecomeUser(config_.user);
}

// A socket for each listener; the first worker's settle which port a 0 means.
Result<std::vector<ListenerSetup>> Server::BindListeners(bool first) {
  std::vector<ListenerSetup> setups;
  for (std::size_t i = 0; i < config_.listeners.size(); ++i) {
    const ListenerConfig& listener = config_.listeners[i];
    // Sockets that share a port would not notice another instance of ours.
    const Status free = first ? BoundSocket::CheckFree(listener.address) : Status();
    if (!free.ok()) return Status::Error("listener " + listener.name + ": " + free.message());
    Result<BoundSocket> socket = BoundSocket::Bind(first ? listener.address : bound_[i]);
    if (!socket.ok()) {
      return Status::Error("listener " + listener.name + ": " + socket.error().message());
    }
    if (first) bound_.push_back(socket.value().address());
    setups.push_back({listener.name, listener.protocol, std::move(socket.value())});
  }
  return setups;
}

Status Server::OpenWorkers() {
  const unsigned count =
      config_.workers > 0 ? config_.workers : std::max(std::thread::hardware_concurrency(), 1u);
  TlsSettings tls;
  tls.chain_file = config_.certificates.front().chain;
  tls.key_file = config_.certificates.front().key;
  tls.minimum_tls13 = config_.minimum_tls13;
  tls.ticket_key = NewTicketKey();
  const ShardSize size{config_.listeners.size(), config_.pools.size(), config_.backends.size()};
  for (unsigned i = 0; i < count; ++i) {
    Result<std::vector<ListenerSetup>> setups = BindListeners(i == 0);
    if (!setups.ok()) return setups.error();
    Result<std::unique_ptr<Worker>> worker =
        Worker::Create(i, *shared_, size, std::move(setups.value()), tls);
    if (!worker.ok()) return worker.error();
    workers_.push_back(std::move(worker.value()));
  }
  return {};
}

Status Server::OpenAdmin() {
  watchdog_ = std::make_unique<Watchdog>(*log_, workers_.size());
  ProcessFigures figures;
  figures.backend_up = [this](BackendId id) { return backends_.up(id); };
  figures.certificate_not_after = [this](std::size_t) {
    return workers_.front()->certificate_not_after();
  };
  figures.log_dropped = [this] { return log_->dropped(); };
  figures.version = POSTERN_VERSION;
  figures.tls_library = TlsLibraryText();
  registry_ = std::make_unique<Registry>(NamesOf(config_), std::move(figures));
  for (const std::unique_ptr<Worker>& worker : workers_) registry_->AddShard(worker->shard());
  AdminContent content;
  content.metrics = [this] { return registry_->Scrape(); };
  content.not_ready = [this]() -> std::string {
    if (draining_) return "shutting down";
    LookAtWorkers();
    return watchdog_->not_ready();
  };
  Result<std::unique_ptr<Admin>> admin =
      Admin::Open(loop_, config_.admin_address, std::move(content));
  if (!admin.ok()) return admin.error();
  admin_ = std::move(admin.value());
  return {};
}

void Server::Announce() {
  for (std::size_t i = 0; i < bound_.size(); ++i) {
    log_->Write(std::move(LogLine("listening")
                              .Text("listener", config_.listeners[i].name)
                              .Text("address", bound_[i].Text())));
  }
  log_->Write(
      std::move(LogLine("listening").Text("listener", "admin").Text("address", admin_->address())));
  log_->Write(
      std::move(LogLine("ready")
                    .Number("workers", static_cast<std::int64_t>(workers_.size()))
                    .Number("max_sessions", static_cast<std::int64_t>(shared_->max_sessions))
                    .Text("tls", TlsLibraryText())));
}

int Server::Run() {
  loop_.OnSignal(SIGTERM, [this] { BeginDrain("SIGTERM"); });
  loop_.OnSignal(SIGINT, [this] { BeginDrain("SIGINT"); });
  // A hangup would end the process; there is nothing yet that could be read anew.
  loop_.OnSignal(SIGHUP, [this] {
    log_->Write(
        std::move(LogLine("reload_refused").Text("reason", "restart to change the configuration")));
  });
  running_ = workers_.size();
  for (const std::unique_ptr<Worker>& worker : workers_) {
    threads_.emplace_back([this, &worker] {
      worker->Run();
      loop_.Post([this] { WorkerEnded(); });
    });
  }
  Announce();
  LookAtWorkers();
  loop_.Run();
  for (std::thread& thread : threads_) thread.join();
  log_->Write(LogLine("stopped"));
  return 0;
}

void Server::LookAtWorkers() {
  const Instant now = MonotonicNow();
  // When we were held up ourselves, the whole process was stopped: no worker is to blame.
  const bool on_time = now - looked_at_ < 2 * kLookEvery;
  for (std::size_t i = 0; i < workers_.size() && on_time; ++i) {
    watchdog_->Look(i, workers_[i]->busy_for(now));
  }
  looked_at_ = now;
  look_.Arm(now + kLookEvery);
}

void Server::BeginDrain(const char* signal_name) {
  if (draining_) return;
  draining_ = true;
  log_->Write(std::move(LogLine("draining").Text("signal", signal_name)));
  for (const std::unique_ptr<Worker>& worker : workers_) worker->Drain(config_.drain);
}

void Server::WorkerEnded() {
  if (--running_ == 0) loop_.Stop();
}

}  // namespace

int RunServer(const Config& config) {
  Server server(config);
  if (Status status = server.Open(); !status.ok()) {
    std::cerr << "postern: " << status.message() << '\n';
    return 1;
  }
  return server.Run();
}

}  // namespace postern
