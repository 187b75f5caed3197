#include "postern/server/server.h"

#include <malloc.h>
#include <signal.h>

#include <ctime>
#include <iostream>
#include <utility>

#include "postern/metrics/registry.h"
#include "postern/server/admin.h"
#include "server/expiry.h"
#include "server/file_watch.h"
#include "server/fleet.h"
#include "server/memory_pressure.h"
#include "server/name_watch.h"
#include "server/notify.h"
#include "server/operator.h"
#include "server/prober.h"
#include "server/process.h"
#include "server/reloader.h"
#include "server/watchdog.h"

namespace postern {
namespace {

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
  Server()
      : look_(
            loop_.deadlines(), [](void* self) { static_cast<Server*>(self)->Look(); }, this) {}

  Status Open(const Config& config);
  int Run();

 private:
  Status OpenFleet(const Config& config);
  Status OpenAdmin(const std::string& address);
  ProcessFigures Figures();
  const Config& config() const { return reloader_->config(); }
  void OnApplied(const Config& config);
  void ReadToken(const Config& config);
  void Announce(const Config& config);
  void Look();
  void LookAtWorkers();
  void LookAtCertificates();
  void LookAtMemory();
  std::string NotReady();
  void BeginDrain(const char* signal_name);
  void WorkerEnded();

