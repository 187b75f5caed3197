// Each row of the trouble table that POP3 has, reached, with its exact code (DESIGN 2.12).

#include <catch2/catch.hpp>
#include <map>
#include <string>

#include "pop3_rules_fixture.h"
#include "postern/engine/trouble.h"

namespace postern::testing {
namespace {

std::string Refused() {
  Pop3Visit visit;
  visit.Client("USER bob\r\nPASS wrong\r\n");
  visit.MeetBackend();
  visit.Backend("+OK\r\n");
  visit.ToClient();
  visit.Backend("-ERR no\r\n");
  return visit.ToClient();
}

std::string WithoutTls() {
  Pop3Visit visit;
  visit.host.settings.listeners[0].tls = ListenerTls::kStarttls;
  visit.host.facts.secure = false;
  visit.Client("USER bob\r\n");
  return visit.ToClient();
}

std::string Unreachable() {
  Pop3Visit visit;
  visit.Client("USER bob\r\nPASS secret\r\n");
  visit.ToClient();
  visit.BackendFailed();
  return visit.ToClient();
}

std::string Said(const std::string& line) {
  Pop3Visit visit;
  visit.Client(line + "\r\n");
  return visit.ToClient();
}

std::string Cancelled() {
  Pop3Visit visit;
  visit.Client("AUTH PLAIN\r\n");
  visit.ToClient();
  visit.Client("*\r\n");
  return visit.ToClient();
}

std::string RefusedBy(Trouble trouble) {
  Pop3Visit visit;
  visit.Client("USER bob\r\nPASS secret\r\n");
  visit.ToClient();
  visit.LoginRefused({trouble, "no", false, false});
  return visit.ToClient();
}

std::string DeniedByRule() {
  RuledVisit visit({MakeRule("no", Action::kDeny, {{"command", "NOOP"}}, "no")});
  visit.LogIn();
  visit.Client("NOOP\r\n");
  return visit.ToClient();
}

TEST_CASE("Every row of trouble that POP3 has is reached with its code") {
  const std::map<Trouble, std::string> reached = {
      {Trouble::kCredentials, Refused()},
      {Trouble::kTlsRequired, WithoutTls()},
      {Trouble::kUnavailable, Unreachable()},
      {Trouble::kClientBug, Said("NONSENSE")},
      {Trouble::kMechanism, Said("AUTH OTHER")},
      {Trouble::kCancelled, Cancelled()},
      {Trouble::kLimit, RefusedBy(Trouble::kLimit)},
      {Trouble::kNoPermission, DeniedByRule()},
      {Trouble::kAuthorization, RefusedBy(Trouble::kAuthorization)}};
  // POP3 has no literals that could be too big, and no mailboxes by name (three rows).
  CHECK(reached.size() == kTroubleCount - 4);
  const std::map<Trouble, std::string> codes = {{Trouble::kCredentials, "-ERR [AUTH] "},
                                                {Trouble::kTlsRequired, "-ERR [SYS/PERM] "},
                                                {Trouble::kUnavailable, "-ERR [SYS/TEMP] "},
                                                {Trouble::kClientBug, "-ERR "},
                                                {Trouble::kMechanism, "-ERR "},
                                                {Trouble::kCancelled, "-ERR "},
                                                {Trouble::kLimit, "-ERR [SYS/TEMP] "},
                                                {Trouble::kNoPermission, "-ERR [SYS/PERM] "},
                                                {Trouble::kAuthorization, "-ERR [SYS/PERM] "}};
  for (const auto& [trouble, line] : reached) {
    INFO(line);
    const std::string& code = codes.at(trouble);
    CHECK(line.starts_with(code));
    CHECK(line.find('[', code.size()) == std::string::npos);
    CHECK(line.ends_with("\r\n"));
  }
}

TEST_CASE("Whatever ends a POP3 session is the trouble of the server and not of the password") {
  const auto last_words = [](auto happening) {
    Pop3Visit visit;
    visit.LogIn();
    happening(visit);
    return visit.ToClient();
  };
  using V = Pop3Visit;
  CHECK(last_words([](V& v) { v.BackendEnd(); }).starts_with("-ERR [SYS/TEMP] "));
  CHECK(last_words([](V& v) { v.Backend("what"); }).starts_with("-ERR [SYS/TEMP] "));
  CHECK(last_words([](V& v) { v.DrainDeadline(); }).starts_with("-ERR [SYS/TEMP] "));
}

TEST_CASE("Response codes and their meaning are always listed to POP3 clients") {
  for (const bool secure : {false, true}) {
    Pop3Visit visit;
    visit.host.settings.listeners[0].tls = ListenerTls::kStarttls;
    visit.host.facts.secure = secure;
    visit.Client("CAPA\r\n");
    CHECK(visit.ToClient().find("\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\n") != std::string::npos);
  }
  Pop3Visit visit;
  visit.LogIn();
  visit.Client("CAPA\r\n");
  visit.Backend("+OK\r\n.\r\n");
  CHECK(visit.ToClient().find("\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\n") != std::string::npos);
}

}  // namespace
}  // namespace postern::testing
