#include "server/prober.h"

#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <utility>

#include "postern/net/connector.h"
#include "server/probe.h"
#include "server/probe_offer.h"
#include "server/secret_file.h"

namespace postern {
namespace {

// How often the states are compared with those that were logged: sessions and operators change them
// too.
constexpr Duration kLookEvery = std::chrono::seconds(1);

bool SameTarget(const ProbeTarget& a, const ProbeTarget& b) {
  return a.address.family() == b.address.family() && a.address.Text() == b.address.Text() &&
         a.tls == b.tls && a.proxy2 == b.proxy2 && a.tls_name == b.tls_name;
}

Result<std::shared_ptr<const Credentials>> LoginOf(const ProbeConfig& probe) {
  if (probe.user.empty()) return std::shared_ptr<const Credentials>();
  Result<Secret> password = ReadSecretFile(probe.password_file);
  if (!password.ok()) return password.error();
  auto credentials = std::make_shared<Credentials>();
  credentials->user = probe.user;
  credentials->password = std::move(password.value());
  if (Status status = CheckCredentials(*credentials); !status.ok()) return status;
  return std::shared_ptr<const Credentials>(std::move(credentials));
}

}  // namespace

// One backend and protocol that is probed.
struct Prober::Watched {
  Watched(Prober& its_prober, BackendId its_id, ProbeTarget its_target)
      : prober(its_prober),
        id(its_id),
        target(std::move(its_target)),
        due(
            prober.loop_.deadlines(),
            [](void* self) {
              auto* watched = static_cast<Watched*>(self);
              watched->prober.Begin(*watched);
            },
            this) {}

  Prober& prober;
  const BackendId id;
  ProbeTarget target;
  std::string name;
  PoolId pool = 0;
  std::string pool_name;
  std::vector<std::string> pass_capabilities;
  Duration every{};
  Duration patience{};
  Instant began{};  // of the last probe
  std::optional<ProbeFindings> findings;
  std::string complaint;  // of the last probe; empty: it went well
  BackendState told = BackendState::kUp;
  Instant told_at = MonotonicNow();
  std::unique_ptr<Probe> probe;
  Deadline due;
};

Prober::Prober(Loop& loop, BackendHealth& health, Log& log, std::function<void(CommonOffer)> offer)
    : loop_(loop),
      health_(health),
      log_(log),
      on_offer_(std::move(offer)),
      dialer_(NewTcpDialer(loop)),
      random_(std::random_device{}()),
      look_(
          loop.deadlines(), [](void* self) { static_cast<Prober*>(self)->Look(); }, this) {}

Prober::~Prober() = default;

Status Prober::Adopt(const Config& config, const Setup& setup) {
  List list;
  for (const PoolConfig& pool : config.pools) {
    if (Status status = AddPool(config, pool, setup, list); !status.ok()) {
      return Status::Error("pool " + pool.name + ": " + status.message());
    }
  }
  for (std::unique_ptr<Watched>& watched : list) TakeOver(*watched);
  for (const std::unique_ptr<Watched>& gone : watched_) {
    const bool stays = std::any_of(list.begin(), list.end(),
                                   [&](const auto& watched) { return watched->id == gone->id; });
    if (!stays) health_.Forget(gone->id);
  }
  watched_ = std::move(list);
  look_.Arm(MonotonicNow());
  return {};
}

Status Prober::AddPool(const Config& config, const PoolConfig& from, const Setup& setup,
                       List& list) {
  const std::vector<Pool>& pools = setup.routes.pools();
  const auto found = std::find_if(pools.begin(), pools.end(),
                                  [&](const Pool& pool) { return pool.name == from.name; });
  if (found == pools.end()) return Status::Error("it is not in use");
  std::shared_ptr<TlsContext> context;
  if (from.tls != PoolTls::kNone) {
    Result<std::unique_ptr<TlsContext>> made = TlsContext::ForClient(from.verification);
    if (!made.ok()) return made.error();
    context = std::move(made.value());
  }
  Result<std::shared_ptr<const Credentials>> login = LoginOf(from.probe);
  if (!login.ok()) return login.error();
  for (const BackendId id : found->backends) {
    const Backend& backend = setup.routes.backend(id);
    for (std::size_t i = 0; i < kProtocolCount; ++i) {
      if (!backend.serves[i]) continue;
      auto watched = std::make_unique<Watched>(
          *this, id,
          ProbeTarget{static_cast<Protocol>(i), backend.address[i], from.tls, from.forward_proxy2,
                      backend.tls_name[i], context, login.value()});
      watched->name = backend.name;
      watched->pool = static_cast<PoolId>(found - pools.begin());
      watched->pool_name = from.name;
      watched->pass_capabilities = from.pass_capabilities;
      watched->every = from.probe.every;
      watched->patience = std::min(from.probe.every, config.plan.timeouts.connect);
      list.push_back(std::move(watched));
    }
  }
  return {};
}

// What was known of the same backend stays known, unless it is another machine now.
void Prober::TakeOver(Watched& watched) {
  watched.due.Arm(MonotonicNow() + Spread(watched.every, 0.5, 1.0));
  for (const std::unique_ptr<Watched>& before : watched_) {
    if (before->id != watched.id || before->target.protocol != watched.target.protocol) continue;
    watched.told = before->told;
    if (!SameTarget(before->target, watched.target)) return health_.Forget(watched.id);
    watched.findings = std::move(before->findings);
    watched.complaint = std::move(before->complaint);
    // One that is under way is made again by the new configuration.
    if (before->due.armed()) {
      watched.due.Arm(std::min(before->due.at(), MonotonicNow() + watched.every));
    }
  }
}

// So that not all are looked at at once.
Duration Prober::Spread(Duration time, double least, double most) {
  const double factor = std::uniform_real_distribution<double>(least, most)(random_);
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(time) * factor);
}

