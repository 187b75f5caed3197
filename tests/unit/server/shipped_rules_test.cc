// Every rule file that ships: whatever its tests say is refused stays refused in each spelling of
// the command, however its bytes arrive, and nothing of it reaches the backend.
#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "postern/base/text.h"
#include "postern/rules/rule_set.h"
#include "server/rule_session.h"
#include "server/rule_tests.h"
#include "server/rule_trial.h"
#include "server/rules_reader.h"
#include "support/for_every_split.h"

namespace postern::testing {
namespace {

RulesRead ReadShipped() {
  std::vector<std::string> files;
  const std::filesystem::path folder = std::filesystem::path(POSTERN_TESTS_DIR) / ".." / "rules";
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".toml") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  REQUIRE(files.size() >= 9);
  ConfigErrors errors;
  RulesRead read = ReadRules(files, nullptr, errors);
  REQUIRE(errors.errors.empty());
  return read;
}

std::string Mixed(std::string text) {
  for (std::size_t i = 0; i < text.size(); i += 2) text[i] = AsciiLower(text[i]);
  return text;
}

std::string Lower(std::string text) {
  for (char& c : text) c = AsciiLower(c);
  return text;
}

// The name alone, as an argument of its own, as clients may write it too.
void AddMailboxSpellings(const std::string& line, const std::string& name,
                         std::set<std::string>& out) {
  const std::string size = std::to_string(name.size());
  for (const std::string& written : {" " + name, " \"" + name + "\""}) {
    const std::size_t at = line.find(written);
    const std::size_t end = at + written.size();
    if (at == line.npos || (end < line.size() && line[end] != ' ')) continue;
    for (const std::string& other :
         {name, "\"" + name + "\"", "{" + size + "}\r\n" + name, "{" + size + "+}\r\n" + name}) {
      out.insert(line.substr(0, at) + " " + other + line.substr(end));
    }
  }
}

std::set<std::string> Spellings(const Given& given, const TriedCommand& tried) {
  std::set<std::string> lines = {given.command};
  const std::size_t end = given.command.find(' ', StartsWithNoCase(given.command, "UID ") ? 4 : 0);
  const std::string verb = ToUpper(given.command.substr(0, end));
  const std::string rest = end == std::string::npos ? "" : given.command.substr(end);
  for (const std::string& written : {verb, Lower(verb), Mixed(verb)}) lines.insert(written + rest);
  lines.insert(given.command + "  ");
  if (ProtocolOf(given) == Protocol::kPop3) return lines;
  for (const char* with_uid : {"STORE", "FETCH", "COPY", "MOVE"}) {
    if (verb == with_uid) lines.insert("UID " + verb + rest), lines.insert("uid " + verb + rest);
  }
  for (const std::string& name : tried.mailboxes) AddMailboxSpellings(given.command, name, lines);
  return lines;
}

// What reaches the backend, and whether the client is told no.
void CheckRefused(RuleSet& rules, const SessionFacts& facts, const std::string& line,
                  const std::vector<std::size_t>& cuts) {
  const bool imap = facts.protocol == Protocol::kImap;
  RuleSession session(&rules, facts);
  session.LogIn({});
  const std::string bytes = (imap ? "a " : "") + line + "\r\n";
  const Split split(bytes, cuts);
  for (std::size_t i = 0; i < split.size(); ++i) session.Client(split[i]);
  const bool deselects = session.host.backend == "a EXAMINE \"\"\r\n";
  CHECK((session.host.backend.empty() || deselects));
  if (deselects) session.Backend("a NO no such mailbox\r\n");
  const std::string refusal = imap ? "a NO [" : "-ERR [SYS/PERM]";
  const bool unknown = session.host.client.find("a BAD") != std::string::npos ||
                       session.host.client.find("-ERR no such command") == 0;
  CHECK((unknown || session.host.client.find(refusal) != std::string::npos));
}

TEST_CASE("No spelling of a command dodges a rule that ships") {
  const RulesRead read = ReadShipped();
  const RuleNames names = NamesIn(read);
  const auto rules = RuleSet::Compile(read.book, names);
  REQUIRE(rules.ok());
  std::size_t tried_lines = 0;
  for (const RuleTest& test : read.tests) {
    const std::string& then = test.expect.then;
    const bool refused = then == "deny" || then == "read-only" || then == "hide";
    const std::optional<TriedCommand> tried = RuleTrial::Read(test.given);
    if (!refused || !tried) continue;
    SessionFacts facts = SessionFactsOf(test.given, names);
    facts.protocol = ProtocolOf(test.given);
    for (const std::string& line : Spellings(test.given, *tried)) {
      INFO(test.place << ": " << line);
      CheckRefused(*rules.value(), facts, line, {});
      CheckRefused(*rules.value(), facts, line, EveryByte(line.size() + 2));
      for (std::size_t cut = 1; cut < line.size() + 2; ++cut) {
        CheckRefused(*rules.value(), facts, line, {cut});
      }
      ++tried_lines;
    }
  }
  CHECK(tried_lines > 40);
}

}  // namespace
}  // namespace postern::testing
