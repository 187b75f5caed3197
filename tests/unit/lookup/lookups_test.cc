#include "postern/lookup/lookups.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <condition_variable>
#include <cstdlib>
#include <fstream>
#include <mutex>
#include <vector>

#include "unit/lookup/targets_fixture.h"

namespace postern {
namespace {

using namespace std::chrono_literals;
using Kind = LookupAnswer::Kind;

// A port at which nobody ever says anything: connections are taken by the kernel.
class SilentPort {
 public:
  SilentPort() : socket_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* any = reinterpret_cast<sockaddr*>(&address);
    REQUIRE(bind(socket_, any, size) == 0);
    REQUIRE(listen(socket_, 500) == 0);
    REQUIRE(getsockname(socket_, any, &size) == 0);
    port_ = ntohs(address.sin_port);
  }
  ~SilentPort() { Close(); }
  SilentPort(const SilentPort&) = delete;
  SilentPort& operator=(const SilentPort&) = delete;
  // From now on connects are refused.
  void Close() {
    if (socket_ >= 0) close(socket_);
    socket_ = -1;
  }
  std::string host() const { return "127.0.0.1:" + std::to_string(port_); }

 private:
  int socket_;
  std::uint16_t port_ = 0;
};

class QuietLog final : public Log {
 public:
  void Write(LogLine) override {}
  Status Reopen(const std::string&) override { return {}; }
  std::uint64_t dropped() const override { return 0; }
};

// Asks and counts: each question is answered once.
class Asker {
 public:
  void Ask(Lookup& lookup, const std::string& user) {
    std::size_t index = 0;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      index = answers_.size();
      answers_.emplace_back();
    }
    lookup.Ask(testing::QuestionOf(user), [this, index](const LookupAnswer& answer) {
      const std::lock_guard<std::mutex> lock(mutex_);
      answers_[index].push_back(answer.kind);
      ++count_;
      changed_.notify_all();
    });
  }
  // Waits until as many answers came as questions were asked.
  void Wait() {
    std::unique_lock<std::mutex> lock(mutex_);
    REQUIRE(changed_.wait_for(lock, 60s, [this] { return count_ >= answers_.size(); }));
  }
  bool All(Kind kind) {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (const auto& each : answers_) {
      if (each != std::vector<Kind>{kind}) return false;
    }
    return count_ == answers_.size();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::vector<Kind>> answers_;
  std::size_t count_ = 0;
};

LookupSettings Service(LookupSettings::Type type, const std::string& url, Duration timeout) {
  LookupSettings settings;
  settings.type = type;
  settings.name = "service";
  settings.url = url;
  settings.command = "GET {user}";
  settings.timeout = timeout;
  return settings;
}

struct World {
  QuietLog log;
  std::unique_ptr<LookupThread> thread =
      std::make_unique<LookupThread>(ShardSize{1, 3, 4, 0, 2}, log);
  Asker asker;

  Result<std::shared_ptr<Lookup>> Make(LookupSettings settings) {
    std::vector<LookupSettings> all;
    all.push_back(std::move(settings));
    return thread->Make(std::move(all), testing::Targets());
  }
};

const std::pair<LookupSettings::Type, const char*> kServices[] = {
    {LookupSettings::Type::kHttp, "http://"}, {LookupSettings::Type::kRedis, "redis://"}};

TEST_CASE("Lookups that nobody answers are unavailable when their time is over") {
  for (const auto& [type, scheme] : kServices) {
    INFO(scheme);
    const SilentPort port;
    World world;
    const auto lookup = world.Make(Service(type, scheme + port.host(), 50ms)).value();
    // More than may ask at once.
    for (int i = 0; i < 200; ++i) world.asker.Ask(*lookup, "user" + std::to_string(i));
    world.asker.Wait();
    CHECK(world.asker.All(Kind::kUnavailable));
  }
}

TEST_CASE("Lookups that are refused are unavailable at once") {
  for (const auto& [type, scheme] : kServices) {
    INFO(scheme);
    SilentPort port;
    port.Close();
    World world;
    const auto lookup = world.Make(Service(type, scheme + port.host(), 1h)).value();
    for (int i = 0; i < 20; ++i) world.asker.Ask(*lookup, "ann");
    world.asker.Wait();
    CHECK(world.asker.All(Kind::kUnavailable));
  }
}

TEST_CASE("Lookups that a reload replaces still answer who waits") {
  for (const auto& [type, scheme] : kServices) {
    INFO(scheme);
    const SilentPort port;
    World world;
    auto lookup = world.Make(Service(type, scheme + port.host(), 100ms)).value();
    for (int i = 0; i < 80; ++i) world.asker.Ask(*lookup, "ann");
    lookup.reset();
    world.asker.Wait();
    CHECK(world.asker.All(Kind::kUnavailable));
  }
}

TEST_CASE("Lookups are all answered when their thread ends and behind it") {
  for (const auto& [type, scheme] : kServices) {
    INFO(scheme);
    const SilentPort port;
    World world;
    auto lookup = world.Make(Service(type, scheme + port.host(), 1h)).value();
    auto replaced = world.Make(Service(type, scheme + port.host(), 1h)).value();
    for (int i = 0; i < 80; ++i) world.asker.Ask(i % 2 == 0 ? *lookup : *replaced, "ann");
    replaced.reset();
    world.thread.reset();
    CHECK(world.asker.All(Kind::kUnavailable));
    world.asker.Ask(*lookup, "bob");
    CHECK(world.asker.All(Kind::kUnavailable));
  }
}

TEST_CASE("Lookups in a file are answered from it") {
  std::string path = "/tmp/postern-lookups-XXXXXX";
  const int descriptor = mkstemp(path.data());
  REQUIRE(descriptor >= 0);
  close(descriptor);
  std::ofstream(path) << "ann\tlegacy/mail2\n";
  World world;
  LookupSettings settings;
  settings.path = path;
  const auto lookup = world.Make(std::move(settings));
  unlink(path.c_str());
  REQUIRE(lookup.ok());
  for (int i = 0; i < 10; ++i) world.asker.Ask(*lookup.value(), "Ann");
  world.asker.Wait();
  CHECK(world.asker.All(Kind::kFound));
}

TEST_CASE("Lookups that cannot be made say which and why") {
  World world;
  CHECK(world.thread->Make({}, testing::Targets()).value() == nullptr);
  const auto said = [&](LookupSettings settings) {
    const auto made = world.Make(std::move(settings));
    return made.ok() ? "made" : made.error().message();
  };
  using Type = LookupSettings::Type;
  CHECK_THAT(said(Service(Type::kHttp, "redis://a", 1s)),
             Catch::Matchers::StartsWith("lookup 'service': url \"redis://a\""));
  CHECK_THAT(said(Service(Type::kRedis, "redis://a/x", 1s)),
             Catch::Matchers::Contains("number of a database"));
  LookupSettings without = Service(Type::kRedis, "redis://a", 1s);
  without.command = "GET {name}";
  CHECK_THAT(said(std::move(without)), Catch::Matchers::Contains("{name}"));
  LookupSettings unknown_root = Service(Type::kHttp, "https://a", 1s);
  unknown_root.verification.ca_file = "/nonexistent/ca.pem";
  CHECK_THAT(said(std::move(unknown_root)), Catch::Matchers::Contains("/nonexistent/ca.pem"));
  LookupSettings file;
  file.path = "/nonexistent/users.map";
  CHECK_THAT(said(std::move(file)), Catch::Matchers::Contains("/nonexistent/users.map"));
}

}  // namespace
}  // namespace postern
