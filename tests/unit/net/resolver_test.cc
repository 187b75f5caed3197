#include "postern/net/resolver.h"

#include <catch2/catch.hpp>
#include <optional>

#include "unit/net/dns_server.h"
#include "unit/net/recorder.h"

namespace postern {
namespace {

using namespace std::chrono_literals;

struct World {
  World() : resolver(loop, {{server.address()}, 50ms, 2}) {}
  void Ask(const std::string& name) {
    resolver.Resolve(name,
                     [this](Result<ResolvedName> result) { answer.emplace(std::move(result)); });
  }
  bool Settles() {
    return TurnUntil(loop, [this] {
      server.Serve();
      return answer.has_value();
    });
  }
  std::vector<std::string> addresses() const {
    std::vector<std::string> texts;
    for (const Address& address : answer->value().addresses) texts.push_back(address.Text());
    return texts;
  }

  Loop loop;
  DnsServer server;
  Resolver resolver;
  std::optional<Result<ResolvedName>> answer;
};

TEST_CASE("a name has its addresses of both families and their time to live", "[net][resolver]") {
  World world;
  world.server.names["mail.example"] = {"2001:db8::1", "192.0.2.7", "192.0.2.8"};
  world.server.ttl = 77;
  world.Ask("mail.example");
  CHECK_FALSE(world.answer.has_value());
  REQUIRE(world.Settles());
  REQUIRE(world.answer->ok());
  CHECK(world.addresses() ==
        std::vector<std::string>{"192.0.2.7:0", "192.0.2.8:0", "[2001:db8::1]:0"});
  CHECK(world.answer->value().ttl == 77s);
}

TEST_CASE("a name of one family only is found", "[net][resolver]") {
  World world;
  world.server.names["six.example"] = {"2001:db8::6"};
  world.Ask("six.example");
  REQUIRE(world.Settles());
  REQUIRE(world.answer->ok());
  CHECK(world.addresses() == std::vector<std::string>{"[2001:db8::6]:0"});
}

TEST_CASE("a name that nobody has is told from name servers that are away", "[net][resolver]") {
  World world;
  world.Ask("nobody.example");
  REQUIRE(world.Settles());
  REQUIRE_FALSE(world.answer->ok());
  CHECK(world.answer->error().message() == "the name nobody.example does not exist");

  world.answer.reset();
  world.server.silent = true;
  world.Ask("mail.example");
  REQUIRE(world.Settles());
  REQUIRE_FALSE(world.answer->ok());
  CHECK(world.answer->error().message().find("no name server answered for mail.example: ") == 0);

  // And the next question is asked anew.
  world.answer.reset();
  world.server.silent = false;
  world.server.names["mail.example"] = {"192.0.2.7"};
  world.Ask("mail.example");
  REQUIRE(world.Settles());
  CHECK(world.answer->ok());
}

TEST_CASE("localhost is found without a name server", "[net][resolver]") {
  World world;
  world.server.silent = true;
  world.Ask("localhost");
  CHECK_FALSE(world.answer.has_value());  // on a later turn
  REQUIRE(world.Settles());
  REQUIRE(world.answer->ok());
  CHECK(world.addresses().front() == "127.0.0.1:0");
  CHECK(world.server.questions == 0);
}

TEST_CASE("a resolver that goes drops its questions", "[net][resolver]") {
  Loop loop;
  DnsServer server;
  bool called = false;
  {
    Resolver resolver(loop, {{server.address()}, 50ms, 2});
    resolver.Resolve("mail.example", [&](const Result<ResolvedName>&) { called = true; });
    Turn(loop);
  }
  Turn(loop);
  CHECK_FALSE(called);
}

TEST_CASE("many questions at once are all answered", "[net][resolver]") {
  World world;
  int answered = 0;
  for (int i = 0; i < 100; ++i) {
    const std::string name = "mail" + std::to_string(i) + ".example";
    world.server.names[name] = {"192.0.2." + std::to_string(i)};
    world.resolver.Resolve(name, [&, i](Result<ResolvedName> result) {
      REQUIRE(result.ok());
      CHECK(result.value().addresses[0].HostText() == "192.0.2." + std::to_string(i));
      ++answered;
    });
  }
  REQUIRE(TurnUntil(world.loop, [&] {
    world.server.Serve();
    return answered == 100;
  }));
}

}  // namespace
}  // namespace postern
