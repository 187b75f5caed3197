// A login on its way to a backend: what the rules say of it, what the lookups know, and as whom it
// is made.
#include <algorithm>
#include <utility>

#include "gateway/session.h"
#include "postern/base/secret.h"
#include "postern/base/text.h"

namespace postern {
namespace {

Credentials CopyOf(const Credentials& from) {
  Credentials copy;
  copy.authzid = from.authzid;
  copy.user = from.user;
  copy.password = Secret(from.password.Reveal());
  return copy;
}

// The user's place is the authorization identity where the client gave one.
void Rename(Credentials& credentials, std::string user) {
  (credentials.authzid.empty() ? credentials.user : credentials.authzid) = std::move(user);
}

PoolId FindPool(const Routes& routes, const std::string& name) {
  const std::vector<Pool>& pools = routes.pools();
  const auto found =
      std::find_if(pools.begin(), pools.end(), [&](const Pool& pool) { return pool.name == name; });
  return found == pools.end() || found->backends.empty()
             ? kNoPool
             : static_cast<PoolId>(found - pools.begin());
}

BackendId FindBackend(const Routes& routes, PoolId pool, const std::string& name) {
  for (const BackendId id : routes.pool(pool).backends) {
    if (routes.backend(id).name == name) return id;
  }
  return kNoBackend;
}

BackendAccount MasterOf(const MasterAccount& master, const std::string& user, Protocol protocol) {
  BackendAccount account;
  account.credentials.password = Secret(master.password.Reveal());
  if (master.separator.empty()) {
    account.credentials.authzid = user;
    account.credentials.user = master.user;
    account.mechanism = Mechanism::kPlain;
  } else {
    account.credentials.user = user + master.separator + master.user;
    account.mechanism = protocol == Protocol::kImap ? Mechanism::kLogin : Mechanism::kUser;
  }
  return account;
}

}  // namespace

void Session::ConnectBackend(const Credentials& credentials, Mechanism mechanism) {
  ++arrival_->logins;
  dialing_ = std::make_unique<Dialing>(*this);
  Dialing& dialing = *dialing_;
  dialing.mechanism = mechanism;
  mechanism_ = mechanism;
  // The password only where somebody may ask for it.
  if (setup().lookup || judged_by_rules()) {
    dialing.credentials = CopyOf(credentials);
  } else {
    dialing.credentials.user = credentials.login_name();
  }
  for (const char c : PlainUser(credentials.login_name())) dialing.user_key += AsciiLower(c);
  if (judged_by_rules()) {
    if (!JudgeLogin(credentials.login_name())) return;
    if (dialing.step == Dialing::Step::kDelay) return;
  }
  AskLookups();
}

// False: the login goes no further.
bool Session::JudgeLogin(std::string_view user) {
  judged().generation = 0;
  if (!arrival_->tls_judged) {
    // A session without TLS passes that stage here.
    arrival_->tls_judged = true;
    if (!JudgeArrival(Stage::kTls)) {
      Cut();
      return false;
    }
    if (arrival_->denied) {
      RefuseLogin({*arrival_->denied, arrival_->denied_text, true, false}, Duration::zero());
      return false;
    }
  }
  SessionFacts facts = Facts();
  // Whose password it is may be somebody else, whom a rule keeps out.
  const Credentials& said = dialing_->credentials;
  if (!said.authzid.empty() && said.user != said.authzid) {
    facts.user = PlainUser(said.user);
    const Decision other = keeper_.rules().Decide(Stage::kLogin, facts);
    if (other.refused()) return RefuseByRule(other, facts, other.delay);
  }
  facts.user = PlainUser(user);
  const Decision decision = keeper_.rules().Decide(Stage::kLogin, facts);
  // What the stage of TLS has said behind the greeting is due here.
  const Duration delay = decision.delay + std::exchange(arrival_->delay, Duration::zero());
  if (decision.refused()) return RefuseByRule(decision, facts, delay);
  NoteHits(decision, facts, nullptr);
  TakeRoute(decision);
  if (dialing_->step == Dialing::Step::kRefuse) return false;
  if (!LimitsHaveRoom()) return false;
  if (delay == Duration::zero()) return true;
  dialing_->step = Dialing::Step::kDelay;
  dialing_->deadline.Arm(now_ + delay);
  return true;
}

// Always false.
bool Session::RefuseByRule(const Decision& decision, const SessionFacts& facts, Duration delay) {
  NoteHits(decision, facts, nullptr);
  const bool tls = decision.verdict == Decision::Verdict::kTlsTooLow;
  RefuseLogin(
      {tls ? Trouble::kTlsRequired : Trouble::kAuthorization, RuleText(decision.verdict_rule),
       decision.verdict == Decision::Verdict::kDisconnect, false},
      delay);
  return false;
}

void Session::TakeRoute(const Decision& decision) {
  RuleSet& rules = keeper_.rules();
  Dialing& dialing = *dialing_;
  const RuleId rewrite = decision.rewrite;
  const RuleId route = decision.route;
  TakeLimits(decision);
  if (route != kNoRule) {
    const Rule& rule = rules.rule(route);
    dialing.route = FindPool(routes(), rule.pool);
    if (dialing.route != kNoPool && !rule.backend.empty()) {
      dialing.route_backend = FindBackend(routes(), dialing.route, rule.backend);
    }
    const bool lost =
        dialing.route == kNoPool || (!rule.backend.empty() && dialing.route_backend == kNoBackend);
    // A reload is replacing pools and rules at this moment.
    if (lost) {
      RefuseLogin({Trouble::kUnavailable, "try again later", false, false}, Duration::zero());
      return;
    }
  }
  if (rewrite == kNoRule) return;
  Rename(dialing.credentials,
         rules.RewriteUser(rewrite, PlainUser(dialing.credentials.login_name())));
  dialing.account.emplace();
  dialing.account->credentials = CopyOf(dialing.credentials);
  dialing.account->mechanism = dialing.mechanism;
}

// Those that end other sessions come last: nobody is ended for a login that is refused.
void Session::TakeLimits(const Decision& decision) {
  RuleSet& rules = keeper_.rules();
  Dialing& dialing = *dialing_;
  dialing.generation = keeper_.rules_generation();
  dialing.limits.clear();
  for (const RuleId rule : decision.hits) {
    if (rules.rule(rule).action == Action::kLimit) dialing.limits.push_back(rule);
  }
  std::stable_partition(dialing.limits.begin(), dialing.limits.end(), [&](RuleId rule) {
    return rules.rule(rule).full != Rule::Full::kEndOldestIdle;
  });
}

// Limits of the login: whoever is over one already need not be asked for a backend. The places are
// taken when the backend has let the user in.
bool Session::LimitsHaveRoom() {
  for (const RuleId id : dialing_->limits) {
    const Rule& rule = keeper_.rules().rule(id);
    if (rule.full == Rule::Full::kEndOldestIdle) continue;
    const std::string key = LimitKey(rule, dialing_->user_key);
    if (keeper_.shared().ledger.HasRoom(key, rule.sessions)) continue;
    RefuseLogin({Trouble::kLimit, RuleText(id), false, false}, Duration::zero());
    return false;
  }
  return true;
}

// All places or none: who is refused may try again.
std::optional<Refusal> Session::Admit() {
  if (!dialing_) return {};
  if (dialing_->generation != keeper_.rules_generation()) FindLimitsAnew();
  if (dialing_->limits.empty()) return {};
  std::vector<std::unique_ptr<Ledger::Place>>& places = judged().places;
  const std::size_t before = places.size();
  for (const RuleId rule : dialing_->limits) {
    if (TakePlace(rule, dialing_->user_key)) continue;
    places.resize(before);
    return Refusal{Trouble::kLimit, RuleText(rule), false, false};
  }
  return {};
}

// A reload has replaced the rules while the login was on its way: its session is counted by those
// that hold now.
void Session::FindLimitsAnew() {
  dialing_->limits.clear();
  if (!judged_by_rules() || dialing_->user_key.empty()) return;
  SessionFacts facts = Facts();
  facts.user = dialing_->user_key;
  TakeLimits(keeper_.rules().Decide(Stage::kLogin, facts));
}

// ---- lookups

void Session::AskLookups() {
  Dialing& dialing = *dialing_;
  dialing.step = Dialing::Step::kDial;
  if (dialing.route != kNoPool) return Dial(dialing.route, dialing.route_backend);
  if (!setup().lookup) return Dial(routes().routing_pool(), kNoBackend);
  LookupQuestion question;
  question.user = PlainUser(dialing.credentials.login_name());
  question.password = Secret(dialing.credentials.password.Reveal());
  question.mechanism = dialing.mechanism;
  question.protocol = protocol_;
  question.client = arrival_->client;
  question.session = id_;
  question.attempt = arrival_->logins;
  dialing.step = Dialing::Step::kLookup;
  dialing.began = now_;
  dialing.ticket = keeper_.Ask(*this, *setup().lookup, std::move(question));
}

void Session::OnLookup(LookupAnswer answer) {
  if (finished_ || !dialing_) return;
  dialing_->ticket = 0;
  Enter([&] {
    const PoolId pool = answer.pool == kNoPool ? routes().routing_pool() : answer.pool;
    shard().LoginPhaseDone(protocol_, pool, LoginPhase::kLookup, now_ - dialing_->began);
    switch (answer.kind) {
      case LookupAnswer::Kind::kUnknown:
      case LookupAnswer::Kind::kFound:
        pool_ = pool;
        UseAccount(answer);
        return Dial(pool, answer.backend);
      case LookupAnswer::Kind::kRefused:
        return RefuseLogin({Trouble::kCredentials, answer.text, false, true}, answer.wait);
      case LookupAnswer::Kind::kTemporary:
        return RefuseLogin({Trouble::kUnavailable, answer.text, false, false}, answer.wait);
      case LookupAnswer::Kind::kUnavailable:
        return RefuseLogin({Trouble::kUnavailable, "try again later", false, false},
                           Duration::zero());
    }
  });
}

// As whom the backend is asked: the lookup may know better, and a pool's master account stands in
// for a user whose password was judged already.
void Session::UseAccount(LookupAnswer& answer) {
  Dialing& dialing = *dialing_;
  if (!answer.user.empty()) Rename(dialing.credentials, answer.user);
  const auto& masters = setup().masters;
  if (answer.vouched && pool_ < masters.size() && masters[pool_]) {
    dialing.account =
        MasterOf(*masters[pool_], std::string(dialing.credentials.login_name()), protocol_);
    return;
  }
  if (answer.user.empty() && !answer.has_password) return;
  dialing.account.emplace();
  dialing.account->credentials = CopyOf(dialing.credentials);
  dialing.account->mechanism = dialing.mechanism;
  if (!answer.has_password) return;
  dialing.account->credentials.password = std::move(answer.password);
  // A password is no token.
  if (!IsOauth(dialing.mechanism)) return;
  dialing.account->mechanism = protocol_ == Protocol::kImap ? Mechanism::kLogin : Mechanism::kUser;
}

void Session::LeaveLookup() {
  if (dialing_ && dialing_->ticket != 0) keeper_.Forget(std::exchange(dialing_->ticket, 0));
}

void Session::RefuseLogin(const Refusal& refusal, Duration wait) {
  Dialing& dialing = *dialing_;
  dialing.refusal_text = refusal.text;
  dialing.refusal = refusal;
  dialing.refusal.text = dialing.refusal_text;
  dialing.step = Dialing::Step::kRefuse;
  dialing.deadline.Arm(now_ + wait);
}

const BackendAccount* Session::backend_account() {
  return dialing_ && dialing_->account ? &*dialing_->account : nullptr;
}

void Session::Dial(PoolId pool, BackendId backend) {
  Dialing& dialing = *dialing_;
  dialing.step = Dialing::Step::kDial;
  pool_ = pool;
  const std::string_view user = PlainUser(dialing.credentials.login_name());
  dialing.candidates =
      routes().Choose(keeper_.shared().health, Routes::Wish{pool, backend, protocol_, user}, now_);
  TryNextBackend();
}

}  // namespace postern
