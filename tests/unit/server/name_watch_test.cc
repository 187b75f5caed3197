#include "server/name_watch.h"

#include <catch2/catch.hpp>

#include "support/lines_log.h"
#include "unit/net/dns_server.h"
#include "unit/net/recorder.h"

namespace postern {
namespace {

using namespace std::chrono_literals;

struct World {
  World()
      : watch(loop, log,
              [this](Config config) {
                told.push_back(config);
                if (adopts) watch.Adopt(config);
              },
              {{server.address()}, 50ms, 2}, {30ms, 1h}) {
    server.ttl = 0;
  }
  static BackendConfig Backend(const std::string& imap, const std::string& pop3) {
    BackendConfig backend;
    backend.imap_text = imap;
    backend.pop3_text = pop3;
    if (Result<Address> numeric = Address::Parse(imap); numeric.ok())
      backend.imap = numeric.value();
    return backend;
  }
  bool Until(const std::function<bool()>& condition) {
    return TurnUntil(loop, [&] {
      server.Serve();
      return condition();
    });
  }

  Loop loop;
  testing::LinesLog log;
  DnsServer server;
  std::vector<Config> told;
  bool adopts = true;
  NameWatch watch;
};

TEST_CASE("names get their addresses and numbers stay what they are") {
  World world;
  world.server.names["mail.example"] = {"192.0.2.7"};
  Config config;
  config.backends = {World::Backend("mail.example:143", "mail.example:110"),
                     World::Backend("192.0.2.9:143", "")};
  world.watch.Adopt(config);
  CHECK(world.told.empty());
  REQUIRE(world.Until([&] { return !world.told.empty(); }));
  const Config& now = world.told[0];
  CHECK(now.backends[0].imap.Text() == "192.0.2.7:143");
  CHECK(now.backends[0].pop3.Text() == "192.0.2.7:110");
  CHECK(now.backends[1].imap.Text() == "192.0.2.9:143");
  CHECK(now.backends[1].pop3.family() == AF_UNSPEC);
}

TEST_CASE("the address in use stays as long as it is among those of the name") {
  World world;
  world.server.names["mail.example"] = {"192.0.2.7", "192.0.2.8"};
  Config config;
  config.backends = {World::Backend("mail.example:143", "")};
  config.backends[0].imap = Address::Parse("192.0.2.8:143").value();
  world.watch.Adopt(config);
  REQUIRE(world.Until([&] { return world.server.questions == 2; }));
  for (int i = 0; i < 20; ++i) Turn(world.loop);
  CHECK(world.told.empty());
}

TEST_CASE("a name is asked for again by its time to live and a change is told once") {
  World world;
  world.server.names["mail.example"] = {"192.0.2.7"};
  Config config;
  config.backends = {World::Backend("mail.example:143", "")};
  world.watch.Adopt(config);
  REQUIRE(world.Until([&] { return world.told.size() == 1; }));
  world.server.names["mail.example"] = {"192.0.2.8"};
  REQUIRE(world.Until([&] { return world.told.size() == 2; }));
  CHECK(world.told[1].backends[0].imap.Text() == "192.0.2.8:143");
  CHECK(world.server.questions >= 4);
}

TEST_CASE("an address that was refused is told again") {
  World world;
  world.adopts = false;
  world.server.names["mail.example"] = {"192.0.2.7"};
  Config config;
  config.backends = {World::Backend("mail.example:143", "")};
  world.watch.Adopt(config);
  REQUIRE(world.Until([&] { return world.told.size() == 2; }));
  CHECK(world.told[1].backends[0].imap.Text() == "192.0.2.7:143");
  world.adopts = true;
  REQUIRE(world.Until([&] { return world.told.size() == 3; }));
  const int questions = world.server.questions;
  REQUIRE(world.Until([&] { return world.server.questions > questions + 4; }));
  CHECK(world.told.size() == 3);
}

TEST_CASE("a name is not asked for while its answer is good") {
  World world;
  world.server.ttl = 3600;
  world.server.names["mail.example"] = {"192.0.2.7"};
  Config config;
  config.backends = {World::Backend("mail.example:143", "mail.example:110")};
  world.watch.Adopt(config);
  REQUIRE(world.Until([&] { return world.told.size() == 1; }));
  const Instant later = MonotonicNow() + 100ms;
  REQUIRE(world.Until([&] { return MonotonicNow() > later; }));
  CHECK(world.server.questions == 2);  // A and AAAA, once for both ports
}

TEST_CASE("the last good answer stands while name servers are away") {
  World world;
  world.server.silent = true;
  Config config;
  config.backends = {World::Backend("mail.example:143", "")};
  config.backends[0].imap = Address::Parse("192.0.2.8:143").value();
  world.watch.Adopt(config);
  REQUIRE(world.Until([&] { return !world.log.lines.empty(); }));
  CHECK(world.log.lines[0].find(R"("event":"name_unresolved","name":"mail.example")") !=
        std::string::npos);
  CHECK(world.told.empty());
  world.server.silent = false;
  world.server.names["mail.example"] = {"192.0.2.9"};
  REQUIRE(world.Until([&] { return world.told.size() == 1; }));
  CHECK(world.log.lines.size() == 2);
  CHECK(world.told[0].backends[0].imap.Text() == "192.0.2.9:143");
}

TEST_CASE("a name that left the configuration is forgotten also while it is asked for") {
  World world;
  world.server.names["mail.example"] = {"192.0.2.7"};
  Config config;
  config.backends = {World::Backend("mail.example:143", "")};
  world.watch.Adopt(config);
  REQUIRE(world.Until([&] { return world.server.questions > 0; }));
  world.watch.Adopt(Config());
  for (int i = 0; i < 50; ++i) Turn(world.loop);
  CHECK(world.told.empty());
  CHECK(world.log.lines.empty());
}

}  // namespace
}  // namespace postern
