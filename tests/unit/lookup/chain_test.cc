#include "lookup/chain.h"

#include <catch2/catch.hpp>
#include <map>

#include "support/lines_log.h"
#include "unit/lookup/targets_fixture.h"

namespace postern {
namespace {

using namespace std::chrono_literals;
using Kind = LookupAnswer::Kind;

// Two services that answer what the test says, when the test says, and a clock of its own.
class Chained {
 public:
  Chained() { memories_[0] = memories_[1] = nullptr; }
  // Services: how many; the first judges passwords.
  LookupChain& Make(std::size_t services, Duration ttl = 60s, Duration stale = 10min) {
    std::vector<LookupChain::Link> links;
    for (std::size_t i = 0; i < services; ++i) {
      if (!memories_[i]) memories_[i] = std::make_shared<LookupMemory>();
      LookupChain::Link link;
      link.name = i == 0 ? "first" : "second";
      link.slot = static_cast<LookupSlot>(i);
      link.judges = i == 0;
      link.ttl = ttl;
      link.stale = stale;
      link.memory = memories_[i];
      link.ask = [this, i](const LookupQuestion& question, FindingDone done) {
        ++asked[i];
        passwords += std::string(question.password.Reveal()) + " ";
        if (held) return waiting.push_back(std::move(done));
        done(next[i]());
      };
      links.push_back(std::move(link));
    }
    chain = std::make_unique<LookupChain>(std::move(links), Places(testing::Targets()), shard, log,
                                          [this] { return now; });
    return *chain;
  }
  // "found 0/1 vouched user=x", "unknown", "refused text", "unavailable".
  std::string Ask(const std::string& user = "ann", std::string_view password = "secret") {
    std::string shown = "nothing";
    chain->Ask(testing::QuestionOf(user, password),
               [&](const LookupAnswer& answer) { shown = Show(answer); });
    return shown;
  }
  static std::string Show(const LookupAnswer& answer) {
    constexpr const char* kKinds[] = {"unknown", "found", "refused", "temporary", "unavailable"};
    std::string text = kKinds[static_cast<int>(answer.kind)];
    if (answer.kind == Kind::kFound) {
      text += " " + std::to_string(answer.pool) + "/" +
              (answer.backend == kNoBackend ? "any" : std::to_string(answer.backend));
    }
    if (answer.vouched) text += " vouched";
    if (!answer.user.empty()) text += " user=" + answer.user;
    if (answer.has_password) text += " password=" + std::string(answer.password.Reveal());
    return answer.text.empty() ? text : text + " " + answer.text;
  }
  std::size_t Told(const std::string& event) const {
    std::size_t count = 0;
    for (const std::string& line : log.lines) count += line.find(event) != line.npos;
    return count;
  }

  Instant now{1h};
  testing::LinesLog log;
  Shard shard{ShardSize{1, 3, 4, 0, 2}};
  std::map<std::size_t, std::function<Finding()>> next;
  std::map<std::size_t, int> asked;
  std::string passwords;
  bool held = false;
  std::vector<FindingDone> waiting;
  std::unique_ptr<LookupChain> chain;