void Prober::Begin(Watched& watched) {
  watched.began = MonotonicNow();
  if (watched.target.address.family() == AF_UNSPEC) {
    return End(watched, {false, "the address of its name is not known", {}});
  }
  watched.probe = std::make_unique<Probe>(loop_, *dialer_, watched.target, watched.patience,
                                          [this, &watched](ProbeOutcome outcome) {
                                            watched.probe.reset();
                                            End(watched, std::move(outcome));
                                          });
}

void Prober::End(Watched& watched, ProbeOutcome outcome) {
  // From its beginning, so that slow ones are not looked at less often.
  watched.due.Arm(watched.began + Spread(watched.every, 0.9, 1.1));
  watched.complaint = std::move(outcome.complaint);
  if (outcome.passed) {
    health_.ProbeSucceeded(watched.id, watched.target.protocol, MonotonicNow());
    watched.findings = std::move(outcome.findings);
    TellOffer();
  } else {
    health_.ProbeFailed(watched.id, watched.target.protocol);
  }
  TellState(watched);
}

void Prober::Look() {
  for (const std::unique_ptr<Watched>& watched : watched_) TellState(*watched);
  TellOffer();
  look_.Arm(MonotonicNow() + kLookEvery);
}

void Prober::TellState(Watched& watched) {
  const BackendState state = health_.state(watched.id, watched.target.protocol);
  if (state == watched.told) return;
  log_.Write(std::move(LogLine("backend_state")
                           .Text("pool", watched.pool_name)
                           .Text("backend", watched.name)
                           .Text("protocol", ProtocolName(watched.target.protocol))
                           .Text("from", BackendStateName(watched.told))
                           .Text("to", BackendStateName(state))
                           .Text("reason", ReasonOf(watched, state))));
  watched.told = state;
  watched.told_at = MonotonicNow();
}

Prober::Standing Prober::standing(BackendId id) const {
  Standing standing;
  for (const std::unique_ptr<Watched>& watched : watched_) {
    if (watched->id != id) continue;
    const bool up = watched->told == BackendState::kUp;
    if (up && standing.since != Duration::zero()) continue;
    standing.since = MonotonicNow() - watched->told_at;
    if (!up) standing.reason = ReasonOf(*watched, watched->told);
  }
  return standing;
}

std::string_view Prober::ReasonOf(const Watched& watched, BackendState state) {
  switch (state) {
    case BackendState::kUp:
      return "it is well";
    case BackendState::kDraining:
      return "an operator wants it empty";
    case BackendState::kFailing:
    case BackendState::kDown:
      break;
  }
  return watched.complaint.empty() ? "it failed a session" : std::string_view(watched.complaint);
}

void Prober::TellOffer() {
  std::vector<ProbedBackend> probed;
  for (const std::unique_ptr<Watched>& watched : watched_) {
    probed.push_back({watched->pool, watched->target.protocol,
                      watched->findings ? &*watched->findings : nullptr,
                      &watched->pass_capabilities});
  }
  CommonOffer offer = OfferOf(probed);
  if (offer.imap == offered_.imap && offer.pop3_utf8 == offered_.pop3_utf8) return;
  offered_ = offer;
  on_offer_(std::move(offer));
}

}  // namespace postern
