#include "postern/server/server.h"

#include <malloc.h>
#include <signal.h>

#include <ctime>
#include <iostream>
#include <utility>

#include "postern/metrics/registry.h"
#include "postern/server/admin.h"
#include "server/addresses.h"
#include "server/config_diff.h"
#include "server/expiry.h"
#include "server/file_watch.h"
#include "server/fleet.h"
#include "server/loader.h"
#include "server/memory_pressure.h"
#include "server/notify.h"
#include "server/process.h"
#include "server/watchdog.h"

namespace postern {
namespace {

// How often host names of backends are looked up again (the last good answer stands meanwhile).
constexpr Duration kResolveEvery = std::chrono::seconds(60);

std::vector<std::string> FilesToWatch(const Config& config) {
  std::vector<std::string> files;
  for (const CertificateConfig& certificate : config.certificates) {
    for (const std::string& file : {certificate.chain, certificate.key, certificate.ocsp}) {
      if (!file.empty()) files.push_back(file);
    }
  }
  for (const PoolConfig& pool : config.pools) {
    if (!pool.verification.ca_file.empty()) files.push_back(pool.verification.ca_file);
  }
  if (!config.ticket_keys.empty()) files.push_back(config.ticket_keys);
  return files;
}

// Everything that runs, in the order in which it is taken down.
class Server {
 public:
  explicit Server(const Config& config)
      : config_(config),
        look_(
            loop_.deadlines(), [](void* self) { static_cast<Server*>(self)->Look(); }, this),
        loader_(loop_) {}

  Status Open();
  int Run();

 private:
  Status OpenAdmin();
  void Announce(const Config& config);
  void Look();
  void LookAtWorkers();
  void LookAtCertificates();
  void LookAtMemory();
  void LookUpNames();
  void Reload();
  void OnLoaded(Config config, const ConfigErrors& errors);
  void KeepWhatNeedsARestart(Config& config);
  bool Apply(Config config, const char* cause);
  void Refuse(const char* cause, const std::string& reason);
  void BeginDrain(const char* signal_name);
  void WorkerEnded();

