#include "postern/lookup/lookups.h"

#include <map>
#include <mutex>
#include <utility>

#include "lookup/chain.h"
#include "lookup/link_maker.h"
#include "postern/net/connector.h"
#include "postern/net/loop.h"
#include "postern/net/resolver.h"

namespace postern {

class LookupGate;

// The thread's own: its loop, and the chains that are asked on it.
struct LookupLoop {
  LookupLoop(const ShardSize& size, Log& to)
      : log(to), shard(size), dialer(NewTcpDialer(loop)), resolver(loop) {}

  // All of these on the thread.
  void Adopt(std::unique_ptr<LookupChain> chain);
  void Retire(LookupChain* chain);
  void Drop(LookupChain* chain);
  void End();

  Log& log;
  Shard shard;
  Loop loop;
  std::unique_ptr<Dialer> dialer;
  Resolver resolver;
  std::map<LookupChain*, std::unique_ptr<LookupChain>> chains;
  LookupMemories memories;
  std::shared_ptr<LookupGate> gate;
  std::thread thread;
};

// The way to the thread for whoever may outlive it.
class LookupGate {
 public:
  explicit LookupGate(LookupLoop& inner) : inner_(&inner) {}

  // False when the thread is over: the task does not run. Any thread.
  bool Post(std::function<void(LookupLoop&)> task) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (inner_ == nullptr) return false;
    inner_->loop.Post([inner = inner_, run = std::move(task)] { run(*inner); });
    return true;
  }
  // The task is the last.
  void Close(std::function<void(LookupLoop&)> task) {
    Post(std::move(task));
    const std::lock_guard<std::mutex> lock(mutex_);
    inner_ = nullptr;
  }

 private:
  std::mutex mutex_;
  LookupLoop* inner_;
};

namespace {

// The configuration's lookups as sessions hold them. Those who wait for an answer when it goes get
// theirs all the same.
class ChainHandle final : public Lookup {
 public:
  ChainHandle(std::shared_ptr<LookupGate> gate, LookupChain* chain)
      : gate_(std::move(gate)), chain_(chain) {}
  ~ChainHandle() override {
    gate_->Post([chain = chain_](LookupLoop& inner) { inner.Retire(chain); });
  }
  ChainHandle(const ChainHandle&) = delete;
  ChainHandle& operator=(const ChainHandle&) = delete;

  void Ask(LookupQuestion question, std::function<void(LookupAnswer)> done) override {
    // Tasks are copied in principle, questions are not.
    auto asked = std::make_shared<LookupQuestion>(std::move(question));
    const bool posted = gate_->Post(
        [chain = chain_, asked, done](LookupLoop&) { chain->Ask(std::move(*asked), done); });
    if (posted) return;
    LookupAnswer answer;
    answer.kind = LookupAnswer::Kind::kUnavailable;
    done(std::move(answer));
  }

 private:
  const std::shared_ptr<LookupGate> gate_;
  LookupChain* const chain_;
};

}  // namespace

struct LookupThread::Inner : LookupLoop {
  using LookupLoop::LookupLoop;
};

void LookupLoop::Adopt(std::unique_ptr<LookupChain> chain) {
  LookupChain* key = chain.get();
  chains.emplace(key, std::move(chain));
}

void LookupLoop::Retire(LookupChain* chain) {
  if (chain->under_way() == 0) return Drop(chain);
  // A call of the chain's own is on the stack then.
  chain->OnIdle([this, chain] { loop.AfterTurn([this, chain] { Drop(chain); }); });
}

void LookupLoop::Drop(LookupChain* chain) { chains.erase(chain); }

void LookupLoop::End() {
  chains.clear();
  // Behind the streams that went with them.
  loop.AfterTurn([this] { loop.Stop(); });
}

LookupThread::LookupThread(const ShardSize& size, Log& log)
    : inner_(std::make_unique<Inner>(size, log)) {
  inner_->gate = std::make_shared<LookupGate>(*inner_);
  inner_->thread = std::thread([inner = inner_.get()] { inner->loop.Run(); });
}

LookupThread::~LookupThread() {
  inner_->gate->Close([](LookupLoop& loop) { loop.End(); });
  inner_->thread.join();
}

const Shard& LookupThread::shard() const { return inner_->shard; }

Result<std::shared_ptr<Lookup>> LookupThread::Make(std::vector<LookupSettings> settings,
                                                   LookupTargets targets) {
  if (settings.empty()) return std::shared_ptr<Lookup>();
  const Places places(targets);
  const ServiceNet net{inner_->loop, *inner_->dialer, inner_->resolver};
  LinkMaker maker(net, places, inner_->memories, inner_->log);
  std::vector<LookupChain::Link> links;
  for (LookupSettings& each : settings) {
    const std::string name = each.name;
    Result<LookupChain::Link> link = maker.Make(std::move(each));
    if (!link.ok()) return Status::Error("lookup '" + name + "': " + link.error().message());
    links.push_back(std::move(link.value()));
  }
  auto chain = std::make_unique<LookupChain>(std::move(links), places, inner_->shard, inner_->log,
                                             MonotonicNow);
  LookupChain* const key = chain.get();
  inner_->gate->Post([owned = std::make_shared<std::unique_ptr<LookupChain>>(std::move(chain))](
                         LookupLoop& inner) { inner.Adopt(std::move(*owned)); });
  return std::shared_ptr<Lookup>(std::make_shared<ChainHandle>(inner_->gate, key));
}

}  // namespace postern
