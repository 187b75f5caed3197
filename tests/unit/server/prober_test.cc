#include "server/prober.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <functional>

#include "postern/net/listener.h"
#include "support/lines_log.h"
#include "unit/net/recorder.h"

namespace postern {
namespace {

using namespace std::chrono_literals;

// A backend on the loop of the test that says what it is told to say.
class FakeBackend {
 public:
  explicit FakeBackend(Loop& loop) : loop_(loop) {
    BoundSocket socket =
        std::move(BoundSocket::Bind(Address::Parse("127.0.0.1:0").value()).value());
    address_ = socket.address();
    Open(std::move(socket));
  }
  const Address& address() const { return address_; }
  // Nobody listens from now on; or again.
  void Stop() { listener_.reset(); }
  void Start() { Open(std::move(BoundSocket::Bind(address_).value())); }

  std::string greeting = "* OK hello\r\n";
  std::string answer = "* CAPABILITY IMAP4rev1 IDLE\r\nprobe OK done\r\n";
  std::string heard;
  int visits = 0;

 private:
  struct Visit {
    std::unique_ptr<Stream> stream;
    Recorder recorder;
  };
  void Open(BoundSocket socket) {
    listener_ = std::move(Listener::Open(loop_, std::move(socket),
                                         [this](std::unique_ptr<Stream> stream, const Address&,
                                                const Address&) { OnVisit(std::move(stream)); })
                              .value());
  }
  void OnVisit(std::unique_ptr<Stream> stream) {
    ++visits;
    auto visit = std::make_unique<Visit>();
    Visit& it = *visit;
    it.stream = std::move(stream);
    it.recorder.on_bytes = [this, &it](std::string_view bytes) {
      heard += bytes;
      if (bytes.find("CAPABILITY") != bytes.npos) it.stream->Write(answer);
    };
    visits_.push_back(std::move(visit));
    it.stream->Start(it.recorder);
    it.stream->Write(greeting);
  }

  Loop& loop_;
  Address address_;
  std::vector<std::unique_ptr<Visit>> visits_;
  std::unique_ptr<Listener> listener_;
};

// A pool with an IMAP backend or two, and a prober that looks at it.
struct World {
  World() : prober(loop, health, log, [this](CommonOffer offer) { offers.push_back(offer); }) {
    config.plan.timeouts.connect = 10s;
    PoolConfig pool;
    pool.name = "legacy";
    pool.probe.every = 20ms;
    config.pools.push_back(pool);
  }
  void Adopt(const std::vector<Address>& addresses) {
    Pool pool;
    pool.name = "legacy";
    std::vector<Backend> backends;
    for (std::size_t i = 0; i < addresses.size(); ++i) {
      Backend backend;
      backend.name = "mail" + std::to_string(i + 1);
      backend.serves[0] = true;
      backend.address[0] = addresses[i];
      pool.backends.push_back(static_cast<BackendId>(i));
      backends.push_back(backend);
    }
    const Setup setup{{}, Routes({pool}, backends, 0), {}, {}, {}, {}};
    REQUIRE(prober.Adopt(config, setup).ok());
  }
  bool Reaches(BackendState state, BackendId id = 0) {
    return TurnUntil(loop, [&] { return health.state(id) == state && said() == state; });
  }
  // What the log said last.
  BackendState said() const {
    for (const BackendState state : {BackendState::kFailing, BackendState::kDown}) {
      const std::string to = "\"to\":\"" + std::string(BackendStateName(state)) + "\"";
      if (!log.lines.empty() && log.lines.back().find(to) != std::string::npos) return state;
    }
    return BackendState::kUp;
  }
  bool Logged(const std::string& text) const {
    return std::any_of(log.lines.begin(), log.lines.end(), [&](const std::string& line) {
      return line.find(text) != std::string::npos;
    });
  }

