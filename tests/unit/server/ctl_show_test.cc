// What the gateway renders, postern ctl reads: both sides of the JSON in one test.
#include "server/ctl_show.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "server/admin_json.h"

namespace postern {
namespace {

SessionInfo Session(std::string id, std::string user) {
  SessionInfo session;
  session.id = std::move(id);
  session.user = std::move(user);
  session.state = SessionState::kRelay;
  session.client = "192.0.2.7";
  session.pool = "legacy";
  session.backend = "mail1";
  session.tls_version = "1.3";
  session.age = std::chrono::minutes(5);
  session.idle = std::chrono::seconds(3);
  session.held = 4096;
  return session;
}

TEST_CASE("Sessions are a table with the oldest first") {
  SessionInfo old = Session("ab-0-1", "ann");
  old.age = std::chrono::hours(30);
  old.command = "FETCH";
  old.not_reading = "backend: the client does not take what was sent";
  const std::string json = SessionsJson({Session("ab-0-2", "bob\x1b]0;x\a"), old}, true);
  const auto shown = ShowSessions(json);
  REQUIRE(shown.ok());
  CHECK(
      shown.value() ==
      "ID      PROTO  STATE  USER             CLIENT     BACKEND       TLS  AGE    IDLE  HELD   "
      "DOING\n"
      "ab-0-1  imap   relay  ann              192.0.2.7  legacy/mail1  1.3  1d6h   3s    4 KiB  "
      "FETCH; backend: the client does not take what was sent\n"
      "ab-0-2  imap   relay  bob\\x1b]0;x\\x07  192.0.2.7  legacy/mail1  1.3  5m00s  3s    4 KiB\n"
      "2 sessions\n");
}

TEST_CASE("Sessions without users say why") {
  const auto shown = ShowSessions(SessionsJson({Session("ab-0-2", "bob")}, false));
  REQUIRE(shown.ok());
  CHECK_THAT(shown.value(), !Catch::Contains("USER") && !Catch::Contains("bob") &&
                                Catch::EndsWith("1 session; user names are shown to those who have "
                                                "the token (admin.token_file)\n"));
  CHECK(ShowSessions(SessionsJson({}, false)).value() == "0 sessions\n");
}

TEST_CASE("A session that was described twice is shown once") {
  SessionInfo again = Session("ab-0-2", "bob");
  again.age += std::chrono::milliseconds(3);
  CHECK_THAT(ShowSessions(SessionsJson({Session("ab-0-2", "bob"), again}, true)).value(),
             Catch::EndsWith("\n1 session\n"));
}

BackendInfo Backend(std::string name, std::string state, std::string reason = "") {
  BackendInfo backend;
  backend.pool = "legacy";
  backend.name = std::move(name);
  backend.imap = "10.0.0.1:143";
  backend.state = std::move(state);
  backend.reason = std::move(reason);
  backend.since = std::chrono::seconds(90);
  backend.sessions = 12;
  return backend;
}

TEST_CASE("Backends are a table") {
  const auto shown =
      ShowBackends(BackendsJson({Backend("mail1", "up"), Backend("mail2", "down", "refused")}));
  REQUIRE(shown.ok());
  CHECK(shown.value() ==
        "BACKEND       STATE  SINCE  SESSIONS  IMAP          WHY\n"
        "legacy/mail1  up     1m30s  12        10.0.0.1:143\n"
        "legacy/mail2  down   1m30s  12        10.0.0.1:143  refused\n");
}

StatusInfo Good() {
  StatusInfo status;
  status.version = "0.1.0";
  status.name = "mail.example";
  status.uptime = std::chrono::hours(76);
  status.sessions = {1, 2, 30, 0};
  status.max_sessions = 1000;
  status.backends = {Backend("mail1", "up"), Backend("mail3", "draining")};
  status.certificates = {{"mail.example", 1000 + 43 * 86400}};
  return status;
}

TEST_CASE("A status in which all is well") {
  const auto shown = ShowStatus(StatusJson(Good(), 1000));
  REQUIRE(shown.ok());
  CHECK(shown.value().well);
  CHECK(shown.value().text ==
        "postern 0.1.0   mail.example, up 3d4h, ready\n"
        "configuration generation 1, not reloaded since the start\n"
        "sessions      33 of at most 1000: 1 in handshake, 2 in login, 30 in relay\n"
        "backends      1 up, 1 draining (legacy/mail3)\n"
        "certificates  mail.example 43 days left\n"
        "log           no line dropped\n"
        "all is well\n");
}

TEST_CASE("A status that names what is wrong in ten lines") {
  StatusInfo status = Good();
  status.not_ready = "worker 0 does not answer";
  status.reload.cause = "SIGHUP";
  status.reload.ago = std::chrono::seconds(130);
  status.reload.reasons = {"postern.toml:3:1: bad\x1b[m"};
  status.backends.push_back(Backend("mail2", "down", "connection refused"));
  status.backends.push_back(Backend("mail4", "failing"));
  status.certificates.push_back({"old.example", 999});
  status.certificates.push_back({"next.example", 1000 + 86400});
  status.log_dropped = 1;
  const auto shown = ShowStatus(StatusJson(status, 1000));
  REQUIRE(shown.ok());
  CHECK_FALSE(shown.value().well);
  const std::string& text = shown.value().text;
  INFO(text);
  CHECK(std::count(text.begin(), text.end(), '\n') <= 10);
  for (const char* part :
       {"NOT READY: worker 0", "SIGHUP REFUSED 2m10s ago", "1 failing (legacy/mail4)",
        "1 down (legacy/mail2)", "old.example EXPIRED", "next.example 1 day left", "1 line dropped",
        "postern.toml:3:1: bad\\x1b[m", "and 4 more"}) {
    CHECK_THAT(text, Catch::Contains(part));
  }
}

TEST_CASE("A status of many things stays one of ten lines") {
  StatusInfo status = Good();
  for (int i = 0; i < 3; ++i) status.backends.push_back(Backend("b" + std::to_string(i), "down"));
  const std::string text = ShowStatus(StatusJson(status, 1000)).value().text;
  CHECK(std::count(text.begin(), text.end(), '\n') <= 10);
}

TEST_CASE("A reload that was applied or refused") {
  ReloadOutcome outcome;
  outcome.generation = 4;
  outcome.notes = {"gateway.workers needs a restart"};
  CHECK(ShowReload(ReloadJson(outcome)).value() ==
        "applied: generation 4\ngateway.workers needs a restart\n");
  outcome.reasons = {"a.toml:1:1: x", "b.toml:2:2: y"};
  CHECK(ShowRefusal(409, ReloadJson(outcome)) ==
        "the configuration is refused; nothing has changed\na.toml:1:1: x\nb.toml:2:2: y\n"
        "gateway.workers needs a restart\n");
}

TEST_CASE("A note comes with an answer or does not") {
  CHECK(ShowNote(DoneJson("draining", "legacy/mail1", "the last\x1b one")) ==
        "note: the last\\x1b one\n");
  CHECK(ShowNote(DoneJson("draining", "legacy/mail1", "")).empty());
}

TEST_CASE("What is not the gateways answer is told") {
  CHECK_FALSE(ShowSessions("<html>").ok());
  CHECK_FALSE(ShowBackends("{}").ok());
  CHECK_FALSE(ShowStatus("[]").ok());
  CHECK_FALSE(ShowReload("").ok());
  CHECK(ShowRefusal(502, "<html>") == "the gateway answers with status 502\n");
}

}  // namespace
}  // namespace postern
