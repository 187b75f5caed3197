#include "server/fleet.h"

#include <algorithm>
#include <cstdio>
#include <random>
#include <utility>

#include "server/process.h"
#include "server/setup_builder.h"

namespace postern {
namespace {

std::string NewServerId() {
  char text[9];
  std::snprintf(text, sizeof text, "%08x", std::random_device{}());
  return text;
}

std::size_t SessionsOf(const Config& config, std::size_t possible) {
  const std::size_t wanted = config.plan.limits.sessions;
  return wanted == 0 ? possible : std::min(wanted, possible);
}

std::size_t WorkersOf(const Config& config) {
  return config.workers > 0 ? config.workers : std::max(std::thread::hardware_concurrency(), 1u);
}

bool NeedsTls(ListenerTls tls) {
  return tls == ListenerTls::kImplicit || tls == ListenerTls::kStarttls;
}

}  // namespace

Fleet::Fleet(const Config& config, Log& log)
    : log_(log),
      roster_(config),
      health_(roster_.capacity().backends),
      shared_{health_, log_, NewServerId()},
      possible_sessions_(SessionsFor(RaiseDescriptorLimit())),
      lookup_thread_(roster_.capacity(), log) {
  shared_.post = [this](unsigned worker, std::function<void(Keeper&)> task) {
    workers_[worker]->Post(std::move(task));
  };
}

Fleet::~Fleet() = default;

Result<CompileOrder> Fleet::Prepare(const Config& config) {
  if (Status status = roster_.Add(config); !status.ok()) return status;
  CompileOrder order;
  order.book = config.rules;
  order.names = {roster_.names().listeners, roster_.names().pools};
  order.workers = workers_.empty() ? WorkersOf(config) : workers_.size();
  order.lookups = config.lookups;
  for (const LookupConfig& lookup : config.lookups) {
    order.lookup_slots.push_back(roster_.lookup(lookup.name));
  }
  const std::shared_ptr<const Setup> targets = BuildSetup(config, roster_, setup_.get(), {});
  order.targets = {targets->routes.pools(), targets->routes.backends()};
  order.lookup_thread = &lookup_thread_;
  order.masters.resize(roster_.names().pools.size());
  for (const PoolConfig& pool : config.pools) order.masters[roster_.pool(pool.name)] = pool.master;
  return order;
}

Status Fleet::Open(const Config& config, Compiled compiled) {
  Draft draft;
  const std::size_t count = compiled.rules.size();
  if (Status status = Make(config, std::move(compiled), draft); !status.ok()) return status;
  for (std::size_t i = 0; i < count; ++i) {
    Result<std::unique_ptr<Worker>> worker = Worker::Create(
        static_cast<unsigned>(i), shared_, roster_.capacity(), std::move(draft.workers[i]));
    if (!worker.ok()) return worker.error();
    workers_.push_back(std::move(worker.value()));
  }
  Commit(config, draft);
  return {};
}

Status Fleet::Apply(const Config& config, std::optional<Compiled> compiled) {
  Draft draft;
  if (Status status = Make(config, std::move(compiled), draft); !status.ok()) return status;
  for (std::size_t i = 0; i < workers_.size(); ++i) workers_[i]->Adopt(std::move(draft.workers[i]));
  Commit(config, draft);
  return {};
}

void Fleet::Commit(const Config& config, Draft& draft) {
  shared_.max_sessions.store(SessionsOf(config, possible_sessions_));
  certificates_ = std::move(draft.certificates);
  ticket_keys_ = std::move(draft.ticket_keys);
  ticket_keys_file_ = config.ticket_keys;
  setup_ = std::move(draft.setup);
  rules_memory_ = draft.rules_memory;
  bound_ = std::move(draft.bound);
  certificate_names_.clear();
  for (const CertificateConfig& certificate : config.certificates) {
    certificate_names_.push_back(certificate.chain);
  }
}

void Fleet::AdoptOffer(CommonOffer offer) {
  const auto shared = std::make_shared<const CommonOffer>(std::move(offer));
  for (const std::unique_ptr<Worker>& worker : workers_) {
    worker->Post([shared](Keeper& keeper) { keeper.AdoptOffer(shared); });
  }
}

// Compiled for a configuration whose names the roster has, or for none: then what there was is
// taken over.
Status Fleet::Make(const Config& config, std::optional<Compiled> compiled, Draft& draft) {
  if (Status status = MakeKeys(config, draft); !status.ok()) return status;
  draft.rules_memory = rules_memory_;
  Ready ready;
  if (compiled) {
    ready = {std::move(compiled->masters), std::move(compiled->lookup),
             roster_.RuleSlots(*config.rules)};
    draft.rules_memory = 0;
    for (const auto& rules : compiled->rules) draft.rules_memory += rules->memory();
  } else {
    ready = {setup_->masters, setup_->lookup, setup_->rule_slots};
  }
  draft.setup = BuildSetup(config, roster_, setup_.get(), ready);
  const std::size_t workers = compiled ? compiled->rules.size() : workers_.size();
  for (std::size_t i = 0; i < workers; ++i) {
    WorkerSetup worker;
    worker.setup = draft.setup;
    if (compiled) worker.rules = std::move(compiled->rules[i]);
    if (Status status = MakeContexts(config, draft, worker); !status.ok()) return status;
    draft.workers.push_back(std::move(worker));
  }
  return BindListeners(config, draft);
}

Status Fleet::MakeKeys(const Config& config, Draft& draft) {
  std::vector<CertificateFiles> files;
  for (const CertificateConfig& certificate : config.certificates) {
    files.push_back({certificate.chain, certificate.key, certificate.ocsp});
  }
  auto certificates = CertificateSet::Load(files);
  if (!certificates.ok()) return certificates.error();
  draft.certificates = std::move(certificates.value());
  if (config.ticket_keys.empty()) {
    // Tickets of before the reload go on being good.
    const bool same = ticket_keys_ && ticket_keys_file_.empty();
    draft.ticket_keys = same ? ticket_keys_ : std::make_shared<TicketKeys>();
    return {};
  }
  Result<std::vector<std::string>> secrets = TicketKeys::ReadFile(config.ticket_keys);
  if (!secrets.ok()) return secrets.error();
  draft.ticket_keys = std::make_shared<TicketKeys>(std::move(secrets.value()));
  return {};
}

Status Fleet::MakeContexts(const Config& config, Draft& draft, WorkerSetup& worker) const {
  worker.openings.resize(draft.setup->doors.size());
  worker.pool_tls.resize(draft.setup->routes.pools().size());
  for (const ListenerConfig& listener : config.listeners) {
    if (!NeedsTls(listener.tls)) continue;
    ServerTlsSettings settings;
    settings.certificates = draft.certificates;
    settings.minimum = config.minimum_tls;
    settings.strict_sni = listener.strict_sni;
    settings.alpn = ProtocolName(listener.protocol);
    settings.ticket_keys = draft.ticket_keys;
    Result<std::unique_ptr<TlsContext>> context = TlsContext::ForServer(settings);
    if (!context.ok()) return context.error();
    worker.openings[roster_.listener(listener.name)].tls = std::move(context.value());
  }
  for (const PoolConfig& pool : config.pools) {
    if (pool.tls == PoolTls::kNone) continue;
    Result<std::unique_ptr<TlsContext>> context = TlsContext::ForClient(pool.verification);
    if (!context.ok()) {
      return Status::Error("pool " + pool.name + ": " + context.error().message());
    }
    worker.pool_tls[roster_.pool(pool.name)] = std::move(context.value());
  }
  return {};
}

bool Fleet::AlreadyOurs(const Address& address) const {
  return std::any_of(bound_.begin(), bound_.end(), [&](const Bound& bound) {
    return bound.open && bound.actual.Text() == address.Text();
  });
}

// A socket for each worker where a listener is new or moved; the first one settles which port a 0
// means.
Status Fleet::BindListeners(const Config& config, Draft& draft) {
  draft.bound = bound_;
  draft.bound.resize(draft.setup->doors.size());
  for (Bound& bound : draft.bound) bound.open = false;
  for (const ListenerConfig& listener : config.listeners) {
    const ListenerId id = roster_.listener(listener.name);
    Bound& bound = draft.bound[id];
    const bool was_open = id < bound_.size() && bound_[id].open;
    bound.open = true;
    if (was_open && bound.wanted.Text() == listener.address.Text()) continue;
    bound.wanted = bound.actual = listener.address;
    // Sockets that share a port would not notice another instance of ours.
    const Status free = AlreadyOurs(bound.wanted) ? Status() : BoundSocket::CheckFree(bound.wanted);
    if (!free.ok()) return Status::Error("listener " + listener.name + ": " + free.message());
    for (WorkerSetup& worker : draft.workers) {
      Result<BoundSocket> socket = BoundSocket::Bind(bound.actual);
      if (!socket.ok()) {
        return Status::Error("listener " + listener.name + ": " + socket.error().message());
      }
      bound.actual = socket.value().address();
      worker.openings[id].socket = std::move(socket.value());
    }
  }
  for (std::size_t id = 0; id < draft.bound.size(); ++id) {
    if (draft.bound[id].open) continue;
    for (WorkerSetup& worker : draft.workers) worker.openings[id].closed = true;
  }
  return {};
}

void Fleet::Start(std::function<void()> ended) {
  for (const std::unique_ptr<Worker>& worker : workers_) {
    threads_.emplace_back([&worker, ended] {
      worker->Run();
      ended();
    });
  }
}

void Fleet::Drain(Duration patience) {
  for (const std::unique_ptr<Worker>& worker : workers_) worker->Drain(patience);
}

void Fleet::Join() {
  for (std::thread& thread : threads_) thread.join();
}

MetricNames Fleet::names() const {
  MetricNames names = roster_.names();
  names.certificates = certificate_names_;
  return names;
}

const Address& Fleet::bound(const std::string& listener) const {
  return bound_[roster_.listener(listener)].actual;
}

}  // namespace postern
