// Conversations played against rules (`postern test --transcript`).
#include "server/transcript.h"

#include <catch2/catch.hpp>
#include <sstream>

#include "server/rule_tests.h"

namespace postern {
namespace {

using Catch::Contains;

constexpr std::string_view kRules = R"(
[[rule]]
name = "no expunge"
if = { command = "EXPUNGE", user = 'ann' }
then = "deny"
text = "Not today"
[[rule]]
name = "nobody from there"
if = { client = "198.51.100.0/24" }
then = "deny"
[[rule]]
name = "no bob"
if = { user = 'bob' }
then = "deny"
[[rule]]
name = "slow noop"
if = { command = "NOOP" }
then = "delay"
delay = "1s"
)";

struct Played {
  std::string wrong;
  std::string shown;
};

Played Play(std::string_view text) {
  ConfigErrors errors;
  const RulesRead read = ParseRules(kRules, "r.toml", nullptr, errors);
  REQUIRE(errors.errors.empty());
  const RuleNames names = NamesIn(read);
  const auto rules = RuleSet::Compile(read.book, names);
  REQUIRE(rules.ok());
  std::ostringstream out;
  Played played;
  played.wrong = PlayTranscript(text, "t.txt", *rules.value(), names, out);
  played.shown = out.str();
  return played;
}

TEST_CASE("A conversation goes as the rules say") {
  const Played played = Play(R"(# Denied, and let through.
! given user=ann
! login
C: a EXPUNGE
S: a NO [NOPERM] Not today
C: b CHECK
P: b CHECK
B: b OK checked
S: b OK checked
)");
  CHECK(played.wrong.empty());
  CHECK(played.shown ==
        "! login\nC: a EXPUNGE\nS: a NO [NOPERM] Not today\nC: b CHECK\nP: b CHECK\nB: b OK "
        "checked\nS: b OK checked\n");
}

TEST_CASE("A difference has its place") {
  CHECK(Play("! given user=ann\n! login\nC: a EXPUNGE\nP: a EXPUNGE\n").wrong ==
        "t.txt:4:1: the backend gets \"\"; wanted is \"a EXPUNGE\\x0d\\x0a\"");
  CHECK_THAT(Play("! given user=ann\n! login\nC: a EXPUNGE\nC: b CHECK\nP: b CHECK\n").wrong,
             Contains("the client also gets"));
  CHECK_THAT(Play("! login\nC: a CHECK\nS: a OK\n").wrong, Contains("t.txt:3:1"));
}

TEST_CASE("Without what is wanted a conversation is shown only") {
  const Played played = Play("! given user=ann\n! login\nC: a EXPUNGE\n");
  CHECK(played.wrong.empty());
  CHECK_THAT(played.shown, Contains("S: a NO [NOPERM] Not today"));
}

TEST_CASE("The rules before the login hold too") {
  CHECK_THAT(Play("! given client=198.51.100.7\n! start\n! finish rule\n").shown,
             Contains("S: * BYE"));
  const Played played =
      Play("! start\nC: a LOGIN bob secret\n! connect bob\n! connected\nC: b NOOP\n");
  CHECK(played.wrong.empty());
  CHECK_THAT(played.shown, Contains("S: a NO [AUTHORIZATIONFAILED] not permitted here"));
}

TEST_CASE("A delay passes at once") {
  const Played played = Play("! given user=x\n! login\nC: a NOOP\nP: a NOOP\n");
  CHECK(played.wrong.empty());
  CHECK_THAT(played.shown, Contains("# a rule lets it wait"));
}

TEST_CASE("What is no transcript says what one is") {
  for (const char* text : {"X: a\n", "C a\n", "C: \\q\n", "C: \\x0\n", "C: \\", "!login\n"}) {
    CAPTURE(text);
    CHECK_THAT(Play(text).wrong, Contains("t.txt:1:1: no line of a transcript"));
  }
  CHECK_THAT(Play("! dance\n").wrong, Contains("there are given, login"));
  CHECK_THAT(Play("! given usr=x\n").wrong, Contains("did you mean \"user\"?"));
  CHECK_THAT(Play("! start\n! given user=x\n").wrong, Contains("before anything happens"));
  CHECK_THAT(Play("! login\n! finish rule\n").wrong, Contains("has not happened"));
}

}  // namespace
}  // namespace postern
