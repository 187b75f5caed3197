#include "simulation/sim_world.h"

#include <algorithm>
#include <utility>

#include "simulation/held_memory.h"
#include "simulation/imap_backend.h"
#include "simulation/pop3_backend.h"
#include "simulation/tls_stand_in.h"

namespace postern::testing {
namespace {

constexpr Duration kDrainTime = std::chrono::seconds(30);

}  // namespace

// Looks for secrets.
class SimWorld::Notes final : public Log {
 public:
  explicit Notes(Record& record) : record_(record) {}
  void Write(LogLine line) override {
    const HeldBy nobody(0);
    std::string text = line.Take();
    if (record_.sabotage() == Sabotage::kSecretLog) text += "s3cret";
    record_.Note("log", text);
    if (text.find("s3cret") != text.npos) record_.Violate("secrets", "the log says " + text);
  }
  Status Reopen(const std::string&) override { return {}; }
  std::uint64_t dropped() const override { return 0; }

 private:
  Record& record_;
};

class SimWorld::SimAttempt final : public Dialer::Attempt {
 public:
  explicit SimAttempt(std::shared_ptr<bool> wanted) : wanted_(std::move(wanted)) {}
  ~SimAttempt() override { *wanted_ = false; }
  SimAttempt(const SimAttempt&) = delete;
  SimAttempt& operator=(const SimAttempt&) = delete;

