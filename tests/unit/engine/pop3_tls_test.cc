// Where TLS is not on yet: the client's side (STLS, listeners that refuse) and the backend's
// (pool.tls = starttls).

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "pop3_fixture.h"

namespace postern::testing {
namespace {

using namespace std::string_literals;
using pop3::CommandKind;

// A client in plain text at a listener of this kind.
struct PlainVisit : Pop3Visit {
  explicit PlainVisit(ListenerTls tls = ListenerTls::kStarttls) {
    host.settings.listeners[0].tls = tls;
    host.facts.secure = false;
  }
  std::uint64_t attempts() const { return data().listeners[0].plaintext_attempts.value(); }
  std::uint64_t injections() const { return data().listeners[0].starttls_injections.value(); }
};

constexpr std::string_view kUseTls =
    "-ERR [SYS/PERM] no login without TLS: switch it on in the mail program\r\n";

TEST_CASE("Before TLS every POP3 login is told to use it and is counted") {
  for (const ListenerTls tls : {ListenerTls::kStarttls, ListenerTls::kRefuse, ListenerTls::kNone}) {
    for (const std::string& line :
         {"USER bob"s, "PASS secret"s, "AUTH"s, "AUTH PLAIN"s, "AUTH PLAIN " + Plain("bob", "x"),
          "AUTH LOGIN"s, "AUTH XOAUTH2 ="s, "AUTH NONSENSE"s, "APOP bob digest"s, "apop"s}) {
      INFO(line);
      PlainVisit visit(tls);
      visit.Client(line + "\r\n");
      CHECK(visit.ToClient() == kUseTls);
      CHECK(visit.attempts() == 1);
      CHECK(visit.host.connects.empty());
      // No continuation was asked for: the next line is a command again.
      visit.Client("CAPA\r\n");
      CHECK(visit.ToClient().starts_with("+OK"));
    }
  }
}

TEST_CASE("A refused USER and the PASS behind it are one plaintext attempt") {
  PlainVisit visit;
  visit.Client("USER bob\r\nPASS secret\r\n");
  CHECK(visit.attempts() == 1);
  visit.Client("PASS secret\r\n");
  CHECK(visit.attempts() == 2);
  visit.Client("USER bob\r\nUSER bob\r\nAUTH PLAIN\r\nPASS secret\r\n");
  CHECK(visit.attempts() == 6);
  CHECK_FALSE(visit.host.end);
}

TEST_CASE("With TLS nothing counts as a plaintext attempt") {
  Pop3Visit visit;
  visit.Client("AUTH NONSENSE\r\nUSER bob\r\nPASS secret\r\n");
  CHECK(visit.data().listeners[0].plaintext_attempts.value() == 0);
}

TEST_CASE("Bytes glued behind STLS end the session without a word") {
  for (const std::string& behind : {"CAPA\r\n"s, "USER bob\r\n"s, "\r\n"s, "x"s, "\n"s, "\0"s}) {
    INFO(behind);
    PlainVisit visit;
    visit.Client("CAPA\r\n");
    visit.ToClient();
    visit.Client("STLS\r\n" + behind);
    CHECK(visit.ToClient().empty());
    CHECK(visit.host.Ended(CloseReason::kStarttlsInjection));
    CHECK(visit.injections() == 1);
    CHECK(visit.host.tls_started.empty());
    CHECK(visit.Ended(CommandKind::kStls, CommandResult::kAborted, false) == 1);
  }
}

TEST_CASE("Plain bytes that come after STLS was answered end the session too") {
  ForEverySplit("STLS\r\nNOOP\r\n", [](const Split& split) {
    PlainVisit visit;
    visit.Client(split);
    CHECK(visit.host.Ended(CloseReason::kStarttlsInjection));
    CHECK(visit.injections() == 1);
    const std::string answer = visit.ToClient();
    CHECK((answer.empty() || answer == "+OK begin TLS\r\n"));
  });
}

TEST_CASE("What POP3 hears in a client's handshake") {
  const auto in_handshake = [](PlainVisit& visit) {
    visit.Client("STLS\r\n");
    CHECK(visit.ToClient() == "+OK begin TLS\r\n");
    CHECK(visit.host.tls_started == std::vector{Side::kClient});
    CHECK_FALSE(visit.engine.client_blocked());
  };
  PlainVisit slow;
  in_handshake(slow);
  slow.Timeout(Engine::Timeout::kLogin);
  CHECK(slow.ToClient().empty());
  CHECK(slow.host.Ended(CloseReason::kLoginTimeout));
  PlainVisit gone;
  in_handshake(gone);
  gone.ClientEnd();
  CHECK(gone.host.Ended(CloseReason::kClientClosed));
  PlainVisit through;
  in_handshake(through);
  through.Secured(Side::kClient);
  CHECK(through.ToClient().empty());
  through.Client("USER bob\r\nPASS secret\r\n");
  CHECK(through.host.connects.size() == 1);
}

TEST_CASE("A trusted POP3 client may speak for another and others may not") {
  Pop3Visit visit;
  visit.Client("XCLIENT ADDR=198.51.100.7 PORT=4711\r\n");
  CHECK(visit.host.spoken_for.empty());
  visit.host.facts.trusted = true;
  visit.ToClient();
  visit.Client("XCLIENT ADDR=198.51.100.7 PORT=4711\r\n");
  CHECK(visit.ToClient() == "+OK\r\n");
  CHECK(visit.host.spoken_for == std::vector{"198.51.100.7 4711"s});
  visit.host.speaks_for = false;
  visit.Client("XCLIENT ADDR=mail.example\r\n");
  CHECK(visit.ToClient() == "-ERR wrong arguments\r\n");
}

// ---- the backend's side

struct StlsVisit : Pop3Visit {
  StlsVisit() {
    host.settings.pools[0].tls = PoolTls::kStarttls;
    Client("USER bob\r\nPASS secret\r\n");
    ToClient();
    BackendConnected();
  }
  void ToStls() {
    Backend("+OK hello\r\n");
    Backend("+OK\r\nSTLS\r\nPIPELINING\r\n.\r\n");
    CHECK(ToBackend() == "CAPA\r\nSTLS\r\n");
  }
};

TEST_CASE("A POP3 backend that has no TLS gets no credential") {
  const std::vector<std::string> dialogues = {"+OK hi\r\n-ERR what\r\n",
                                              "+OK hi\r\n+OK\r\nTOP\r\nSASL PLAIN\r\n.\r\n",
                                              "+OK hi\r\n+OK\r\nSTLS\r\n.\r\n-ERR no\r\n"};
  for (const std::string& dialogue : dialogues) {
    ForEverySplit(dialogue, [](const Split& split) {
      StlsVisit visit;
      visit.Backend(split);
      CHECK(visit.host.rejections == std::vector{BackendFailure::kTls});
      CHECK(visit.host.greetings == 0);
      CHECK(visit.ToBackend().find("USER") == std::string::npos);
    });
  }
}

TEST_CASE("Bytes behind a POP3 backend's answer to STLS are an injection") {
  StlsVisit visit;
  visit.ToStls();
  visit.Backend("+OK begin\r\n+OK\r\n");
  CHECK(visit.host.rejections == std::vector{BackendFailure::kProtocol});
  CHECK(visit.host.tls_started.empty());

  StlsVisit late;
  late.ToStls();
  late.Backend("+OK begin\r\n");
  CHECK(late.host.tls_started == std::vector{Side::kBackend});
  late.Backend("+");
  CHECK(late.host.rejections == std::vector{BackendFailure::kProtocol});
  CHECK(late.ToBackend().empty());

  StlsVisit nonsense;
  nonsense.ToStls();
  nonsense.Backend("what\r\n");
  CHECK(nonsense.host.rejections == std::vector{BackendFailure::kProtocol});
}

TEST_CASE("A POP3 backend's handshake that fails counts as one of TLS") {
  StlsVisit visit;
  visit.ToStls();
  visit.Backend("+OK begin\r\n");
  visit.BackendEnd();
  CHECK(visit.host.rejections == std::vector{BackendFailure::kTls});

  StlsVisit slow;
  slow.ToStls();
  slow.Backend("+OK begin\r\n");
  slow.Timeout(Engine::Timeout::kConnect);
  CHECK(slow.host.rejections == std::vector{BackendFailure::kTimeout});
}

TEST_CASE("A late handshake of a POP3 backend that was given up changes nothing") {
  StlsVisit visit;
  visit.ToStls();
  visit.Backend("+OK begin\r\n");
  visit.Timeout(Engine::Timeout::kConnect);
  visit.Secured(Side::kBackend);
  CHECK(visit.ToBackend().empty());
  visit.BackendConnected();
  visit.Secured(Side::kBackend);
  CHECK(visit.ToBackend().empty());
  visit.ToStls();
}

TEST_CASE("The time of a POP3 backend's handshake is none of the login's") {
  using std::chrono::milliseconds;
  StlsVisit visit;
  visit.Advance(milliseconds(100));
  visit.ToStls();
  visit.Backend("+OK begin\r\n");
  visit.Advance(milliseconds(500));
  visit.Secured(Side::kBackend);
  CHECK(visit.ToBackend() == "CAPA\r\n");
  visit.Advance(milliseconds(30));
  visit.Backend("-ERR\r\n+OK\r\n");
  visit.Backend("+OK in\r\n");
  CHECK(visit.PhaseSeconds(LoginPhase::kLogin) == Approx(0.13));
}

TEST_CASE("A POP3 backend whose TLS is implicit is not asked for STLS") {
  StlsVisit visit;
  visit.host.settings.pools[0].tls = PoolTls::kImplicit;
  visit.BackendEnd();
  visit.BackendConnected();
  visit.Backend("+OK hello\r\n+OK\r\nSTLS\r\n.\r\n");
  CHECK(visit.ToBackend() == "CAPA\r\nUSER bob\r\n");
}

}  // namespace
}  // namespace postern::testing
