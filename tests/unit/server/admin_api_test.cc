// The API behind postern ctl: routes, who may do what, answers that come later.
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <future>

#include "unit/server/admin_fixture.h"

namespace postern {
namespace {

using testing::Ask;
using testing::Client;
using testing::HasStatus;
using testing::RunningAdmin;

constexpr const char* kToken = "correct-horse";

// A server of one session and two backends, that writes down what it was told to do.
struct FakeServer {
  Secret token{std::string_view(kToken)};
  std::vector<SessionInfo> sessions;
  std::vector<std::string> done;
  Status draining;
  ReloadOutcome outcome;
  // Set: answers wait until it is called.
  bool later = false;
  std::function<void()> go_on;

  FakeServer() {
    SessionInfo session;
    session.id = "ab-0-1";
    session.user = "ann\x1b[2J";
    session.state = SessionState::kRelay;
    session.age = std::chrono::milliseconds(90250);
    sessions.push_back(session);
    outcome.generation = 2;
  }

  AdminApi Api() {
    AdminApi api;
    api.token = [this]() -> const Secret& { return token; };
    api.sessions = [this](auto finished) { finished(sessions); };
    api.kick = [this](const std::string& id, auto finished) {
      done.push_back("kick " + id);
      finished(id == "ab-0-1");
    };
    api.backends = [] {
      BackendInfo first, second;
      first.pool = second.pool = "legacy";
      first.name = "mail1";
      second.name = "mail2";
      second.state = "down";
      second.reason = "connection refused";
      return std::vector<BackendInfo>{first, second};
    };
    api.drain = [this](const std::string& pool, const std::string& backend, Duration window,
                       auto finished) {
      const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(window).count();
      done.push_back("drain " + pool + "/" + backend + " " + std::to_string(seconds));
      finished(draining);
    };
    api.undrain = [this](const std::string& pool, const std::string& backend, auto finished) {
      done.push_back("undrain " + pool + "/" + backend);
      finished(draining);
    };
    api.reload = [this](auto finished) {
      done.push_back("reload");
      if (!later) return finished(outcome);
      go_on = [this, finished] { finished(outcome); };
    };
    api.status = [] { return StatusInfo{}; };
    return api;
  }
};

std::string Say(const RunningAdmin& admin, const std::string& method, const std::string& path,
                const std::string& headers = "") {
  return Ask(admin.address(),
             method + " /api/v1/" + path + " HTTP/1.1\r\nHost: x\r\n" + headers + "\r\n");
}
std::string Bearer(const std::string& token) { return "Authorization: Bearer " + token + "\r\n"; }

std::string Body(const std::string& response) {
  CHECK_THAT(response, Catch::Contains("Content-Type: application/json\r\n"));
  return response.substr(response.find("\r\n\r\n") + 4);
}

TEST_CASE("The API shows sessions and names users to those with the token") {
  FakeServer server;
  const RunningAdmin admin("127.0.0.1:0", server.Api());
  const std::string shown = Say(admin, "GET", "sessions");
  CHECK(HasStatus(shown, "200"));
  CHECK_THAT(Body(shown), Catch::Contains(R"("users_shown":false)") &&
                              Catch::Contains(R"("age_seconds":90.250)") &&
                              !Catch::Contains("ann"));
  const std::string named = Body(Say(admin, "GET", "sessions", Bearer(kToken)));
  CHECK_THAT(named, Catch::Contains(R"("users_shown":true)") &&
                        Catch::Contains(R"("user":"ann\u001b[2J")"));
  CHECK(HasStatus(Say(admin, "GET", "sessions", Bearer("wrong-horse!!")), "401"));
  server.token.Clear();
  CHECK_THAT(Body(Say(admin, "GET", "sessions", Bearer(kToken))), !Catch::Contains("ann"));
}

TEST_CASE("What changes something needs the token") {
  FakeServer server;
  const RunningAdmin admin("127.0.0.1:0", server.Api());
  for (const char* path :
       {"kick?id=ab-0-1", "drain?backend=legacy/mail1", "undrain?backend=legacy/mail1", "reload"}) {
    INFO(path);
    const std::string none = Say(admin, "POST", path);
    CHECK(HasStatus(none, "401"));
    CHECK_THAT(none, Catch::Contains("WWW-Authenticate: Bearer\r\n"));
    CHECK_THAT(Body(none), Catch::Contains("admin.token_file"));
    for (const char* wrong : {"correct-hors", "correct-horsE", "correct-horse2", "x"}) {
      CHECK(HasStatus(Say(admin, "POST", path, Bearer(wrong)), "401"));
    }
    CHECK(HasStatus(Say(admin, "POST", path, "Authorization: Basic correct-horse\r\n"), "401"));
    CHECK(HasStatus(Say(admin, "POST", path, "Cookie: token=correct-horse\r\n"), "401"));
    const std::string page =
        Say(admin, "POST", path, Bearer(kToken) + "Origin: http://127.0.0.1:9143\r\n");
    CHECK(HasStatus(page, "403"));
    const std::string get = Say(admin, "GET", path, Bearer(kToken));
    CHECK(HasStatus(get, "405"));
    CHECK_THAT(get, Catch::Contains("Allow: POST\r\n"));
  }
  CHECK(server.done.empty());
  server.token.Clear();
  const std::string forbidden = Say(admin, "POST", "reload", Bearer(kToken));
  CHECK(HasStatus(forbidden, "403"));
  CHECK_THAT(Body(forbidden), Catch::Contains("set admin.token_file"));
  CHECK(HasStatus(Say(admin, "POST", "reload", Bearer("")), "403"));
  CHECK(server.done.empty());
}

TEST_CASE("What is asked with the token is done") {
  FakeServer server;
  const RunningAdmin admin("127.0.0.1:0", server.Api());
  const auto post = [&](const std::string& path) {
    return Say(admin, "POST", path, Bearer(kToken));
  };
  CHECK(HasStatus(post("kick?id=ab-0-1"), "200"));
  CHECK_THAT(Body(post("drain?backend=legacy/mail1")),
             Catch::Contains(R"({"draining":"legacy/mail1","note":"no other backend of pool)"));
  CHECK(Body(post("drain?backend=legacy%2fmail2&window=5m")) ==
        "{\"draining\":\"legacy/mail2\"}\n");
  CHECK(HasStatus(post("undrain?backend=legacy/mail1"), "200"));
  const std::string reload = post("reload");
  CHECK(HasStatus(reload, "200"));
  CHECK_THAT(Body(reload), Catch::Contains(R"("applied":true,"generation":2)"));
  CHECK(server.done == std::vector<std::string>{"kick ab-0-1", "drain legacy/mail1 30",
                                                "drain legacy/mail2 300", "undrain legacy/mail1",
                                                "reload"});
}

TEST_CASE("What cannot be done says why") {
  FakeServer server;
  const RunningAdmin admin("127.0.0.1:0", server.Api());
  const auto post = [&](const std::string& path) {
    return Say(admin, "POST", path, Bearer(kToken));
  };
  const std::string kick = post("kick?id=%1b]0%3bx");
  CHECK(HasStatus(kick, "404"));
  CHECK_THAT(Body(kick), Catch::Contains(R"(no session \u001b]0;x)"));
  CHECK(HasStatus(post("kick"), "400"));
  CHECK(HasStatus(post("drain"), "400"));
  const std::string near = post("drain?backend=legacy/mial1");
  CHECK(HasStatus(near, "404"));
  CHECK_THAT(Body(near), Catch::Contains("did you mean legacy/mail1?"));
  CHECK_THAT(Body(post("drain?backend=mail2")), Catch::Contains("did you mean legacy/mail2?"));
  CHECK_THAT(Body(post("drain?backend=completely-else")), Catch::Contains("GET backends"));
  CHECK(HasStatus(post("drain?backend=legacy/mail1&window=soon"), "400"));
  CHECK(HasStatus(post("drain?backend=legacy/mail1&window=2h"), "400"));
  server.draining = Status::Error("legacy/mail1 is draining already");
  const std::string twice = post("drain?backend=legacy/mail1");
  CHECK(HasStatus(twice, "409"));
  CHECK_THAT(Body(twice), Catch::Contains("draining already"));
  server.outcome.reasons = {"postern.toml:3:1: bad", "rules/a.toml:9:2: worse"};
  const std::string reload = post("reload");
  CHECK(HasStatus(reload, "409"));
  CHECK_THAT(Body(reload),
             Catch::Contains(R"("applied":false)") && Catch::Contains("rules/a.toml:9:2: worse"));
  CHECK(HasStatus(post("explode"), "404"));
  CHECK(HasStatus(Say(admin, "POST", "sessions", Bearer(kToken)), "405"));
  CHECK(HasStatus(Ask(admin.address(), "GET /api/v2/status HTTP/1.1\r\n\r\n"), "404"));
  CHECK(HasStatus(Ask(admin.address(), "GET /api/v1/ HTTP/1.1\r\n\r\n"), "404"));
}

TEST_CASE("Without an API its paths are not found") {
  const RunningAdmin admin;
  CHECK(HasStatus(Say(admin, "GET", "status"), "404"));
}

// Runs the task on the admin's thread and waits for it.
void Await(RunningAdmin& admin, const std::function<void()>& task) {
  std::promise<void> over;
  admin.Post([&] {
    task();
    over.set_value();
  });
  over.get_future().wait();
}

TEST_CASE("An answer may come late and its connection goes on") {
  FakeServer server;
  server.later = true;
  RunningAdmin admin("127.0.0.1:0", server.Api());
  const Client client(admin.address());
  Client reader(admin.address());
  reader.Send("POST /api/v1/reload HTTP/1.1\r\nConnection: keep-alive\r\n" + Bearer(kToken) +
              "\r\nGET /healthz HTTP/1.1\r\n\r\n");
  // Others are answered meanwhile.
  CHECK(HasStatus(Say(admin, "GET", "status"), "200"));
  for (bool asked = false; !asked;) Await(admin, [&] { asked = server.go_on != nullptr; });
  Await(admin, [&] { server.go_on(); });
  const std::string both = reader.ReadAll();
  CHECK(HasStatus(both, "200"));
  CHECK_THAT(both, Catch::Contains(R"("generation":2)") && Catch::EndsWith("ok\n"));
  // A second call says nothing to nobody.
  Await(admin, [&] { server.go_on(); });
}

TEST_CASE("A client that went away is not missed when its answer comes") {
  FakeServer server;
  server.later = true;
  RunningAdmin admin("127.0.0.1:0", server.Api());
  {
    const Client client(admin.address());
    client.Send("POST /api/v1/reload HTTP/1.1\r\n" + Bearer(kToken) + "\r\n");
    for (bool asked = false; !asked;) Await(admin, [&] { asked = server.go_on != nullptr; });
  }
  Await(admin, [&] { server.go_on(); });
  CHECK(HasStatus(Say(admin, "GET", "status"), "200"));
}

TEST_CASE("Answers that wait when the listener ends wait for nobody") {
  FakeServer server;
  server.later = true;
  std::function<void()> late;
  {
    RunningAdmin admin("127.0.0.1:0", server.Api());
    const Client client(admin.address());
    client.Send("POST /api/v1/reload HTTP/1.1\r\n" + Bearer(kToken) + "\r\n");
    for (bool asked = false; !asked;) Await(admin, [&] { asked = server.go_on != nullptr; });
    late = server.go_on;
  }
  late();
}

// ---- the token's file

class TokenFile {
 public:
  explicit TokenFile(const std::string& content) {
    path_ = (std::filesystem::temp_directory_path() / "postern-token-XXXXXX").string();
    const int descriptor = mkstemp(path_.data());
    REQUIRE(descriptor >= 0);
    REQUIRE(write(descriptor, content.data(), content.size()) ==
            static_cast<ssize_t>(content.size()));
    close(descriptor);
  }
  ~TokenFile() { std::filesystem::remove(path_); }
  TokenFile(const TokenFile&) = delete;
  TokenFile& operator=(const TokenFile&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

TEST_CASE("A token is the one line of its file") {
  for (const char* content : {"abc123", "abc123\n", "abc123\r\n"}) {
    const Result<Secret> token = ReadAdminToken(TokenFile(content).path());
    REQUIRE(token.ok());
    CHECK(token.value().Reveal() == "abc123");
  }
  CHECK(ReadAdminToken(TokenFile(std::string(1024, 'x') + "\n").path()).ok());
  for (const std::string& content :
       {std::string(), std::string("\n"), std::string("a b\n"), std::string("a\nb\n"),
        std::string("a\0b", 3), std::string("\xc3\xa4\n"), std::string(1025, 'x')}) {
    const TokenFile file(content);
    const Result<Secret> token = ReadAdminToken(file.path());
    INFO(content.substr(0, 20));
    REQUIRE_FALSE(token.ok());
    CHECK_THAT(token.error().message(), Catch::Contains(file.path()));
  }
  CHECK_FALSE(ReadAdminToken("/nonexistent/token").ok());
}

}  // namespace
}  // namespace postern