 private:
  std::shared_ptr<bool> wanted_;
};

SimWorld::SimWorld(const Scenario& scenario)
    : scenario_(scenario),
      random_(Random(scenario.seed).Branch(0)),
      record_(timeline_, scenario.transcript, scenario.sabotage),
      log_(std::make_unique<Notes>(record_)),
      health_(kBackends),
      shared_{health_, *log_, "sim"},
      shard_(
          std::make_unique<Shard>(ShardSize{kProtocolCount * kEntranceCount, 1, kBackends, 0, 0})),
      manner_{
          random_.Pick({PoolTls::kNone, PoolTls::kNone, PoolTls::kStarttls, PoolTls::kImplicit}),
          random_.Chance(20)},
      rules_(random_, scenario.sabotage),
      lookups_(random_.Chance(30)),
      arrivals_(std::chrono::seconds(random_.Pick<int>({5, 60, 300}))),
      visits_(scenario.sessions),
      forgotten_(
          timeline_.deadlines(), [](void*) {}, nullptr) {
  shared_.max_sessions = random_.Chance(80) ? scenario.sessions : scenario.sessions / 2 + 1;
  shared_.post = [this](unsigned, std::function<void(Keeper&)> task) {
    timeline_.After(Duration(0), [this, task = std::move(task)] {
      if (keeper_) task(*keeper_);
    });
  };
  keeper_ =
      std::make_unique<Keeper>(0, *this, shared_, *shard_,
                               SeededSetup(random_, manner_, MakeLookup()), rules_.Make(random_));
  for (std::size_t number = 1; number <= scenario.sessions; ++number) MakeVisit(number);
  PlanEvents();
}

// The keeper first: its sessions close their streams.
SimWorld::~SimWorld() { keeper_.reset(); }

void SimWorld::MakeVisit(std::size_t number) {
  Random random = Random(scenario_.seed).Branch(number);
  Visit& visit = visits_[number - 1];
  visit.entrance = random.Pick({Entrance::kImplicit, Entrance::kImplicit, Entrance::kImplicit,
                                Entrance::kStarttls, Entrance::kStarttls, Entrance::kPlain,
                                Entrance::kProxied, Entrance::kRefused});
  const Habits habits = Habits::Seeded(random);
  const std::string name = "client " + std::to_string(number);
  visit.wire = std::make_unique<Wire>(timeline_, record_, random.Branch(1), habits, name, number);
  visit.protocol = random.Chance(60) ? Protocol::kImap : Protocol::kPop3;
  visit.client = MakeClient(visit, number, random.Branch(2));
  visit.wire->Attach(*visit.client);
  timeline_.After(Duration(random.Below(static_cast<std::size_t>(arrivals_.count()))),
                  [this, number] {
                    waiting_.push_back(number);
                    Admit();
                  });
}

std::unique_ptr<ScriptedClient> SimWorld::MakeClient(const Visit& visit, std::size_t number,
                                                     Random random) {
  const Account account{number};
  if (visit.protocol == Protocol::kImap) {
    auto client = std::make_unique<ImapClient>(
        timeline_, record_, *visit.wire, ImapScriptWriter(random, account, visit.entrance).Write());
    if (rules_.any()) client->ledger().ExpectRules(rules_.forbidden());
    return client;
  }
  auto client = std::make_unique<Pop3Client>(
      timeline_, record_, *visit.wire, Pop3ScriptWriter(random, account, visit.entrance).Write());
  if (rules_.any()) client->ledger().ExpectRules(rules_.forbidden());
  return client;
}

std::unique_ptr<SimBackend> SimWorld::MakeBackend(std::size_t number, Wire& wire, Random random) {
  const Visit& visit = visits_[number - 1];
  const SimBackend::Settings settings{manner_.tls, true, manner_.proxy2, Account{number}.user()};
  if (visit.protocol == Protocol::kImap) {
    return std::make_unique<ImapBackend>(timeline_, record_, wire, random, settings,
                                         static_cast<ImapClient&>(*visit.client));
  }
  return std::make_unique<Pop3Backend>(timeline_, record_, wire, random, settings,
                                       static_cast<Pop3Client&>(*visit.client));
}

void SimWorld::PlanEvents() {
  const auto some_time = [this](Duration most) {
    return Duration(random_.Below(static_cast<std::size_t>(most.count())));
  };
  if (random_.Chance(40)) timeline_.After(some_time(2 * arrivals_), [this] { Reload(); });
  if (random_.Chance(30)) timeline_.After(some_time(2 * arrivals_), [this] { Kick(); });
  if (random_.Chance(20)) timeline_.After(some_time(arrivals_), [this] { DrainBackend(); });
  if (random_.Chance(20)) timeline_.After(some_time(arrivals_), [this] { FailBackend(); });
  if (random_.Chance(20)) timeline_.After(some_time(2 * arrivals_), [this] { Drain(); });
  if (scenario_.sabotage == Sabotage::kForgotten) forgotten_.Arm(now() + std::chrono::hours(99));
}

void SimWorld::Reload() {
  record_.Note("operator", "reloads");
  keeper_->Adopt(SeededSetup(random_, manner_, MakeLookup()), rules_.Make(random_));
}

std::shared_ptr<Lookup> SimWorld::MakeLookup() {
  if (!lookups_) return nullptr;
  return std::make_shared<SimLookup>(timeline_, random_.Branch(7));
}

void SimWorld::Kick() {
  const std::string id = "sim-0-" + std::to_string(random_.Between(1, visits_.size()));
  record_.Note("operator", "kicks", id);
  keeper_->Kick(id);
}

void SimWorld::DrainBackend() {
  const auto id = static_cast<BackendId>(random_.Below(kBackends));
  record_.Note("operator", "drains backend", std::to_string(id));
  health_.SetDraining(id, true);
  keeper_->DrainBackend(id, std::chrono::seconds(random_.Pick<int>({0, 5, 60})));
  timeline_.After(arrivals_, [this, id] {
    health_.SetDraining(id, false);
    keeper_->UndrainBackend(id);
  });
}

// As probes see one that is ill, and well again.
void SimWorld::FailBackend() {
  const auto id = static_cast<BackendId>(random_.Below(kBackends));
  for (const Protocol protocol : {Protocol::kImap, Protocol::kPop3}) {
    health_.ProbeFailed(id, protocol);
    health_.ProbeFailed(id, protocol);
  }
  timeline_.After(arrivals_ / 2, [this, id] {
    for (const Protocol protocol : {Protocol::kImap, Protocol::kPop3}) {
      health_.ProbeSucceeded(id, protocol, now());
    }
  });
}

void SimWorld::Drain() {
  record_.Note("operator", "drains");
  draining_ = true;
  // Who was not let in is refused by the kernel.
  for (const std::size_t number : waiting_) visits_[number - 1].wire->Reset();
  waiting_.clear();
  keeper_->Drain();
  timeline_.After(kDrainTime, [this] {
    record_.Note("operator", "waits no longer");
    keeper_->DrainDeadline();
    timeline_.AfterTurn([this] {
      if (!keeper_->empty()) record_.Violate("drain", "sessions outlive the drain");
    });
  });
}

// As a worker does it: at the limit nobody new is taken.
void SimWorld::Admit() {
  const HeldBy nobody(0);
  while (!waiting_.empty() && !draining_ && shared_.sessions < shared_.max_sessions) {
    const std::size_t number = waiting_.front();
    waiting_.erase(waiting_.begin());
    timeline_.After(Duration(1), [this, number] { Accept(number); });
    if (shared_.sessions + 1 >= shared_.max_sessions) break;
  }
}

void SimWorld::Accept(std::size_t number) {
  if (draining_) return;
  Visit& visit = visits_[number - 1];
  visit.accepted = true;
  {
    const HeldBy owner(number);
    keeper_->Accept(DoorOf(visit.protocol, visit.entrance), visit.wire->Near(),
                    ClientAddress(visit.entrance, number), BackendAddress(9, visit.protocol));
  }
  visit.client->Begin();
}

// ---- World

void SimWorld::AfterTurn(std::function<void()> task) {
  const HeldBy nobody(0);
  timeline_.AfterTurn(std::move(task));
}

std::unique_ptr<Stream> SimWorld::SecureClient(ListenerId, std::unique_ptr<Stream> lower) {
  return TlsStandIn(TlsRole::kServer, std::move(lower));
}

std::unique_ptr<Stream> SimWorld::SecureBackend(PoolId, std::unique_ptr<Stream> lower,
                                                const std::string&) {
  return TlsStandIn(TlsRole::kClient, std::move(lower));
}

// Who dials is known by whose session the observer is: it was made when its client came.
std::unique_ptr<Dialer::Attempt> SimWorld::Dial(const Address& address, Observer& observer) {
  const std::size_t owner = OwnerOf(dynamic_cast<const void*>(&observer));
  const HeldBy nobody(0);
  auto wanted = std::make_shared<bool>(true);
  const std::size_t fate = random_.Below(100);
  if (fate < 94) {
    const Duration delay = fate < 90 ? std::chrono::milliseconds(random_.Below(20))
                                     : std::chrono::seconds(random_.Below(12));
    timeline_.After(delay, [this, wanted, &observer, owner, address] {
      if (*wanted) Connect(observer, owner, address);
    });
  } else if (fate < 97) {
    timeline_.After(Duration(1), [wanted, &observer, owner] {
      const HeldBy session(owner);
      if (*wanted) observer.OnDialed(Status::Error("connection refused"));
    });
  }
  return std::make_unique<SimAttempt>(std::move(wanted));
}

void SimWorld::Connect(Observer& observer, std::size_t owner, const Address& address) {
  Random random = Random(scenario_.seed).Branch(100000 + connections_.size());
  Visit& visit = visits_[owner - 1];
  const std::string name = "backend " + address.HostText() + " of " + std::to_string(owner);
  const Habits habits = Habits::Seeded(random);
  Connection connection;
  connection.wire =
      std::make_unique<Wire>(timeline_, record_, random.Branch(1), habits, name, owner);
  Wire& wire = *connection.wire;
  wire.to_backend = true;
  connection.backend = MakeBackend(owner, wire, random.Branch(2));
  SimBackend& backend = *connection.backend;
  wire.Attach(backend);
  visit.backend = &wire;
  connections_.push_back(std::move(connection));
  backend.Begin();
  std::unique_ptr<Stream> near = wire.Near();
  const HeldBy session(owner);
  observer.OnDialed(std::move(near));
}

}  // namespace postern::testing
