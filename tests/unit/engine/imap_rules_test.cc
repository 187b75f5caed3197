// What the rules are asked, and what hosts are told, by ImapEngine. Conversations:
// tests/transcripts/imap/rules_*.txt.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "engine/imap_facts.h"
#include "imap_visit.h"
#include "support/rule_words.h"

namespace postern::testing {
namespace {

using imap::CommandKind;

TEST_CASE("Only a command that a rule may concern is judged, and once") {
  ImapVisit visit;
  visit.host.UseRules({RuleInWords("deny command=SEARCH mailbox=x"),
                       RuleInWords("delay command=FETCH argument=.*secret.* delay=1")});
  visit.LogIn();
  visit.Client("a NOOP\r\nb SELECT x\r\nc STORE 1 FLAGS ()\r\n");
  CHECK(visit.host.judged.empty());
  visit.Client("d FETCH 1 (BODY.PEEK[HEADER.FIELDS (\"X-secret\" b)] UID)\r\n");
  REQUIRE(visit.host.judged.size() == 1);
  CHECK(visit.host.judged[0].argument == "1 (BODY.PEEK[HEADER.FIELDS (X-secret b)] UID)");
  CHECK(visit.engine.client_blocked());
  visit.PauseOver();
  CHECK(visit.host.judged.size() == 1);
  CHECK_FALSE(visit.engine.client_blocked());
}

TEST_CASE("Facts that no rule asks for are not gathered") {
  ImapVisit visit;
  visit.host.UseRules({RuleInWords("deny command=APPEND size='>100'")});
  visit.LogIn();
  visit.Client("a APPEND x {100}\r\n");
  REQUIRE(visit.host.judged.size() == 1);
  CHECK(visit.host.judged[0].mailboxes.empty());
  CHECK(visit.host.judged[0].argument.empty());
  CHECK(visit.host.judged[0].size == 100u);
}

TEST_CASE("The arguments are decoded and joined by single spaces") {
  CHECK(DecodedArguments(" 1 (FLAGS  ( \"a b\" ) {3}\r\nx y ) ", false) == "1 (FLAGS (a b) x y)");
  CHECK(DecodedArguments(" INBOX (\\Seen) {310}\r\n", true) == "INBOX (\\Seen)");
  CHECK(DecodedArguments("", false).empty());
}

TEST_CASE("The first ID tells the client's program and no later one") {
  ImapVisit visit;
  visit.Start();
  visit.Client("a ID (\"NAME\" \"Thunderbird\" \"os\" NIL \"version\" \"140\")\r\n");
  visit.Client("b ID (\"name\" \"Other\")\r\n");
  CHECK(visit.host.client_ids == std::vector<std::string>{"Thunderbird 140"});
}

TEST_CASE("An ID that says nothing is an ID") {
  ImapVisit visit;
  visit.LogIn();
  visit.Client("a ID NIL\r\nb ID (\"name\" \"Other\")\r\n");
  CHECK(visit.host.client_ids == std::vector<std::string>{" "});
}

TEST_CASE("Logins that are refused are counted by what refuses them") {
  const std::vector<std::pair<Refusal, LoginResult>> refusals = {
      {{Trouble::kAuthorization, "no", false, false}, LoginResult::kFailed},
      {{Trouble::kLimit, "no", false, false}, LoginResult::kLimit},
      {{Trouble::kUnavailable, "no", false, false}, LoginResult::kUnavailable},
      {{Trouble::kCredentials, "no", false, true}, LoginResult::kFailed}};
  for (const auto& [refusal, result] : refusals) {
    ImapVisit visit;
    visit.Start();
    visit.Client("a LOGIN bob x\r\n");
    visit.LoginRefused(refusal);
    CHECK(visit.Logins(Mechanism::kLogin, result) == 1);
    const bool rule = result == LoginResult::kLimit || refusal.trouble == Trouble::kAuthorization;
    const Shard::Data& data = visit.shard.data();
    const std::size_t none = data.pool_slot(kNoPool);
    const auto slot = data.command_slot(static_cast<std::size_t>(CommandKind::kLogin), none);
    const auto denied = static_cast<std::size_t>(CommandResult::kDenied);
    CHECK(data.commands[0][slot].peek()->results[denied].value() == (rule ? 1 : 0));
    CHECK(visit.host.drops == 1);
  }
}

TEST_CASE("A refused SELECT is counted as denied, whatever the backend says") {
  ImapVisit visit;
  visit.host.UseRules({RuleInWords("deny command=SELECT")});
  visit.LogIn();
  visit.Client("a SELECT x\r\n");
  visit.Backend("a OK [READ-ONLY] odd\r\n");
  CHECK(visit.host.TakeClient() == "a NO [NOPERM] refused by a rule\r\n");
  CHECK(visit.Ended(CommandKind::kSelect, CommandResult::kDenied) == 1);
  CHECK(visit.Rewritten(Rewrite::kDeselect) == 1);
}

TEST_CASE("A command that is delayed lasts from when it goes on") {
  ImapVisit visit;
  visit.host.UseRules({RuleInWords("delay command=SEARCH delay=5")});
  visit.LogIn();
  visit.Client("a SEARCH ALL\r\n");
  CHECK(visit.engine.quiet());
  visit.Advance(std::chrono::seconds(5));
  visit.PauseOver();
  visit.Advance(std::chrono::seconds(1));
  visit.Backend("a OK\r\n");
  CHECK(visit.Seconds(CommandKind::kSearch) == Approx(1));
}

}  // namespace
}  // namespace postern::testing