  Loop loop;
  testing::LinesLog log;
  BackendHealth health{4};
  Config config;
  std::vector<CommonOffer> offers;
  Prober prober;
};

TEST_CASE("a backend that is well stays up and its capabilities are offered") {
  World world;
  FakeBackend backend(world.loop);
  world.Adopt({backend.address()});
  CHECK(world.offers.empty());
  REQUIRE(TurnUntil(world.loop, [&] { return backend.visits >= 3; }));
  REQUIRE(TurnUntil(world.loop, [&] { return !world.offers.empty(); }));
  CHECK(world.offers.size() == 1);
  CHECK(world.offers[0].imap == std::vector<std::string>{"IDLE"});
  CHECK(world.log.lines.empty());
  CHECK(backend.heard.find("probe CAPABILITY\r\nprobe LOGOUT\r\n") == 0);
}

TEST_CASE("a backend that is gone is down after two probes and comes back with a slow start") {
  World world;
  FakeBackend backend(world.loop);
  backend.Stop();
  world.Adopt({backend.address()});
  REQUIRE(world.Reaches(BackendState::kDown));
  REQUIRE(world.log.lines.size() == 2);
  CHECK(world.log.lines[0].find(
            R"("event":"backend_state","pool":"legacy","backend":"mail1","protocol":"imap",)"
            R"("from":"up","to":"failing","reason":"connect to )") != std::string::npos);
  CHECK(world.log.lines[1].find(R"("from":"failing","to":"down")") != std::string::npos);
  backend.Start();
  REQUIRE(world.Reaches(BackendState::kUp));
  CHECK(world.Logged(R"("from":"down","to":"up")"));
  CHECK(world.health.back(0, Protocol::kImap, MonotonicNow()) < 1);
}

TEST_CASE("a backend that greets and then hangs is down after two probes") {
  World world;
  FakeBackend backend(world.loop);
  backend.answer = "* CAPABILITY IMAP4rev1\r\n";  // and never more
  world.config.pools[0].probe.every = 300ms;
  world.config.plan.timeouts.connect = 150ms;
  world.Adopt({backend.address()});
  REQUIRE(world.Reaches(BackendState::kDown));
  CHECK(backend.visits == 2);
  CHECK(world.Logged("waited too long for its capabilities"));
}

TEST_CASE("a backend that hangs up or never greets is down with the reason") {
  World world;
  FakeBackend silent(world.loop);
  silent.greeting.clear();
  world.Adopt({silent.address()});
  REQUIRE(world.Reaches(BackendState::kDown));
  CHECK(world.Logged("waited too long for its greeting"));
}

TEST_CASE("a backend whose name is not resolved is down") {
  World world;
  world.Adopt({Address()});
  REQUIRE(world.Reaches(BackendState::kDown));
  CHECK(world.Logged("the address of its name is not known"));
}

TEST_CASE("what sessions and operators do to a state is logged too") {
  World world;
  FakeBackend backend(world.loop);
  world.Adopt({backend.address()});
  REQUIRE(TurnUntil(world.loop, [&] { return !world.offers.empty(); }));
  world.health.Failed(0, MonotonicNow());
  REQUIRE(TurnUntil(world.loop, [&] { return world.Logged(R"("to":"failing")"); }));
  CHECK(world.Logged("it failed a session"));
  world.health.SetDraining(0, true);
  REQUIRE(
      TurnUntil(world.loop, [&] { return world.Logged(R"("from":"failing","to":"draining")"); }));
  world.health.SetDraining(0, false);
  world.health.Succeeded(0);
  REQUIRE(TurnUntil(world.loop, [&] { return world.Logged(R"("from":"draining","to":"up")"); }));
}

TEST_CASE("a backend that moved is looked at as another") {
  World world;
  FakeBackend gone(world.loop);
  FakeBackend there(world.loop);
  gone.Stop();
  world.Adopt({gone.address()});
  REQUIRE(world.Reaches(BackendState::kDown));
  world.Adopt({there.address()});
  CHECK(world.health.up(0));
  CHECK(world.health.back(0, Protocol::kImap, MonotonicNow()) == 1);
  REQUIRE(TurnUntil(world.loop, [&] { return there.visits >= 2; }));
  CHECK(world.health.up(0));
}

TEST_CASE(
    "a reload that changes nothing keeps what is known and one that drops a backend ends its "
    "probes") {
  World world;
  FakeBackend gone(world.loop);
  FakeBackend there(world.loop);
  gone.Stop();
  world.Adopt({there.address(), gone.address()});
  REQUIRE(world.Reaches(BackendState::kDown, 1));
  world.Adopt({there.address(), gone.address()});
  CHECK(world.health.state(1) == BackendState::kDown);
  world.Adopt({there.address()});
  CHECK(world.health.state(1) == BackendState::kUp);
  const int visits = there.visits;
  REQUIRE(TurnUntil(world.loop, [&] { return there.visits >= visits + 3; }));
  CHECK(world.health.state(1) == BackendState::kUp);
}

TEST_CASE("a backend behind a PROXY header is probed as the gateway itself") {
  World world;
  FakeBackend backend(world.loop);
  world.config.pools[0].forward_proxy2 = true;
  world.Adopt({backend.address()});
  REQUIRE(TurnUntil(world.loop, [&] { return !world.offers.empty(); }));
  const std::string local("\r\n\r\n\0\r\nQUIT\n\x20\0\0\0", 16);
  CHECK(backend.heard.find(local + "probe CAPABILITY\r\n") == 0);
}

TEST_CASE("a password file that is missing is an error that names the pool and changes nothing") {
  World world;
  FakeBackend backend(world.loop);
  world.Adopt({backend.address()});
  world.config.pools[0].probe.user = "ann";
  world.config.pools[0].probe.password_file = "/nonexistent/password";
  Pool pool;
  pool.name = "legacy";
  const Setup setup{{}, Routes({pool}, {}, 0), {}, {}, {}, {}};
  const Status status = world.prober.Adopt(world.config, setup);
  REQUIRE_FALSE(status.ok());
  CHECK(status.message().find("pool legacy: ") == 0);
  REQUIRE(TurnUntil(world.loop, [&] { return backend.visits >= 2; }));
}

}  // namespace
}  // namespace postern
