// Logins at an IMAP backend with another account than the client's, and what a pool's backends are
// trusted with beyond the table.

#include <catch2/catch.hpp>
#include <string>
#include <utility>

#include "imap_visit.h"
#include "postern/base/text.h"

namespace postern::testing {
namespace {

using imap::CommandKind;

BackendAccount Account(std::string user, std::string_view password, Mechanism mechanism,
                       std::string authzid = {}) {
  BackendAccount account;
  account.credentials.user = std::move(user);
  account.credentials.authzid = std::move(authzid);
  account.credentials.password = Secret(password);
  account.mechanism = mechanism;
  return account;
}

// To the moment at which the backend has greeted.
void Ask(ImapVisit& visit, std::string_view login, std::string_view capabilities) {
  visit.Start();
  visit.host.TakeClient();
  visit.Client(std::string(login) + "\r\n");
  visit.BackendConnected();
  visit.Backend("* OK [CAPABILITY IMAP4rev1 SASL-IR " + std::string(capabilities) + "] hello\r\n");
}

TEST_CASE("Another account logs in at the IMAP backend and the client keeps its name") {
  ImapVisit visit;
  visit.host.account = Account("bob@new.example", "secret", Mechanism::kLogin);
  Ask(visit, "a LOGIN bob secret", "");
  CHECK(visit.ToBackend() == "postern1 LOGIN \"bob@new.example\" \"secret\"\r\n");
  visit.Backend("postern1 OK [CAPABILITY IMAP4rev1] in\r\n");
  CHECK(visit.host.logged_in);
  CHECK(visit.engine.user() == "bob");
  CHECK(visit.Logins(Mechanism::kLogin, LoginResult::kOk) == 1);
}

TEST_CASE("An IMAP master account speaks for the user by PLAIN or not at all") {
  for (const Mechanism mechanism : {Mechanism::kPlain, Mechanism::kLogin}) {
    ImapVisit visit;
    visit.host.account = Account("gateway", "key", mechanism, "bob");
    Ask(visit, "a LOGIN bob secret", "AUTH=PLAIN");
    CHECK(visit.ToBackend() == "postern1 AUTHENTICATE PLAIN " +
                                   Base64Encode(std::string("bob\0gateway\0key", 15)) + "\r\n");
    visit.Backend("postern1 OK [CAPABILITY IMAP4rev1] in\r\n");
    CHECK(visit.engine.user() == "bob");

    ImapVisit lacking;
    lacking.host.account = Account("gateway", "key", mechanism, "bob");
    Ask(lacking, "a LOGIN bob secret", "");
    CHECK(lacking.ToBackend().empty());
    CHECK(lacking.host.TakeClient().starts_with("a NO [UNAVAILABLE] "));
  }
}

TEST_CASE("A master account asks the backend what it can do even where the client said LOGIN") {
  ImapVisit visit;
  visit.host.account = Account("gateway", "key", Mechanism::kLogin, "bob");
  visit.Start();
  visit.Client("a LOGIN bob secret\r\n");
  visit.BackendConnected();
  visit.Backend("* OK hello\r\n");
  CHECK(visit.ToBackend() == "postern0 CAPABILITY\r\n");
}

TEST_CASE("A refusal of an IMAP password that the client did not say is no word on its own") {
  ImapVisit visit;
  visit.host.account = Account("bob*gateway", "key", Mechanism::kLogin);
  Ask(visit, "a LOGIN bob secret", "");
  CHECK(visit.ToBackend() == "postern1 LOGIN \"bob*gateway\" \"key\"\r\n");
  visit.Backend("postern1 NO [AUTHENTICATIONFAILED] no\r\n");
  CHECK(visit.host.TakeClient().starts_with("a NO [UNAVAILABLE] "));
  CHECK(visit.Logins(Mechanism::kLogin, LoginResult::kUnavailable) == 1);

  ImapVisit own;
  own.host.account = Account("bob@new.example", "secret", Mechanism::kLogin);
  Ask(own, "a LOGIN bob secret", "");
  own.ToBackend();
  own.Backend("postern1 NO no\r\n");
  CHECK(own.host.TakeClient() == "a NO [AUTHENTICATIONFAILED] no\r\n");
}

TEST_CASE("A renamed IMAP user keeps the token and hears the challenge") {
  const auto token = [](const std::string& user) {
    return Base64Encode("user=" + user + "\1auth=Bearer tok\1\1");
  };
  ImapVisit visit;
  visit.host.account = Account("bob@new.example", "Bearer tok", Mechanism::kXoauth2);
  Ask(visit, "a AUTHENTICATE XOAUTH2 " + token("bob"), "AUTH=XOAUTH2");
  CHECK(visit.ToBackend() == "postern1 AUTHENTICATE XOAUTH2 " + token("bob@new.example") + "\r\n");
  visit.Backend("+ e30=\r\n");
  CHECK(visit.host.TakeClient() == "+ e30=\r\n");
  visit.Client("\r\n");
  CHECK(visit.ToBackend() == "\r\n");
  visit.Backend("postern1 NO [AUTHENTICATIONFAILED] no\r\n");
  CHECK(visit.host.TakeClient() == "a NO [AUTHENTICATIONFAILED] no\r\n");
}

// ---- what a pool is trusted with

TEST_CASE("Trusted IMAP verbs and capabilities pass for their pool") {
  ImapVisit visit;
  visit.host.settings.pools.at(0).pass_commands = {"XFOO"};
  visit.host.settings.pools.at(0).pass_capabilities = {"X-NEW"};
  visit.LogIn("IMAP4rev1 ENABLE X-NEW X-OLD");
  visit.Client("a xfoo (1 2) \"x\"  \r\nb XBAR\r\nc CAPABILITY\r\nd ENABLE X-NEW X-OLD\r\n");
  CHECK(visit.ToBackend() == "a xfoo (1 2) \"x\"\r\nc CAPABILITY\r\nd ENABLE X-NEW\r\n");
  CHECK(visit.host.TakeClient() == "b BAD [CLIENTBUG] this command is not known here\r\n");
  visit.Backend("* XFOO 1\r\na OK done\r\n* CAPABILITY IMAP4rev1 X-NEW X-OLD\r\nc OK\r\n");
  CHECK(visit.host.TakeClient() ==
        "* XFOO 1\r\na OK done\r\n* CAPABILITY IMAP4rev1 X-NEW LITERAL+ ID\r\nc OK\r\n");
  CHECK(visit.Ended(CommandKind::kOther, CommandResult::kOk) == 1);
  CHECK(visit.Ended(CommandKind::kOther, CommandResult::kLocal) == 1);
}

TEST_CASE("A literal behind a trusted IMAP verb ends the session") {
  ImapVisit visit;
  visit.host.settings.pools.at(0).pass_commands = {"XFOO"};
  visit.LogIn();
  visit.Client("a XFOO {4+}\r\nb NOOP\r\n");
  CHECK(visit.ToBackend().empty());
  CHECK(visit.host.Ended(CloseReason::kClientProtocol));
}

TEST_CASE("Under read-only a trusted IMAP verb is denied") {
  ImapVisit visit;
  visit.host.settings.pools.at(0).pass_commands = {"XFOO"};
  Rule rule;
  rule.name = "keep";
  rule.action = Action::kReadOnly;
  visit.host.UseRules({rule});
  visit.LogIn();
  visit.Client("a XFOO 1\r\nb XBAR 1\r\n");
  CHECK(visit.ToBackend().empty());
  const std::string answers = visit.host.TakeClient();
  CHECK(answers.starts_with("a NO [NOPERM] "));
  CHECK(answers.find("\r\nb BAD ") != std::string::npos);
  CHECK(visit.Ended(CommandKind::kOther, CommandResult::kDenied) == 1);
}

TEST_CASE("Before the login nothing is trusted") {
  ImapVisit visit;
  visit.host.settings.pools.at(0).pass_commands = {"XFOO"};
  visit.Start();
  visit.host.TakeClient();
  visit.Client("a XFOO\r\n");
  CHECK(visit.host.TakeClient().starts_with("a BAD "));
}

}  // namespace
}  // namespace postern::testing