  std::unique_ptr<Log> log_;
  std::unique_ptr<Fleet> fleet_;
  Loop loop_;
  std::unique_ptr<Registry> registry_;
  std::unique_ptr<Watchdog> watchdog_;
  std::unique_ptr<Expiry> expiry_;
  std::unique_ptr<Prober> prober_;
  std::unique_ptr<NameWatch> names_;
  Secret token_;  // of those who may change something
  FileWatch files_;
  MemoryPressure memory_;
  Pressure pressure_ = Pressure::kNone;
  Deadline look_;
  Instant looked_at_{};
  const Instant started_ = MonotonicNow();
  std::size_t running_ = 0;
  unsigned looks_ = 0;
  bool draining_ = false;
  std::unique_ptr<Admin> admin_;
  std::unique_ptr<Reloader> reloader_;
};

Status Server::Open(const Config& config) {
  ForbidCoreDumps();
  Result<std::unique_ptr<Log>> log = Log::Open(config.log_path);
  if (!log.ok()) return log.error();
  log_ = std::move(log.value());
  if (Status status = OpenFleet(config); !status.ok()) return status;
  reloader_ = std::make_unique<Reloader>(loop_, config, *fleet_, *log_,
                                         [this](const Config& next) { OnApplied(next); });
  prober_ = std::make_unique<Prober>(loop_, fleet_->health(), *log_, [this](CommonOffer offer) {
    fleet_->AdoptOffer(std::move(offer));
  });
  names_ = std::make_unique<NameWatch>(
      loop_, *log_, [this](Config next) { reloader_->TakeAddresses(std::move(next)); });
  expiry_ = std::make_unique<Expiry>(*log_);
  watchdog_ = std::make_unique<Watchdog>(*log_, fleet_->size());
  if (Status status = OpenAdmin(config.admin_address); !status.ok()) return status;
  OnApplied(config);
  return BecomeUser(config.user);
}

Status Server::OpenFleet(const Config& config) {
  fleet_ = std::make_unique<Fleet>(config, *log_);
  Result<CompileOrder> order = fleet_->Prepare(config);
  if (!order.ok()) return order.error();
  Result<Compiled> compiled = Compile(order.value());
  if (!compiled.ok()) return compiled.error();
  return fleet_->Open(config, std::move(compiled.value()));
}

ProcessFigures Server::Figures() {
  ProcessFigures figures;
  figures.backend_up = [this](BackendId id) { return fleet_->health().up(id); };
  figures.backend_state = [this](BackendId id) {
    return BackendStateName(fleet_->health().state(id));
  };
  figures.certificate_not_after = [this](std::size_t index) {
    return fleet_->certificates().facts(index).not_after;
  };
  figures.log_dropped = [this] { return log_->dropped(); };
  figures.reloads_applied = [this] { return reloader_->applied(); };
  figures.reloads_refused = [this] { return reloader_->refused(); };
  figures.rules_memory = [this] { return fleet_->rules_memory(); };
  figures.version = POSTERN_VERSION;
  figures.tls_library = TlsLibraryText();
  return figures;
}

Status Server::OpenAdmin(const std::string& address) {
  registry_ = std::make_unique<Registry>(fleet_->names(), Figures());
  for (std::size_t i = 0; i < fleet_->size(); ++i) registry_->AddShard(fleet_->worker(i).shard());
  registry_->AddSideShard(fleet_->lookup_shard());
  AdminContent content;
  content.metrics = [this] { return registry_->Scrape(); };
  content.not_ready = [this] { return NotReady(); };
  content.api = MakeAdminApi(
      {loop_, *fleet_, *reloader_, *log_, token_, started_, [this] { return NotReady(); },
       [this](BackendId id) { return prober_ ? prober_->standing(id) : Prober::Standing{}; }});
  Result<std::unique_ptr<Admin>> admin = Admin::Open(loop_, address, std::move(content));
  if (!admin.ok()) return admin.error();
  admin_ = std::move(admin.value());
  return {};
}

std::string Server::NotReady() {
  if (draining_) return "shutting down";
  LookAtWorkers();
  return watchdog_->not_ready();
}

// What runs beside the workers follows the configuration.
void Server::OnApplied(const Config& config) {
  registry_->SetNames(fleet_->names());
  expiry_->Reset(config.certificates.size());
  files_.Watch(FilesToWatch(config));
  ReadToken(config);
  names_->Adopt(config);
  if (const Status status = prober_->Adopt(config, fleet_->setup()); !status.ok()) {
    log_->Write(std::move(LogLine("probes_unchanged").Text("reason", status.message())));
  }
  if (running_ > 0) Announce(config);
}

void Server::ReadToken(const Config& config) {
  token_.Clear();
  if (config.admin_token_file.empty()) return;
  Result<Secret> token = ReadAdminToken(config.admin_token_file);
  if (token.ok()) {
    token_ = std::move(token.value());
  } else {
    log_->Write(std::move(LogLine("no_admin_token").Text("reason", token.error().message())));
  }
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
  loop_.OnSignal(SIGHUP, [this] { reloader_->Reload("SIGHUP", [](const ReloadOutcome&) {}); });
  running_ = fleet_->size();
  fleet_->Start([this] { loop_.Post([this] { WorkerEnded(); }); });
  Announce(config());
  log_->Write(
      std::move(LogLine("listening").Text("listener", "admin").Text("address", admin_->address())));
  log_->Write(
      std::move(LogLine("ready")
                    .Number("workers", static_cast<std::int64_t>(fleet_->size()))
                    .Number("max_sessions", static_cast<std::int64_t>(fleet_->max_sessions()))
                    .Number("rules", static_cast<std::int64_t>(config().rules->rules.size()))
                    .Text("tls", TlsLibraryText())));
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
  if (!draining_ && ++looks_ % 2 == 0) LookAtCertificates();
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
  if (files_.Changed()) reloader_->Reapply(config(), "certificate");
  if (looks_ % 64 == 0) fleet_->ExpireTicketKeys();
  const std::int64_t now = std::time(nullptr);
  for (std::size_t i = 0; i < config().certificates.size(); ++i) {
    expiry_->Look(i, config().certificates[i].chain, fleet_->certificates().facts(i).not_after,
                  now);
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

// ---- the end

void Server::BeginDrain(const char* signal_name) {
  if (draining_) return;
  draining_ = true;
  reloader_->Stop();
  prober_.reset();
  names_.reset();
  NotifyStopping();
  log_->Write(std::move(LogLine("draining").Text("signal", signal_name)));
  fleet_->Drain(config().drain);
}

void Server::WorkerEnded() {
  if (--running_ == 0) loop_.Stop();
}

}  // namespace

int RunServer(const Config& config) {
  Server server;
  if (Status status = server.Open(config); !status.ok()) {
    std::cerr << "postern: " << status.message() << '\n';
    return 1;
  }
  return server.Run();
}

}  // namespace postern
