// What waits for what: a client that does not read, one that stops inside a literal, a literal for
// its own plus.
#include <catch2/catch.hpp>
#include <string>

#include "imap_visit.h"

namespace postern::testing {
namespace {

TEST_CASE("Before the login no question is answered without room for the answer") {
  ImapVisit visit;
  visit.Start();
  visit.host.TakeClient();
  visit.host.client_room = false;
  visit.Client("a CAPABILITY\r\nb NOOP\r\n");
  CHECK(visit.host.client.empty());
  CHECK(visit.engine.client_blocked());
  visit.host.client_room = true;
  visit.Drained();
  CHECK(visit.host.client.find("b OK") != std::string::npos);
  CHECK_FALSE(visit.engine.client_blocked());
}

TEST_CASE("After the login no mistake is answered without room for the answer") {
  ImapVisit visit;
  visit.LogIn();
  visit.host.client_room = false;
  visit.Client("a XFOO\r\n");
  CHECK(visit.host.client.empty());
  CHECK(visit.engine.client_blocked());
  visit.host.client_room = true;
  visit.Drained();
  CHECK(visit.host.client.find("a BAD") == 0);
}

TEST_CASE("A literal that the client has yet to send does not stop the idle time") {
  ImapVisit visit;
  visit.LogIn();
  visit.Client("a APPEND INBOX {5}\r\n");
  CHECK_FALSE(visit.engine.quiet());  // the backend is to say +
  visit.Backend("+ go\r\n");
  CHECK(visit.engine.quiet());
  visit.Client("hello");
  CHECK(visit.engine.quiet());
  visit.Client("\r\n");
  CHECK_FALSE(visit.engine.quiet());
  visit.Backend("a OK\r\n");
  CHECK(visit.engine.quiet());
}

TEST_CASE("A backend that cannot be reached uses up no IMAP login attempt") {
  ImapVisit visit;
  visit.host.settings.limits.login_attempts = 1;
  visit.Start();
  for (int i = 0; i < 3; ++i) {
    visit.Client("a LOGIN bob secret\r\n");
    visit.BackendFailed();
  }
  CHECK_FALSE(visit.host.end);
}

TEST_CASE("The late plus of an IDLE does not let a literal out") {
  ImapVisit visit;
  visit.LogIn();
  visit.Client("i IDLE\r\n");
  visit.Backend("i OK early\r\n");
  visit.Client("DONE\r\na APPEND INBOX {12+}\r\nz DELETE y\r\n\r\n");
  visit.Backend("+ of the IDLE\r\n");
  visit.Backend("a NO there is no such mailbox\r\n");
  CHECK(visit.ToBackend() == "i IDLE\r\na APPEND INBOX {12}\r\n");
  CHECK_FALSE(visit.host.end);
}

}  // namespace
}  // namespace postern::testing