 private:
  std::map<std::size_t, std::shared_ptr<LookupMemory>> memories_;
};

Finding Found(PoolId pool, BackendId backend = kNoBackend, bool vouched = false) {
  Finding finding;
  finding.answer.kind = Kind::kFound;
  finding.answer.pool = pool;
  finding.answer.backend = backend;
  finding.answer.vouched = vouched;
  return finding;
}

Finding Refused() {
  Finding finding;
  finding.answer.kind = Kind::kRefused;
  finding.answer.text = "no";
  return finding;
}

Finding Vouched(const std::string& user = {}) {
  Finding finding;
  finding.answer.vouched = true;
  finding.answer.user = user;
  return finding;
}

TEST_CASE("Lookups are asked in order until one knows the user") {
  Chained it;
  it.Make(2);
  it.next[0] = [] { return Finding(); };
  it.next[1] = [] { return Found(1, 2); };
  CHECK(it.Ask() == "found 1/2");
  it.next[0] = [] { return Found(0); };
  CHECK(it.Ask("bob") == "found 0/any");
  CHECK(it.asked[1] == 1);
  it.next[0] = it.next[1] = [] { return Finding(); };
  CHECK(it.Ask("carl") == "unknown");
  CHECK(it.chain->under_way() == 0);
}

TEST_CASE("A lookup that is down ends the chain and never says the password is wrong") {
  Chained it;
  it.Make(2);
  it.next[0] = [] { return Finding::Away("refused"); };
  it.next[1] = [] { return Found(1); };
  CHECK(it.Ask() == "unavailable");
  CHECK(it.asked[1] == 0);
  it.next[0] = [] { return Finding::Wrong("no such backend"); };
  CHECK(it.Ask() == "unavailable");
}

TEST_CASE("A refusal is final and is not kept") {
  Chained it;
  it.Make(2);
  it.next[0] = [] { return Refused(); };
  CHECK(it.Ask() == "refused no");
  it.next[0] = [] { return Found(0, 0, true); };
  CHECK(it.Ask() == "found 0/0 vouched");
}

TEST_CASE("Answers are kept for their time to live and for their password") {
  Chained it;
  it.Make(1);
  it.next[0] = [] { return Found(0, 0, true); };
  CHECK(it.Ask() == "found 0/0 vouched");
  it.next[0] = [] { return Refused(); };
  CHECK(it.Ask() == "found 0/0 vouched");
  CHECK(it.asked[0] == 1);
  CHECK(it.Ask("ann", "wrong") == "refused no");
  CHECK(it.Ask("bob") == "refused no");
  it.now += 60s;
  CHECK(it.Ask() == "refused no");
  // What was kept is not so any more, and is not used when the service goes.
  it.next[0] = [] { return Finding::Away("gone"); };
  CHECK(it.Ask() == "unavailable");
}

TEST_CASE("An unknown user is asked for each time") {
  Chained it;
  it.Make(1);
  it.next[0] = [] { return Finding(); };
  CHECK(it.Ask() == "unknown");
  it.next[0] = [] { return Found(0); };
  CHECK(it.Ask() == "found 0/any");
}

TEST_CASE("While the service is away old answers are used up to their age") {
  Chained it;
  it.Make(1);
  it.next[0] = [] { return Found(0, 1); };
  CHECK(it.Ask() == "found 0/1");
  it.next[0] = [] { return Finding::Away("refused"); };
  it.now += 5min;
  CHECK(it.Ask() == "found 0/1");
  CHECK(it.Ask("bob") == "unavailable");
  CHECK(it.Ask("ann", "other") == "unavailable");
  it.now += 5min;
  CHECK(it.Ask() == "unavailable");
}

TEST_CASE("A service known to be away is not asked again at once by whom an old answer serves") {
  Chained it;
  it.Make(1);
  it.next[0] = [] { return Found(0, 1); };
  it.Ask();
  it.next[0] = [] { return Finding::Away("refused"); };
  it.now += 2min;
  CHECK(it.Ask() == "found 0/1");
  const int asked = it.asked[0];
  CHECK(it.Ask() == "found 0/1");
  CHECK(it.asked[0] == asked);
  it.now += 1s;
  CHECK(it.Ask() == "found 0/1");
  CHECK(it.asked[0] == asked + 1);
}

TEST_CASE("Without a time to live and a stale time nothing is kept") {
  Chained it;
  it.Make(1, 0s, 0s);
  it.next[0] = [] { return Found(0); };
  it.Ask();
  CHECK(it.Ask() == "found 0/any");
  CHECK(it.asked[0] == 2);
  it.next[0] = [] { return Finding::Away("refused"); };
  CHECK(it.Ask() == "unavailable");
}

TEST_CASE("A lookup that vouches without a place leaves the place to the next") {
  Chained it;
  it.Make(2);
  it.next[0] = [] { return Vouched("box"); };
  it.next[1] = [] { return Found(1); };
  CHECK(it.Ask() == "found 1/any vouched user=box");
  CHECK(it.Ask() == "found 1/any vouched user=box");
  CHECK(it.asked[0] == 1);
  it.next[1] = [] { return Finding(); };
  CHECK(it.Ask("bob") == "unknown vouched user=box");
  it.next[1] = [] { return Finding::Away("refused"); };
  CHECK(it.Ask("carl") == "unavailable");
}

TEST_CASE("Going away and coming back are told once") {
  Chained it;
  it.Make(1);
  it.next[0] = [] { return Finding::Away("refused"); };
  for (int i = 0; i < 5; ++i) it.Ask();
  CHECK(it.Told("lookup_down") == 1);
  CHECK(it.log.lines[0].find("refused") != std::string::npos);
  it.next[0] = [] { return Finding(); };
  it.Ask();
  CHECK(it.Told("lookup_up") == 0);  // one good answer between failures is not being back
  it.now += 1s;
  for (int i = 0; i < 5; ++i) it.Ask();
  CHECK(it.Told("lookup_up") == 1);
  it.next[0] = [] { return Finding::Wrong("pool \"x\" is not configured"); };
  for (int i = 0; i < 5; ++i) it.Ask();
  CHECK(it.Told("lookup_wrong") == 1);
  it.now += 10s;
  it.Ask();
  CHECK(it.Told("lookup_wrong") == 2);
  for (const std::string& line : it.log.lines) CHECK(line.find("secret") == std::string::npos);
}

TEST_CASE("Memory outlives the chain and an answer may name what is gone") {
  Chained it;
  it.Make(1);
  it.next[0] = [] { return Found(2); };  // "gone" has no backends: answered before it went
  it.Ask();
  it.next[0] = [] { return Found(0); };
  it.Make(1);
  CHECK(it.Ask() == "found 0/any");
  it.Make(1);
  it.next[0] = [] { return Refused(); };
  CHECK(it.Ask() == "found 0/any");
}

TEST_CASE("A chain that goes answers each question once") {
  Chained it;
  it.Make(2);
  it.held = true;
  int answers = 0;
  for (int i = 0; i < 3; ++i) {
    it.chain->Ask(testing::QuestionOf("ann"), [&](const LookupAnswer& answer) {
      ++answers;
      CHECK(answer.kind == Kind::kUnavailable);
    });
  }
  CHECK(it.chain->under_way() == 3);
  CHECK(it.waiting.size() == 3);
  // As services do when their chain goes: all are answered while it is still there.
  std::vector<FindingDone> waiting = std::move(it.waiting);
  for (FindingDone& done : waiting) done(Finding::Away("given up"));
  CHECK(answers == 3);
  CHECK(it.chain->under_way() == 0);
  it.chain.reset();
  CHECK(answers == 3);
}

TEST_CASE("A chain tells when nothing is under way") {
  Chained it;
  it.Make(1);
  it.held = true;
  int idle = 0;
  it.chain->Ask(testing::QuestionOf("ann"), [](const LookupAnswer&) {});
  it.chain->OnIdle([&] { ++idle; });
  CHECK(idle == 0);
  it.waiting[0](Finding());
  CHECK(idle == 1);
}

}  // namespace
}  // namespace postern
