#include "postern/gateway/keeper.h"

#include <algorithm>
#include <utility>

#include "gateway/backend_drain.h"
#include "gateway/session.h"

namespace postern {
namespace {

// More than the small writes of one call ever come to.
constexpr std::size_t kGatherSize = 64 * 1024;
// Sessions whose idle time is counted anew in one turn, so that a reload delays nobody.
constexpr std::size_t kRearmStep = 2000;
// Under pressure a client has this long to log in.
constexpr Duration kHastyLogin = std::chrono::seconds(20);
// Sessions that hold less are not worth ending.
constexpr std::size_t kWorthDropping = 32 * 1024;
constexpr Duration kRearmPause = std::chrono::milliseconds(1);

}  // namespace

Keeper::Keeper(unsigned index, World& world, Shared& shared, Shard& shard,
               std::shared_ptr<const Setup> setup, std::shared_ptr<RuleSet> rules)
    : index_(index),
      world_(world),
      shared_(shared),
      shard_(shard),
      setup_(std::move(setup)),
      rules_(std::move(rules)),
      offer_(std::make_shared<const CommonOffer>()),
      rearm_(
          world.deadlines(), [](void* self) { static_cast<Keeper*>(self)->Rearm(); }, this) {
  // Never grown, so that no copy of a login stays where they were.
  client_gather_.reserve(kGatherSize);
  backend_gather_.reserve(kGatherSize);
}

Keeper::~Keeper() {
  drains_.clear();
  sessions_.clear();
  retired_.clear();
  buried_.clear();
}

void Keeper::Accept(ListenerId listener, std::unique_ptr<Stream> stream, const Address& client,
                    const Address& local) {
  std::string id =
      shared_.server_id + "-" + std::to_string(index_) + "-" + std::to_string(++serial_);
  sessions_.push_back(std::make_unique<Session>(*this, std::move(id), listener, client, local));
  Session& session = *sessions_.back();
  session.place = sessions_.size() - 1;
  shared_.sessions.fetch_add(1, std::memory_order_relaxed);
  session.Start(std::move(stream));
}

void Keeper::Adopt(std::shared_ptr<const Setup> setup, std::shared_ptr<RuleSet> rules) {
  setup_ = std::move(setup);
  if (rules) {
    rules_ = std::move(rules);
    ++rules_generation_;
    kept_rules_ = {};
  }
  rearmed_ = 0;
  rearm_.Arm(world_.now() + kRearmPause);
}

// Every session learns of the change on its own, those that sleep too: else they would keep the
// rules of before in memory.
void Keeper::Rearm() {
  const std::size_t end = std::min(sessions_.size(), rearmed_ + kRearmStep);
  for (; rearmed_ < end; ++rearmed_) sessions_[rearmed_]->SetupChanged();
  if (rearmed_ < sessions_.size()) rearm_.Arm(world_.now() + kRearmPause);
}

std::uint64_t Keeper::Ask(Session& session, Lookup& lookup, LookupQuestion question) {
  const std::uint64_t ticket = ++last_ticket_;
  asking_.emplace(ticket, &session);
  lookup.Ask(std::move(question), [&shared = shared_, index = index_, ticket](LookupAnswer answer) {
    // What is posted must be copyable.
    auto kept = std::make_shared<LookupAnswer>(std::move(answer));
    shared.post(index,
                [ticket, kept](Keeper& keeper) { keeper.Answered(ticket, std::move(*kept)); });
  });
  return ticket;
}

void Keeper::Answered(std::uint64_t ticket, LookupAnswer answer) {
  const auto found = asking_.find(ticket);
  if (found == asking_.end()) return;
  Session& session = *found->second;
  asking_.erase(found);
  session.OnLookup(std::move(answer));
}

void Keeper::GiveWay(const std::string& id) {
  for (const std::unique_ptr<Session>& session : sessions_) {
    if (session->id() == id) return session->GiveWay();
  }
}

void Keeper::Drain() {
  // Backwards: a session that ends is replaced by one that was told already.
  for (std::size_t i = sessions_.size(); i-- > 0;) sessions_[i]->Drain();
}

void Keeper::DrainDeadline() {
  for (std::size_t i = sessions_.size(); i-- > 0;) sessions_[i]->DrainDeadline();
}

void Keeper::Relieve(Pressure level) {
  if (level == Pressure::kNone) return;
  const Instant late = world_.now() - kHastyLogin;
  std::size_t most = 0;
  for (std::size_t i = sessions_.size(); i-- > 0;) most = std::max(most, sessions_[i]->held());
  const std::size_t drop = std::max(most / 2, kWorthDropping);
  for (std::size_t i = sessions_.size(); i-- > 0;) {
    Session& session = *sessions_[i];
    if (session.logging_in() && session.opened() < late) {
      session.EndLogin();
    } else if (level == Pressure::kDrop && session.held() >= drop) {
      session.EndForMemory();
    }
  }
}

void Keeper::Retire(Session& session) {
  ForgetDrained(session);
  const std::size_t place = session.place;
  retired_.push_back(std::move(sessions_[place]));
  if (place + 1 != sessions_.size()) {
    sessions_[place] = std::move(sessions_.back());
    sessions_[place]->place = place;
    // From behind to where it was counted anew already.
    if (rearm_.armed() && place < rearmed_) sessions_[place]->SetupChanged();
  }
  sessions_.pop_back();
  shared_.sessions.fetch_sub(1, std::memory_order_relaxed);
  Sweep();
}

void Keeper::Bury(std::unique_ptr<Stream> stream) {
  buried_.push_back(std::move(stream));
  Sweep();
}

void Keeper::Sweep() {
  if (sweep_due_) return;
  sweep_due_ = true;
  world_.AfterTurn([this] {
    sweep_due_ = false;
    retired_.clear();
    buried_.clear();
    world_.OnSwept();
  });
}

}  // namespace postern
