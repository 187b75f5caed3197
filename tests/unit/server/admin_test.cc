#include "postern/server/admin.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <vector>

#include "unit/server/admin_fixture.h"

namespace postern {
namespace {

using testing::Ask;
using testing::Client;
using testing::Get;
using testing::HasStatus;
using testing::RunningAdmin;

TEST_CASE("The routes of the admin listener") {
  RunningAdmin admin;
  const std::string metrics = Get(admin.address(), "/metrics");
  CHECK(HasStatus(metrics, "200 OK\r\n"));
  CHECK_THAT(metrics,
             Catch::Contains("Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
  CHECK_THAT(metrics, Catch::EndsWith("\r\n\r\nm 1\n"));
  CHECK_THAT(Get(admin.address(), "/healthz"), Catch::EndsWith("\r\n\r\nok\n"));
  CHECK(HasStatus(Get(admin.address(), "/readyz"), "200 OK\r\n"));
  const std::string root = Get(admin.address(), "/");
  CHECK(HasStatus(root, "404 Not Found\r\n"));
  CHECK_THAT(root, Catch::Contains("/metrics, /healthz, /readyz and the API"));
  CHECK(HasStatus(Get(admin.address(), "/metricsx"), "404"));
}

TEST_CASE("A gateway that is not ready says why") {
  RunningAdmin admin;
  admin.not_ready = "draining";
  const std::string response = Get(admin.address(), "/readyz");
  CHECK(HasStatus(response, "503 Service Unavailable\r\n"));
  CHECK_THAT(response, Catch::EndsWith("\r\n\r\ndraining\n"));
}

TEST_CASE("Only GET and HEAD are answered") {
  RunningAdmin admin;
  const std::string head = Ask(admin.address(), "HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(HasStatus(head, "200 OK\r\n"));
  CHECK_THAT(head, Catch::Contains("Content-Length: 4\r\n"));
  CHECK_THAT(head, Catch::EndsWith("\r\n\r\n"));
  const std::string post =
      Ask(admin.address(), "POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc");
  CHECK(HasStatus(post, "405 Method Not Allowed\r\n"));
  CHECK_THAT(post, Catch::Contains("Allow: GET, HEAD\r\n"));
  CHECK(HasStatus(Ask(admin.address(), "a001 NOOP\r\n\r\n"), "400"));
  CHECK(HasStatus(Ask(admin.address(), "GET /" + std::string(8000, 'x') + " HTTP/1.1\r\n\r\n"),
                  "431"));
}

TEST_CASE("A connection is kept when the client asks for it") {
  RunningAdmin admin;
  Client client(admin.address());
  for (int i = 0; i < 3; ++i) {
    client.Send("GET /healthz HTTP/1.1\r\nConnection: keep-alive\r\n\r\n");
    CHECK_THAT(client.ReadTo("ok\n"), Catch::Contains("Connection: keep-alive\r\n"));
  }
  client.Send(
      "GET /healthz HTTP/1.1\r\nConnection: keep-alive\r\n\r\n"
      "GET /readyz HTTP/1.1\r\n\r\n");
  const std::string both = client.ReadAll();
  CHECK_THAT(both, Catch::Contains("ok\n") && Catch::EndsWith("ready\n"));
}

TEST_CASE("A client that asks slowly is cut and nobody has to wait for it") {
  RunningAdmin admin;
  std::vector<std::unique_ptr<Client>> slow;
  for (int i = 0; i < 12; ++i) {
    slow.push_back(std::make_unique<Client>(admin.address()));
    slow.back()->Send("GET /metrics HTTP/1.1\r\n");
  }
  CHECK_THAT(Get(admin.address(), "/healthz"), Catch::EndsWith("ok\n"));
  for (const auto& client : slow) CHECK(client->ReadAll().empty());
}

TEST_CASE("Kept connections give way to a newcomer") {
  RunningAdmin admin;
  std::vector<std::unique_ptr<Client>> kept;
  for (int i = 0; i < 8; ++i) {
    kept.push_back(std::make_unique<Client>(admin.address()));
    kept.back()->Send("GET /healthz HTTP/1.1\r\nConnection: keep-alive\r\n\r\n");
    kept.back()->ReadTo("ok\n");
  }
  CHECK_THAT(Get(admin.address(), "/healthz"), Catch::EndsWith("ok\n"));
  CHECK(kept.front()->ReadAll().empty());
  kept.back()->Send("GET /healthz HTTP/1.1\r\n\r\n");
  CHECK_THAT(kept.back()->ReadAll(), Catch::EndsWith("ok\n"));
}

TEST_CASE("A client that does not read what it asked for gets it later and whole") {
  RunningAdmin admin;
  admin.metrics = std::string(3 << 20, 'm') + "\n";
  Client client(admin.address());
  std::string requests;
  for (int i = 0; i < 4; ++i) requests += "GET /metrics HTTP/1.1\r\nConnection: keep-alive\r\n\r\n";
  client.Send(requests + "GET /healthz HTTP/1.1\r\n\r\n");
  const std::string all = client.ReadAll();
  CHECK(all.size() > 4 * admin.metrics.size());
  CHECK_THAT(all.substr(all.size() - 3), Catch::Equals("ok\n"));
}

TEST_CASE("The admin listener on a Unix socket") {
  std::string folder = (std::filesystem::temp_directory_path() / "postern-admin-XXXXXX").string();
  REQUIRE(mkdtemp(folder.data()) != nullptr);
  const std::string path = folder + "/admin.sock";
  {
    RunningAdmin admin("unix:" + path);
    CHECK(admin.address() == "unix:" + path);
    CHECK_THAT(Get(admin.address(), "/healthz"), Catch::EndsWith("ok\n"));
    struct stat facts {};
    REQUIRE(stat(path.c_str(), &facts) == 0);
    CHECK((facts.st_mode & 0777) == 0660);

    Loop loop;
    const auto second = Admin::Open(loop, "unix:" + path, {});
    REQUIRE_FALSE(second.ok());
    CHECK_THAT(second.error().message(), Catch::Contains("another process listens there"));
  }
  CHECK_FALSE(std::filesystem::exists(path));
  // What a killed process left behind is replaced.
  const int left = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  path.copy(name.sun_path, sizeof name.sun_path - 1);
  REQUIRE(bind(left, reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0);
  close(left);
  {
    RunningAdmin admin("unix:" + path);
    CHECK_THAT(Get(admin.address(), "/healthz"), Catch::EndsWith("ok\n"));
  }
  Loop loop;
  const auto nowhere = Admin::Open(loop, "unix:/nonexistent/admin.sock", {});
  REQUIRE_FALSE(nowhere.ok());
  CHECK_THAT(nowhere.error().message(), Catch::Contains("make its folder first"));
  std::filesystem::remove_all(folder);
}

TEST_CASE("A port that is taken is an error that names it") {
  RunningAdmin admin;
  Loop loop;
  const auto second = Admin::Open(loop, admin.address(), {});
  REQUIRE_FALSE(second.ok());
  CHECK_THAT(second.error().message(), Catch::Contains(admin.address()));
}

}  // namespace
}  // namespace postern