  Config config_;
  std::unique_ptr<Log> log_;
  std::unique_ptr<Fleet> fleet_;
  Loop loop_;
  std::unique_ptr<Registry> registry_;
  std::unique_ptr<Admin> admin_;
  std::unique_ptr<Watchdog> watchdog_;
  std::unique_ptr<Expiry> expiry_;
  FileWatch files_;
  MemoryPressure memory_;
  Pressure pressure_ = Pressure::kNone;
  Deadline look_;
  Instant looked_at_{};
  Instant resolved_at_{};
  std::size_t running_ = 0;
  unsigned looks_ = 0;
  std::uint64_t applied_ = 0;
  std::uint64_t refused_ = 0;
  bool reload_due_ = false;
  bool draining_ = false;
  Loader loader_;  // the first to go: it posts to the loop
};

Status Server::Open() {
  ForbidCoreDumps();
  Result<std::unique_ptr<Log>> log = Log::Open(config_.log_path);
  if (!log.ok()) return log.error();
  log_ = std::move(log.value());
  fleet_ = std::make_unique<Fleet>(config_, *log_);
  if (Status status = fleet_->Open(config_); !status.ok()) return status;
  if (Status status = OpenAdmin(); !status.ok()) return status;
  expiry_ = std::make_unique<Expiry>(*log_);
  expiry_->Reset(config_.certificates.size());
  files_.Watch(FilesToWatch(config_));
  return BecomeUser(config_.user);
}

Status Server::OpenAdmin() {
  watchdog_ = std::make_unique<Watchdog>(*log_, fleet_->size());
  ProcessFigures figures;
  figures.backend_up = [this](BackendId id) { return fleet_->backend_up(id); };
  figures.certificate_not_after = [this](std::size_t index) {
    return fleet_->certificates().facts(index).not_after;
  };
  figures.log_dropped = [this] { return log_->dropped(); };
  figures.reloads_applied = [this] { return applied_; };
  figures.reloads_refused = [this] { return refused_; };
  figures.version = POSTERN_VERSION;
  figures.tls_library = TlsLibraryText();
  registry_ = std::make_unique<Registry>(fleet_->names(), std::move(figures));
  for (std::size_t i = 0; i < fleet_->size(); ++i) registry_->AddShard(fleet_->worker(i).shard());
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

void Server::Announce(const Config& config) {
  for (const ListenerConfig& listener : config.listeners) {
    log_->Write(std::move(LogLine("listening")
                              .Text("listener", listener.name)
                              .Text("address", fleet_->bound(listener.name).Text())));
  }
}

int Server::Run() {
  loop_.OnSignal(SIGTERM, [this] { BeginDrain("SIGTERM"); });
  loop_.OnSignal(SIGINT, [this] { BeginDrain("SIGINT"); });
  loop_.OnSignal(SIGHUP, [this] { Reload(); });
  running_ = fleet_->size();
  fleet_->Start([this] { loop_.Post([this] { WorkerEnded(); }); });
  Announce(config_);
  log_->Write(
      std::move(LogLine("listening").Text("listener", "admin").Text("address", admin_->address())));
  log_->Write(
      std::move(LogLine("ready")
                    .Number("workers", static_cast<std::int64_t>(fleet_->size()))
                    .Number("max_sessions", static_cast<std::int64_t>(fleet_->max_sessions()))
                    .Text("tls", TlsLibraryText())));
  resolved_at_ = MonotonicNow();
  Look();
  NotifyReady();
  loop_.Run();
  fleet_->Join();
  log_->Write(LogLine("stopped"));
  return 0;
}

// ---- what is looked at every second

void Server::Look() {
  LookAtWorkers();
  if (watchdog_->not_ready().empty()) NotifyAlive();
  LookAtMemory();
  if (!draining_) {
    if (++looks_ % 2 == 0) LookAtCertificates();
    LookUpNames();
  }
  look_.Arm(MonotonicNow() + kLookEvery);
}

void Server::LookAtWorkers() {
  const Instant now = MonotonicNow();
  // When we were held up ourselves, the whole process was stopped: no worker is to blame.
  const bool on_time = now - looked_at_ < 2 * kLookEvery;
  for (std::size_t i = 0; i < fleet_->size() && on_time; ++i) {
    watchdog_->Look(i, fleet_->worker(i).busy_for(now));
  }
  looked_at_ = now;
}

void Server::LookAtCertificates() {
  if (files_.Changed()) Apply(config_, "certificate");
  if (looks_ % 64 == 0) fleet_->ExpireTicketKeys();
  const std::int64_t now = std::time(nullptr);
  for (std::size_t i = 0; i < config_.certificates.size(); ++i) {
    expiry_->Look(i, config_.certificates[i].chain, fleet_->certificates().facts(i).not_after, now);
  }
}

void Server::LookAtMemory() {
  const Pressure level = memory_.Look();
  if (level != Pressure::kNone) malloc_trim(0);
  if (level == Pressure::kNone && pressure_ == level) return;
  // Above none again and again: relief may take more than one round.
  for (std::size_t i = 0; i < fleet_->size(); ++i) fleet_->worker(i).Press(level);
  if (level == pressure_) return;
  pressure_ = level;
  log_->Write(std::move(LogLine("memory_pressure")
                            .Number("level", static_cast<std::int64_t>(level))
                            .Number("percent", memory_.percent())));
}

void Server::LookUpNames() {
  const Instant now = MonotonicNow();
  if (!HasHostNames(config_) || loader_.busy() || now - resolved_at_ < kResolveEvery) return;
  resolved_at_ = now;
  loader_.Resolve(config_, [this](Config config, const ConfigErrors&) {
    KeepKnownAddresses(config_, config);
    if (!SameAddresses(config_, config)) Apply(std::move(config), "address");
    if (reload_due_) Reload();
  });
}

// ---- reload

void Server::Reload() {
  if (draining_) return;
  reload_due_ = loader_.busy();
  if (reload_due_) return;
  // The file that was rotated away is left even if the configuration is refused.
  if (const Status status = log_->Reopen(config_.log_path); !status.ok()) {
    log_->Write(std::move(LogLine("log_not_reopened").Text("reason", status.message())));
  }
  NotifyReloading();
  loader_.Load(config_.file, [this](Config config, const ConfigErrors& errors) {
    OnLoaded(std::move(config), errors);
    NotifyReady();
    if (reload_due_) Reload();
  });
}

void Server::OnLoaded(Config config, const ConfigErrors& errors) {
  for (const std::string& error : errors.errors) {
    log_->Write(std::move(LogLine("config_error").Text("reason", error)));
  }
  if (!errors.errors.empty()) return Refuse("SIGHUP", errors.errors.front());
  KeepWhatNeedsARestart(config);
  KeepKnownAddresses(config_, config);
  const std::string log_path = config.log_path;
  if (log_path != config_.log_path) {
    const Status status = log_->Reopen(log_path);
    if (!status.ok()) return Refuse("SIGHUP", status.message());
  }
  Apply(std::move(config), "SIGHUP");
}

void Server::KeepWhatNeedsARestart(Config& config) {
  for (const std::string& sentence : NeedsRestart(config_, config)) {
    log_->Write(std::move(LogLine("restart_needed").Text("reason", sentence)));
  }
  config.workers = config_.workers;
  config.user = config_.user;
  config.admin_address = config_.admin_address;
}

// By value: config_ itself may be applied again.
bool Server::Apply(Config config, const char* cause) {
  if (const Status status = fleet_->Apply(config); !status.ok()) {
    Refuse(cause, status.message());
    return false;
  }
  ++applied_;
  registry_->SetNames(fleet_->names());
  expiry_->Reset(config.certificates.size());
  files_.Watch(FilesToWatch(config));
  log_->Write(std::move(LogLine("reloaded")
                            .Text("cause", cause)
                            .Number("generation", static_cast<std::int64_t>(applied_ + 1))));
  Announce(config);
  config_ = std::move(config);
  return true;
}

void Server::Refuse(const char* cause, const std::string& reason) {
  ++refused_;
  log_->Write(std::move(LogLine("reload_refused").Text("cause", cause).Text("reason", reason)));
}

// ---- the end

void Server::BeginDrain(const char* signal_name) {
  if (draining_) return;
  draining_ = true;
  NotifyStopping();
  log_->Write(std::move(LogLine("draining").Text("signal", signal_name)));
  fleet_->Drain(config_.drain);
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
