// A rule sees the command that the backend sees: however a command is spelled, the rule that names
// it matches, or the command is refused. Nothing of it reaches the backend.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "imap_visit.h"
#include "support/for_every_split.h"
#include "support/rule_words.h"

namespace postern::testing {
namespace {

constexpr std::string_view kCapabilities =
    "IMAP4rev1 IDLE MOVE QUOTA ACL METADATA NOTIFY URLAUTH REPLACE MULTISEARCH CATENATE "
    "LIST-EXTENDED "
    "XLIST UTF8=ACCEPT";

// The mailbox Bücher/2024, as clients write it.
std::vector<std::string> Names(bool literals) {
  const std::string utf7 = "B&APw-cher/2024";
  const std::string utf8 =
      "B\xc3\xbc"
      "cher/2024";
  std::vector<std::string> names = {utf7, "\"" + utf7 + "\"", "\"" + utf8 + "\"",
                                    "\"B&APw-cher/202\x34\""};
  if (!literals) return names;
  for (const std::string& name : {utf7, utf8}) {
    const std::string size = std::to_string(name.size());
    names.push_back("{" + size + "}\r\n" + name);
    names.push_back("{" + size + "+}\r\n" + name);
  }
  return names;
}

std::vector<std::string> Cases(const std::string& verb) {
  std::string mixed = verb;
  for (std::size_t i = 0; i < mixed.size(); i += 2) {
    mixed[i] = static_cast<char>(mixed[i] | (mixed[i] == ' ' ? 0 : 0x20));
  }
  std::string lower = mixed;
  for (char& c : lower) c = static_cast<char>(c == ' ' ? c : c | 0x20);
  return {verb, lower, mixed};
}

// Synchronising literals come when they are asked for; all answers of the backend are good.
std::string Sent(ImapVisit& visit) {
  std::string sent;
  for (std::string more = visit.ToBackend(); !more.empty(); more = visit.ToBackend()) {
    sent += more;
    if (more.ends_with("}\r\n")) visit.Backend("+ go\r\n");
  }
  return sent;
}

void CheckRefused(const std::string& rule, const std::string& command, bool selects) {
  const std::string bytes = "p NOOP\r\na " + command + "\r\nz NOOP\r\n";
  INFO(Escaped(bytes) << " under " << rule);
  ForEverySplit(
      bytes,
      [&](const Split& split) {
        INFO(split.text());
        ImapVisit visit;
        visit.host.UseRules({RuleInWords(rule)});
        visit.LogIn(kCapabilities);
        std::string sent;
        for (std::size_t i = 0; i < split.size(); ++i) {
          visit.Client(split[i]);
          sent += Sent(visit);
        }
        const std::string between = selects ? "a EXAMINE \"\"\r\n" : "";
        CHECK(sent == "p NOOP\r\n" + between + "z NOOP\r\n");
        if (selects) visit.Backend("p OK done\r\na NO no\r\n");
        CHECK(visit.host.client.find("a NO [NOPERM] ") != std::string::npos);
        CHECK(visit.host.hits.size() == 1);
      },
      2);
}

struct Verb {
  std::string verb, before, behind;
  bool uid = false;
};

TEST_CASE("A mailbox is the same mailbox however it is spelled") {
  const std::vector<Verb> verbs = {{"SELECT", "", ""},
                                   {"EXAMINE", "", ""},
                                   {"CREATE", "", ""},
                                   {"DELETE", "", ""},
                                   {"RENAME", "x ", ""},
                                   {"RENAME", "", " x"},
                                   {"SUBSCRIBE", "", ""},
                                   {"STATUS", "", " (MESSAGES)"},
                                   {"LIST", "\"\" ", ""},
                                   {"LIST", "(SUBSCRIBED) \"\" (x ", ")"},
                                   {"LSUB", "\"\" ", ""},
                                   {"COPY", "1 ", "", true},
                                   {"MOVE", "1:* ", "", true},
                                   {"GETQUOTAROOT", "", ""},
                                   {"MYRIGHTS", "", ""},
                                   {"SETACL", "", " bob lrs"},
                                   {"GETMETADATA", "", " /private/comment"},
                                   {"GETMETADATA", "(DEPTH 1) ", " /private/comment"},
                                   {"NOTIFY", "SET (mailboxes ", " (MessageNew))"},
                                   {"ESEARCH", "IN (subtree (x ", ")) ALL"}};
  for (const Verb& verb : verbs) {
    const bool selects = verb.verb == "SELECT" || verb.verb == "EXAMINE";
    const std::string rule = "deny command=" + verb.verb +
                             " mailbox=B\xc3\xbc"
                             "cher/.*";
    for (const std::string& name : Names(true)) {
      CheckRefused(rule, verb.verb + " " + verb.before + name + verb.behind, selects);
    }
    for (const std::string& spelled : Cases(verb.uid ? "UID " + verb.verb : verb.verb)) {
      for (const std::string& name : Names(false)) {
        CheckRefused(rule, spelled + " " + verb.before + name + verb.behind, selects);
      }
    }
  }
}

TEST_CASE("A message's mailbox is the same however it is spelled") {
  for (const std::string verb : {"APPEND ", "REPLACE 1 ", "UID REPLACE 1 "}) {
    const bool append = verb == "APPEND ";
    const std::string rule = std::string("deny command=") + (append ? "APPEND" : "REPLACE") +
                             " mailbox=B\xc3\xbc"
                             "cher/.*";
    for (const std::string& name : Names(true)) {
      CheckRefused(rule, verb + name + " {12+}\r\nz LOGOUT\r\n\r\n", false);
    }
    CheckRefused(rule, verb + "x CATENATE (URL \"/B%C3%BCcher/2024/;UID=1\")", false);
    CheckRefused(rule, verb + "x CATENATE (URL \"imap://h/B%c3%bccher/2024;UIDVALIDITY=1/;UID=1\")",
                 false);
  }
}

TEST_CASE("A verb is the same verb in any case and behind UID") {
  const std::vector<Verb> verbs = {{"FETCH", "1 BODY[]", "", true},
                                   {"STORE", "1 FLAGS ()", "", true},
                                   {"SEARCH", "ALL", "", true},
                                   {"EXPUNGE", "", ""},
                                   {"NOOP", "", ""},
                                   {"IDLE", "", ""},
                                   {"UID EXPUNGE", "1", ""}};
  for (const Verb& verb : verbs) {
    const std::string name = verb.verb.substr(verb.verb.rfind(' ') + 1);
    if (name == "NOOP") continue;
    const std::string arguments = verb.before.empty() ? "" : " " + verb.before;
    for (const std::string& spelled : Cases(verb.verb)) {
      CheckRefused("deny command=" + name, spelled + arguments, false);
      CheckRefused("deny command=" + name, spelled + arguments + "  ", false);
      if (verb.uid) CheckRefused("deny command=" + name, "uId " + spelled + arguments, false);
    }
  }
}

}  // namespace
}  // namespace postern::testing
