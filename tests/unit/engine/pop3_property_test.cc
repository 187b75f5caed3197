// Random conversations against the naive model: bytes out are bytes in but for the named rewrites,
// and every answer keeps its place.

#include <catch2/catch.hpp>
#include <set>
#include <string>
#include <vector>

#include "pop3_rules_fixture.h"
#include "support/naive_pop3_backend.h"

namespace postern::testing {
namespace {

std::string RandomLine(SplitRandom& random) {
  static const std::vector<std::string> kPieces = {"STAT", "LIST",  "UIDL", "RETR", "TOP",  "DELE",
                                                   "NOOP", "RSET",  "CAPA", "XFOO", "noop", "Retr",
                                                   "STLS", "QUITE", "1",    "2",    "17",   "x.y",
                                                   " ",    "  ",    "\t",   "",     "\x80", "USER"};
  std::string line = kPieces[random.Next(kPieces.size())];
  for (std::size_t n = random.Next(4); n > 0; --n)
    line += " " + kPieces[random.Next(kPieces.size())];
  // Mostly the plain thing.
  if (random.Next(2) == 0) line = kPieces[random.Next(2)] + (random.Next(2) == 0 ? "" : " ");
  return line + "\r\n";
}

std::vector<std::size_t> RandomCuts(SplitRandom& random, std::size_t size) {
  std::vector<std::size_t> cuts;
  const std::size_t step = 1 + random.Next(60);
  for (std::size_t at = 1 + random.Next(step); at < size; at += 1 + random.Next(step))
    cuts.push_back(at);
  return cuts;
}

TEST_CASE("Random POP3 pipelines keep order and bytes") {
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    SplitRandom random(seed);
    std::string commands;
    for (std::size_t n = random.Next(150); n > 0; --n) commands += RandomLine(random);
    if (random.Next(2) == 0) commands += "QUIT\r\nNOOP\r\n";
    if (random.Next(4) == 0)
      commands.insert(random.Next(commands.size() + 1), 1, "\n\r\0x"[random.Next(4)]);
    const Split split(commands, RandomCuts(random, commands.size()));
    NaiveVisit visit({random.Next(2) == 0, true, true});
    visit.LogIn();
    for (std::size_t i = 0; i < split.size(); ++i) visit.Client(split[i]);
    CheckRelay(visit, commands);
  }
}

TEST_CASE("Random POP3 pipelines keep order and bytes under random rules") {
  static const std::vector<std::string> kVerbs = {"STAT", "LIST", "UIDL", "RETR", "TOP",
                                                  "DELE", "NOOP", "RSET", "CAPA", "QUIT"};
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    SplitRandom random(seed);
    std::string commands;
    for (std::size_t n = random.Next(80); n > 0; --n) commands += RandomLine(random);
    if (random.Next(2) == 0) commands += "QUIT\r\nNOOP\r\n";
    if (random.Next(4) == 0) commands.insert(random.Next(commands.size() + 1), 1, '\n');
    NaiveVisit visit({random.Next(2) == 0, true, true});
    visit.LogIn();
    std::set<std::string> concerned;
    std::vector<Rule> rules;
    for (const std::string& verb : kVerbs) {
      if (random.Next(3) == 0) {
        visit.denied.insert(verb);
        rules.push_back(MakeRule("no " + verb, Action::kDeny, {{"command", verb}}));
      }
      if (random.Next(5) == 0) {
        rules.push_back(DelayOf("slow " + verb, {{"command", verb}}, std::chrono::seconds(1)));
      }
      if (!rules.empty() && rules.back().name.ends_with(verb)) concerned.insert(verb);
    }
    UsePop3Rules(visit.session.host, std::move(rules));
    const Split split(commands, RandomCuts(random, commands.size()));
    for (std::size_t i = 0; i < split.size(); ++i) visit.Client(split[i]);
    CheckRelay(visit, commands);
    // Each command that was dealt with was judged once, however often it was looked at.
    std::size_t judged = 0;
    for (const std::string_view line : NaiveCommandLines(commands, kMaxPop3Line).lines) {
      const NaiveVerdict verdict = JudgeNaively(line);
      if (verdict.relayed) judged += concerned.count(verdict.verb);
      if (verdict.quit && visit.denied.count("QUIT") == 0) break;
    }
    CHECK(visit.session.host.judged.size() == judged);
  }
}

TEST_CASE("POP3 replies that come late and in pieces change nothing") {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    SplitRandom random(seed);
    std::string commands;
    for (std::size_t n = 1 + random.Next(40); n > 0; --n) commands += RandomLine(random);
    NaiveVisit visit({});
    visit.LogIn();
    FakeSession<Pop3Engine>& session = visit.session;
    // All commands are in flight before the first byte of an answer comes.
    session.Client(commands);
    const std::string sent = session.host.TakeBackend();
    const std::string replies = visit.backend.Answer(sent);
    const Split split(replies, RandomCuts(random, replies.size()));
    for (std::size_t i = 0; i < split.size(); ++i) session.Backend(split[i]);
    visit.to_backend += sent;
    visit.Settle();
    CheckRelay(visit, commands);
  }
}

}  // namespace
}  // namespace postern::testing
