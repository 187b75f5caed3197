// What lies in front of TLS stays there, on both legs (SECURITY T-TLS-1 to T-TLS-3).
#include <catch2/catch.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "imap_visit.h"
#include "support/for_every_split.h"

namespace postern::testing {
namespace {

class StarttlsVisit : public ImapVisit {
 public:
  StarttlsVisit() {
    host.settings.listeners[0].tls = ListenerTls::kStarttls;
    host.facts.secure = false;
    Start();
    host.TakeClient();
  }
  std::uint64_t Injections() const { return shard.data().listeners[0].starttls_injections.value(); }
  std::uint64_t PlaintextAttempts() const {
    return shard.data().listeners[0].plaintext_attempts.value();
  }
};

TEST_CASE("Bytes behind STARTTLS end the session without a word") {
  const std::string line = "a STARTTLS\r\n";
  for (const std::string behind :
       {"b NOOP\r\n", "b", "\r\n", "\x16\x03\x01", "b LOGIN bob secret\r\n"}) {
    ForEverySplit(line + behind, [&](const Split& split) {
      INFO(split.text());
      StarttlsVisit visit;
      std::size_t arrived = 0;
      bool apart = false;  // nothing was behind the line when it came
      for (std::size_t i = 0; i < split.size() && !visit.host.end; ++i) {
        visit.Client(split[i]);
        arrived += split[i].size();
        apart = apart || arrived == line.size();
      }
      CHECK(visit.host.Ended(CloseReason::kStarttlsInjection));
      CHECK(visit.Injections() == 1);
      CHECK(visit.host.TakeClient() == (apart ? "a OK begin TLS\r\n" : ""));
      CHECK(visit.host.tls_started.size() == (apart ? 1u : 0u));
      CHECK(visit.host.connects.empty());
    });
  }
}

TEST_CASE("Nothing that came in front of TLS is used behind it") {
  StarttlsVisit visit;
  visit.Client("z\r\na STARTTLS\r\n");
  CHECK(visit.host.TakeClient() == "z BAD [CLIENTBUG] a command has a name\r\na OK begin TLS\r\n");
  REQUIRE(visit.host.tls_started == std::vector<Side>{Side::kClient});
  CHECK_FALSE(visit.engine.client_blocked());
  visit.Secured(Side::kClient);
  CHECK(visit.host.TakeClient().empty());
  for (int i = 0; i + 1 < kMaxErrorsBeforeLogin; ++i) visit.Client("\r\n");
  CHECK_FALSE(visit.host.end);
  // No tag of before is answered.
  CHECK(visit.host.TakeClient().find("a ") != 0);
}

TEST_CASE("Each login before TLS is counted once, and none of it is kept or sent") {
  const std::vector<std::string> logins = {
      "a LOGIN bob secret\r\n",
      "a LOGIN {3+}\r\nbob {6+}\r\nsecret\r\n",
      "a LOGIN \"bob\" {6}\r\n",
      "a LOGIN {4294967295}\r\n",
      "a LOGIN\r\n",
      "a AUTHENTICATE PLAIN\r\n",
      "a AUTHENTICATE PLAIN AGJvYgBzZWNyZXQ=\r\n",
      "a AUTHENTICATE XOAUTH2 " + std::string(12000, 'A') + "\r\n",
      "a AUTHENTICATE NOTHING\r\n",
  };
  for (const ListenerTls tls : {ListenerTls::kStarttls, ListenerTls::kRefuse, ListenerTls::kNone}) {
    for (const std::string& login : logins) {
      for (const bool bytewise : {false, true}) {
        StarttlsVisit visit;
        visit.host.settings.listeners[0].tls = tls;
        const Split split(login, bytewise ? EveryByte(login.size()) : std::vector<std::size_t>{});
        for (std::size_t i = 0; i < split.size(); ++i) visit.Client(split[i]);
        const std::string said = visit.host.TakeClient();
        INFO(login.substr(0, 40));
        CHECK(said.rfind("a NO [PRIVACYREQUIRED] ", 0) == 0);
        CHECK(said.find("\r\n") == said.size() - 2);
        CHECK((tls == ListenerTls::kStarttls) == (said.find("993") == std::string::npos));
        CHECK(visit.PlaintextAttempts() == 1);
        CHECK(visit.client_pending.empty());
        CHECK(visit.host.connects.empty());
        CHECK(visit.host.failed_logins.empty());
        CHECK_FALSE(visit.host.end);
      }
    }
  }
}

TEST_CASE("A listener is told apart by what it offers") {
  const std::string base = "* OK [CAPABILITY IMAP4rev1 LITERAL+ SASL-IR ID";
  const std::string all = " AUTH=PLAIN AUTH=LOGIN AUTH=XOAUTH2 AUTH=OAUTHBEARER";
  struct Row {
    ListenerTls tls;
    bool secure, trusted;
    std::string capabilities;
  };
  const std::vector<Row> rows = {
      {ListenerTls::kImplicit, true, false, all},
      {ListenerTls::kStarttls, true, false, all},
      {ListenerTls::kStarttls, false, false, " STARTTLS LOGINDISABLED"},
      {ListenerTls::kStarttls, false, true, " STARTTLS LOGINDISABLED"},
      {ListenerTls::kRefuse, false, false, " LOGINDISABLED"},
      {ListenerTls::kRefuse, false, true, " LOGINDISABLED"},
      {ListenerTls::kNone, false, false, " LOGINDISABLED"},
      {ListenerTls::kNone, false, true, all},
  };
  for (const Row& row : rows) {
    ImapVisit visit;
    visit.host.settings.listeners[0].tls = row.tls;
    visit.host.facts.secure = row.secure;
    visit.host.facts.trusted = row.trusted;
    visit.Start();
    CHECK(visit.host.TakeClient() == base + row.capabilities + "] postern ready\r\n");
    visit.Client("a LOGIN bob secret\r\n");
    CHECK(visit.host.connects.size() == (row.capabilities == all ? 1u : 0u));
  }
}

class TlsBackendVisit : public ImapVisit {
 public:
  TlsBackendVisit() {
    host.settings.pools[0].tls = PoolTls::kStarttls;
    Start();
    Client("a LOGIN bob secret\r\n");
    BackendConnected();
    host.TakeClient();
  }
};

TEST_CASE("Bytes of a backend behind its OK to STARTTLS are not believed") {
  for (const std::string behind :
       {"* 23 EXISTS\r\n", "postern0 OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] in\r\n", "x"}) {
    ForEverySplit(
        "* OK [CAPABILITY STARTTLS] hi\r\npostern0 OK\r\n" + behind, [](const Split& split) {
          INFO(split.text());
          TlsBackendVisit visit;
          for (std::size_t i = 0; i < split.size(); ++i) {
            if (visit.host.rejections.empty()) visit.Backend(split[i]);
          }
          CHECK(visit.host.rejections == std::vector<BackendFailure>{BackendFailure::kProtocol});
          CHECK(visit.ToBackend() == "postern0 STARTTLS\r\n");
          CHECK(visit.host.TakeClient().empty());
        });
  }
}

TEST_CASE("A backend whose TLS does not come about is one of TLS, and is sent no password") {
  const std::vector<std::pair<std::string, BackendFailure>> rows = {
      {"* OK [CAPABILITY IMAP4rev1] hi\r\n", BackendFailure::kTls},
      {"* OK hi\r\n* CAPABILITY IMAP4rev1\r\npostern0 OK\r\n", BackendFailure::kTls},
      {"* OK hi\r\npostern0 BAD\r\n", BackendFailure::kTls},
      {"* OK [CAPABILITY STARTTLS] hi\r\npostern0 NO\r\n", BackendFailure::kTls},
      {"* OK [CAPABILITY STARTTLS] hi\r\npostern0 BAD\r\n", BackendFailure::kTls},
      {"* OK [CAPABILITY STARTTLS] hi\r\npostern7 OK\r\n", BackendFailure::kProtocol},
      {"* OK [CAPABILITY STARTTLS] hi\r\n+ OK\r\n", BackendFailure::kProtocol},
      {"* OK [CAPABILITY STARTTLS] hi\r\n* BYE\r\n", BackendFailure::kClosed},
      {"* PREAUTH [CAPABILITY STARTTLS] hi\r\n", BackendFailure::kGreeting},
      {"\x16\x03\x01\n", BackendFailure::kProtocol},
  };
  for (const auto& [bytes, failure] : rows) {
    INFO(bytes);
    TlsBackendVisit visit;
    visit.Backend(bytes);
    CHECK(visit.host.rejections == std::vector<BackendFailure>{failure});
    CHECK(visit.host.tls_started.empty());
    CHECK(visit.ToBackend().find("secret") == std::string::npos);
    visit.BackendFailed();
    CHECK(visit.host.TakeClient().rfind("a NO [UNAVAILABLE] ", 0) == 0);
    CHECK(visit.Logins(Mechanism::kLogin, LoginResult::kUnavailable) == 1);
  }
}

TEST_CASE("What a backend said in plain text is forgotten behind TLS") {
  TlsBackendVisit visit;
  visit.Backend("* OK [CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN SASL-IR ID] hi\r\npostern0 OK\r\n");
  CHECK(visit.host.greetings == 0);
  visit.ToBackend();
  visit.Secured(Side::kBackend);
  CHECK(visit.ToBackend() == "postern0 CAPABILITY\r\n");
  visit.Backend("* CAPABILITY IMAP4rev1 LOGINDISABLED AUTH=PLAIN\r\npostern0 OK\r\n");
  // No SASL-IR any more.
  CHECK(visit.ToBackend() == "postern1 AUTHENTICATE PLAIN\r\n");
  CHECK(visit.host.greetings == 1);
}

TEST_CASE("A backend that lists nothing behind TLS has nothing of what it listed before") {
  TlsBackendVisit visit;
  visit.host.settings.pools[0].forward_id = true;
  visit.BackendConnected();
  visit.Backend("* OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED ID] hi\r\npostern0 OK\r\n");
  visit.ToBackend();
  visit.Secured(Side::kBackend);
  visit.Backend("postern0 OK\r\n");
  CHECK(visit.ToBackend() == "postern0 CAPABILITY\r\npostern1 LOGIN \"bob\" \"secret\"\r\n");
}

}  // namespace
}  // namespace postern::testing
