#include "server/probe_dialogue.h"

#include <catch2/catch.hpp>

#include "support/for_every_split.h"

namespace postern {
namespace {

using testing::ForEverySplit;
using testing::Split;

struct Outcome {
  ProbeVerdict verdict = ProbeVerdict::kGoing;
  std::string sent;
  std::string complaint;
  ProbeFindings findings;
};

// Gives the probe what a backend says, up to its verdict.
template <typename Probe>
Outcome Play(Probe probe, const Split& said) {
  Outcome outcome;
  for (std::size_t i = 0; i < said.size() && outcome.verdict == ProbeVerdict::kGoing; ++i) {
    outcome.verdict = probe.OnBytes(said[i]);
    outcome.sent += probe.output().Reveal();
    probe.output().Clear();
  }
  outcome.complaint = probe.complaint();
  outcome.findings = probe.findings();
  return outcome;
}

template <typename Probe>
Outcome PlayAll(Probe probe, std::string_view said) {
  return Play(std::move(probe), Split(said, {}));
}

Credentials Ann(std::string_view password = "secret") {
  Credentials credentials;
  credentials.user = "ann";
  credentials.password = Secret(password);
  return credentials;
}

TEST_CASE("an IMAP probe asks for the capabilities although the greeting has them") {
  ForEverySplit(
      "* OK [CAPABILITY IMAP4rev1] hello\r\n* CAPABILITY IMAP4rev1 IDLE\r\nprobe OK done\r\n",
      [](const Split& said) {
        INFO(said.text());
        const Outcome outcome = Play(ImapProbe(PoolTls::kNone, nullptr), said);
        CHECK(outcome.verdict == ProbeVerdict::kPassed);
        CHECK(outcome.sent == "probe CAPABILITY\r\nprobe LOGOUT\r\n");
        CHECK(outcome.findings.imap == std::vector<std::string>{"IMAP4rev1", "IDLE"});
      });
}

TEST_CASE("an IMAP probe goes on waiting for capabilities that do not come") {
  ImapProbe probe(PoolTls::kNone, nullptr);
  CHECK(probe.awaited() == "its greeting");
  CHECK(probe.OnBytes("* OK hello\r\n") == ProbeVerdict::kGoing);
  CHECK(probe.awaited() == "its capabilities");
  CHECK(probe.OnBytes("* CAPABILITY IMAP4rev1\r\n") == ProbeVerdict::kGoing);
}

TEST_CASE("an IMAP probe logs in by PLAIN where that is offered") {
  const Credentials ann = Ann();
  ForEverySplit(
      "* OK hello\r\n* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\nprobe OK done\r\n+ \r\nprobe OK in\r\n",
      [&](const Split& said) {
        INFO(said.text());
        const Outcome outcome = Play(ImapProbe(PoolTls::kNone, &ann), said);
        CHECK(outcome.verdict == ProbeVerdict::kPassed);
        CHECK(outcome.sent ==
              "probe CAPABILITY\r\nprobe AUTHENTICATE PLAIN\r\nAGFubgBzZWNyZXQ=\r\n"
              "probe LOGOUT\r\n");
      });
}

TEST_CASE("an IMAP probe logs in by LOGIN where there is no PLAIN and quotes what it says") {
  const Credentials ann = Ann("a\"b\\c");
  const Outcome outcome = PlayAll(
      ImapProbe(PoolTls::kNone, &ann),
      "* OK hello\r\n* CAPABILITY IMAP4rev1\r\nprobe OK done\r\n* 3 EXISTS\r\nprobe OK in\r\n");
  CHECK(outcome.verdict == ProbeVerdict::kPassed);
  CHECK(outcome.sent ==
        "probe CAPABILITY\r\nprobe LOGIN \"ann\" \"a\\\"b\\\\c\"\r\nprobe LOGOUT\r\n");
}

TEST_CASE("what an IMAP backend may not say fails the probe with what it said") {
  struct Case {
    std::string_view said;
    std::string_view complaint;
  };
  const Case cases[] = {
      {"* BYE too busy\r\n", "its greeting is no welcome: * BYE too busy"},
      {"* PREAUTH root\r\n", "its greeting is no welcome: * PREAUTH root"},
      {"220 smtp\r\n", "its greeting is no welcome: 220 smtp"},
      {"* OK hello\r\n* BYE going\r\n", "it said BYE: * BYE going"},
      {"* OK hello\r\nprobe BAD what\r\n", "it refused to list its capabilities: probe BAD what"},
      {"* OK hello\r\nother OK\r\n", "its answer makes no sense: other OK"},
      {"* OK hello\r\n+ go on\r\n", "its answer makes no sense: + go on"},
      {"* OK hello\r\n* CAPABILITY {3}\r\nabc\r\n", "it does not speak IMAP"},
      {"* OK hel\nlo\r\n", "it does not speak IMAP"},
      {"* OK hello\r\n* CAPABILITY IMAP4rev1\r\nprobe OK done\r\nprobe NO [UNAVAILABLE] no\r\n",
       "it refused the login: probe NO [UNAVAILABLE] no"},
  };
  const Credentials ann = Ann();
  for (const Case& one : cases) {
    const Outcome outcome = PlayAll(ImapProbe(PoolTls::kNone, &ann), one.said);
    CHECK(outcome.verdict == ProbeVerdict::kFailed);
    CHECK(outcome.complaint == one.complaint);
  }
}

TEST_CASE("a line without end fails a probe before it fills the memory") {
  ImapProbe imap(PoolTls::kNone, nullptr);
  Pop3Probe pop3(PoolTls::kNone, nullptr);
  const std::string flood(1000, 'x');
  ProbeVerdict imap_says = imap.OnBytes("* OK ");
  ProbeVerdict pop3_says = pop3.OnBytes("+OK ");
  for (int i = 0; i < 20; ++i) {
    if (imap_says == ProbeVerdict::kGoing) imap_says = imap.OnBytes(flood);
    if (pop3_says == ProbeVerdict::kGoing) pop3_says = pop3.OnBytes(flood);
  }
  CHECK(imap_says == ProbeVerdict::kFailed);
  CHECK(pop3_says == ProbeVerdict::kFailed);
}

TEST_CASE("an IMAP probe of a STARTTLS pool believes nothing from before TLS") {
  ImapProbe probe(PoolTls::kStarttls, nullptr);
  CHECK(probe.OnBytes("* OK hello\r\n* CAPABILITY IMAP4rev1 STARTTLS OLD\r\nprobe OK done\r\n") ==
        ProbeVerdict::kGoing);
  CHECK(probe.OnBytes("probe OK begin\r\n") == ProbeVerdict::kStartTls);
  probe.output().Clear();
  CHECK(probe.OnSecured() == ProbeVerdict::kGoing);
  CHECK(probe.output().Reveal() == "probe CAPABILITY\r\n");
  CHECK(probe.OnBytes("* CAPABILITY IMAP4rev1 NEW\r\nprobe OK done\r\n") == ProbeVerdict::kPassed);
  CHECK(probe.findings().imap == std::vector<std::string>{"IMAP4rev1", "NEW"});
}

TEST_CASE("TLS that is not offered or has bytes behind it fails the probe") {
  CHECK(PlayAll(ImapProbe(PoolTls::kStarttls, nullptr),
                "* OK hello\r\n* CAPABILITY IMAP4rev1\r\nprobe OK done\r\n")
            .complaint == "it does not offer STARTTLS");
  CHECK(PlayAll(ImapProbe(PoolTls::kStarttls, nullptr),
                "* OK hello\r\n* CAPABILITY STARTTLS\r\nprobe OK done\r\nprobe OK go\r\n* 1 X\r\n")
            .complaint == "bytes came behind its answer to STARTTLS");
  CHECK(
      PlayAll(Pop3Probe(PoolTls::kStarttls, nullptr), "+OK hello\r\n-ERR no CAPA\r\n").complaint ==
      "it does not offer STLS");
  CHECK(PlayAll(Pop3Probe(PoolTls::kStarttls, nullptr),
                "+OK hello\r\n+OK\r\nSTLS\r\n.\r\n+OK go\r\n+OK more\r\n")
            .complaint == "bytes came behind its answer to STLS");
}

TEST_CASE("a POP3 probe reads the list of capabilities") {
  ForEverySplit("+OK hello\r\n+OK list\r\nUIDL\r\nUTF8 USER\r\n.\r\n", [](const Split& said) {
    INFO(said.text());
    const Outcome outcome = Play(Pop3Probe(PoolTls::kNone, nullptr), said);
    CHECK(outcome.verdict == ProbeVerdict::kPassed);
    CHECK(outcome.sent == "CAPA\r\nQUIT\r\n");
    CHECK(outcome.findings.pop3_utf8);
  });
}

TEST_CASE("a POP3 backend without CAPA passes and can nothing more") {
  const Outcome outcome =
      PlayAll(Pop3Probe(PoolTls::kNone, nullptr), "+OK hello\r\n-ERR unknown command\r\n");
  CHECK(outcome.verdict == ProbeVerdict::kPassed);
  CHECK_FALSE(outcome.findings.pop3_utf8);
}

TEST_CASE("a POP3 probe logs in by USER and by PLAIN") {
  const Credentials ann = Ann();
  ForEverySplit("+OK hello\r\n+OK\r\nUSER\r\n.\r\n+OK\r\n+OK in\r\n", [&](const Split& said) {
    INFO(said.text());
    const Outcome outcome = Play(Pop3Probe(PoolTls::kNone, &ann), said);
    CHECK(outcome.verdict == ProbeVerdict::kPassed);
    CHECK(outcome.sent == "CAPA\r\nUSER ann\r\nPASS secret\r\nQUIT\r\n");
  });
  ForEverySplit("+OK hello\r\n+OK\r\nSASL PLAIN\r\n.\r\n+ \r\n+OK in\r\n", [&](const Split& said) {
    INFO(said.text());
    const Outcome outcome = Play(Pop3Probe(PoolTls::kNone, &ann), said);
    CHECK(outcome.verdict == ProbeVerdict::kPassed);
    CHECK(outcome.sent == "CAPA\r\nAUTH PLAIN\r\nAGFubgBzZWNyZXQ=\r\nQUIT\r\n");
  });
}

TEST_CASE("what a POP3 backend may not say fails the probe with what it said") {
  struct Case {
    std::string_view said;
    std::string_view complaint;
  };
  const Case cases[] = {
      {"-ERR busy\r\n", "its greeting is no welcome: -ERR busy"},
      {"* OK imap\r\n", "it does not speak POP3: * OK imap"},
      {"+ \r\n", "it does not speak POP3: + "},
      {"+OK hel\nlo\r\n", "it does not speak POP3"},
      {"+OK hello\r\n+OK\r\n.\r\n-ERR who\r\n", "it refused the login: -ERR who"},
      {"+OK hello\r\n+OK\r\n.\r\n+OK\r\n-ERR [SYS/TEMP] later\r\n",
       "it refused the login: -ERR [SYS/TEMP] later"},
  };
  const Credentials ann = Ann();
  for (const Case& one : cases) {
    const Outcome outcome = PlayAll(Pop3Probe(PoolTls::kNone, &ann), one.said);
    CHECK(outcome.verdict == ProbeVerdict::kFailed);
    CHECK(outcome.complaint == one.complaint);
  }
}

}  // namespace
}  // namespace postern
