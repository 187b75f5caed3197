// Which answers of a backend name a mailbox, and what is left of them when it is hidden.
#include "postern/imap/response_names.h"

#include <catch2/catch.hpp>
#include <string>
#include <string_view>

#include "postern/imap/mailbox.h"

namespace postern::testing {
namespace {

using Verdict = imap::FilteredNames::Verdict;

// `Secret` and what is below it, in any reading.
bool Hides(std::string_view name) {
  std::vector<std::string> readings;
  const std::size_t count = imap::MailboxReadings(name, readings);
  for (std::size_t i = 0; i < count; ++i) {
    const std::string_view reading = readings[i];
    if (reading == "Secret" || reading == "My Secret" || reading.starts_with("Secret/"))
      return true;
  }
  return false;
}

// "-" for a response that is left out; without its CRLF.
std::string Shown(const std::string& response) {
  const imap::FilteredNames result = imap::FilterNames(response + "\r\n", true, Hides);
  switch (result.verdict) {
    case Verdict::kKeep:
      return response;
    case Verdict::kDrop:
      return "-";
    case Verdict::kRewrite:
      REQUIRE(result.text.ends_with("\r\n"));
      return result.text.substr(0, result.text.size() - 2);
    case Verdict::kTooEarly:
      return "too early";
  }
  return "?";
}

void CheckKept(const std::string& response) { CHECK(Shown(response) == response); }
void CheckDropped(const std::string& response) {
  INFO(response);
  CHECK(Shown(response) == "-");
}

TEST_CASE("Names in a list as atoms and quoted strings and literals") {
  for (const char* word : {"LIST", "LSUB", "xlist"}) {
    const std::string front = "* " + std::string(word) + " (\\HasNoChildren) \"/\" ";
    CheckKept(front + "Open");
    CheckKept(front + "\"Open Box\"");
    CheckKept(front + "{4}\r\nOpen");
    CheckDropped(front + "Secret");
    CheckDropped(front + "\"Secret\"");
    CheckDropped(front + "\"\\Secret\"");
    CheckDropped(front + "{6}\r\nSecret");
    CheckDropped(front + "Secret/below");
    CheckDropped(front + "\"Secret/be low\"");
    CheckDropped(front + "\"&AFM-ecret\"");
    CheckDropped(front + "\"Secret/\"");
    CheckDropped(front + "My Secret");
    CheckKept(front + "\"Other/Secret\"");
  }
  CheckDropped("* LIST (\\Noselect) NIL Secret");
  CheckDropped("* LIST () {1}\r\n/ {6}\r\nSecret");
}

TEST_CASE("Lists that no server should send") {
  CheckDropped("* LIST Secret");
  CheckDropped("* LIST () Secret");
  CheckDropped("* LIST \"/\" Secret");
  CheckDropped("* LIST () \"/\" (Secret)");
  CheckDropped("* LIST () \"/\" \"Secret");
  CheckDropped("* LIST () \"/\" Open Secret");
  CheckDropped("* LIST (() \"/\" Secret");
  CheckDropped("* LIST ()  \"/\"  Secret ");
  CheckKept("* LIST");
  CheckKept("* LIST (");
}

TEST_CASE("Old names in a list are left out") {
  CHECK(Shown("* LIST () \"/\" Open (\"OLDNAME\" (\"Secret\"))") == "* LIST () \"/\" Open ()");
  CHECK(Shown("* LIST () \"/\" Open (OLDNAME (Secret) CHILDINFO (\"SUBSCRIBED\"))") ==
        "* LIST () \"/\" Open (CHILDINFO (\"SUBSCRIBED\"))");
  CHECK(Shown("* LIST () \"/\" Open (CHILDINFO (\"SUBSCRIBED\") OLDNAME ({6}\r\nSecret))") ==
        "* LIST () \"/\" Open (CHILDINFO (\"SUBSCRIBED\"))");
  CHECK(Shown("* LIST () \"/\" Open (\"X\" Secret \"Y\" b)") == "* LIST () \"/\" Open (\"Y\" b)");
  CheckKept("* LIST () \"/\" Open (\"OLDNAME\" (\"Before\") \"CHILDINFO\" (\"SUBSCRIBED\"))");
  CheckDropped("* LIST () \"/\" Open (\"OLDNAME\" (\"Before\")) Secret");
  CheckDropped("* LIST () \"/\" Open ((\"OLDNAME\") (\"Secret\"))");
}

TEST_CASE("Status and metadata and rights of a mailbox") {
  for (const char* front : {"STATUS ", "METADATA ", "ACL ", "MYRIGHTS ", "LISTRIGHTS ", "QUOTA "}) {
    const std::string begin = "* " + std::string(front);
    CheckDropped(begin + "Secret (x 1)");
    CheckDropped(begin + "\"Secret/below\" lrs");
    CheckDropped(begin + "{6}\r\nSecret (/shared/comment {3}\r\nabc)");
    CheckKept(begin + "Open (MESSAGES 3)");
    CheckKept(begin + "Open (/shared/comment \"Secret\")");
    CheckKept(begin + "\"\" (/shared/comment x)");
  }
  CheckDropped("* STATUS My Secret (MESSAGES 1)");
}

TEST_CASE("Quota roots are named after mailboxes") {
  CheckKept("* QUOTAROOT INBOX \"User quota\"");
  CheckDropped("* QUOTAROOT Secret \"User quota\"");
  CheckDropped("* QUOTAROOT Open root Secret");
}

TEST_CASE("Namespaces are left out one by one") {
  CheckKept("* NAMESPACE ((\"\" \"/\")) NIL ((\"Open/\" \"/\"))");
  CHECK(Shown("* NAMESPACE ((\"\" \"/\")) NIL ((\"Secret/\" \"/\"))") ==
        "* NAMESPACE ((\"\" \"/\")) NIL NIL");
  CHECK(Shown("* NAMESPACE ((\"\" \"/\")(\"Secret/\" \"/\" \"X\" (\"y\"))) NIL NIL") ==
        "* NAMESPACE ((\"\" \"/\")) NIL NIL");
  CHECK(Shown("* NAMESPACE ((Secret/ NIL) (\"Open/\" \"/\")) ((\"Secret\" \"/\")) nil") ==
        "* NAMESPACE ((\"Open/\" \"/\")) NIL nil");
  CHECK(Shown("* NAMESPACE NIL NIL (({7}\r\nSecret/ \"/\"))") == "* NAMESPACE NIL NIL NIL");
  CheckDropped("* NAMESPACE (\"Secret/\" \"/\") NIL NIL");
  CheckDropped("* NAMESPACE Secret NIL NIL");
  CheckDropped("* NAMESPACE (((\"Secret\" \"/\"))) NIL NIL");
}

TEST_CASE("Results of a search in several mailboxes") {
  CheckKept("* ESEARCH (TAG \"a\") UID ALL 1:5");
  CheckKept("* ESEARCH (TAG \"Secret\") COUNT 5");
  CheckKept("* ESEARCH");
  CheckKept("* ESEARCH (TAG \"a\" MAILBOX \"Open\" UIDVALIDITY 1) UID ALL 4");
  CheckDropped("* ESEARCH (TAG \"a\" MAILBOX \"Secret\" UIDVALIDITY 1) UID ALL 4");
  CheckDropped("* ESEARCH (TAG \"MAILBOX\" mailbox {6}\r\nSecret UIDVALIDITY 1) UID");
  CheckDropped("* ESEARCH (TAG \"a\" (MAILBOX Secret)) UID");
}

TEST_CASE("URLs with their data") {
  CheckKept("* URLFETCH \"imap://h/Open/;UID=1\" \"Secret\"");
  CheckDropped("* URLFETCH \"imap://h/Secret;UIDVALIDITY=1/;UID=1\" NIL");
  CheckDropped("* URLFETCH \"imap://h/Open/;UID=1\" NIL \"imap://h/%53ecret/;UID=1\" {2}\r\nab");
  CheckDropped("* URLFETCH imap://h/Open/;UID=1 (BODY {3}\r\nabc) imap://h/Secret/;UID=1 ()");
  CheckDropped("* GENURLAUTH \"imap://h/Open/;UID=1\" \"imap://h/Secret/;UID=1;urlauth=user+x\"");
  CheckDropped("* GENURLAUTH {22}\r\nimap://h/Secret/;UID=1");
  CheckKept("* GENURLAUTH \"imap://h/Open/;UID=1\"");
}

TEST_CASE("Data that nobody knows is left out when any word of it is hidden") {
  CheckKept("* XPOSE (a (b c))");
  CheckDropped("* XPOSE (a (b Secret))");
  CheckDropped("* MAILBOX Secret");
  CheckDropped("* Secret");
  CheckDropped("* ANNOTATION {6}\r\nSecret \"/comment\" (\"value.priv\" \"x\")");
}

TEST_CASE("Words that name no mailbox are not looked at") {
  for (const char* word : {"5", "FLAGS", "search", "THREAD", "CAPABILITY", "ENABLED", "ID"}) {
    CHECK_FALSE(imap::MayNameMailbox(word));
  }
  for (const char* word : {"LIST", "status", "XPOSE", "5x"}) CHECK(imap::MayNameMailbox(word));
}

// The beginnings of a response that is too long to be held.
Verdict Early(std::string_view begin) { return imap::FilterNames(begin, false, Hides).verdict; }

TEST_CASE("What is known of a response that is not whole") {
  CHECK(Early("* METADATA Open (/shared/comment {900000}\r\nabc") == Verdict::kKeep);
  CHECK(Early("* METADATA Secret (/shared/comment {900000}\r\nabc") == Verdict::kDrop);
  CHECK(Early("* METADATA Secre") == Verdict::kTooEarly);
  CHECK(Early("* METADATA {10}\r\nSecre") == Verdict::kTooEarly);
  CHECK(Early("* ESEARCH (TAG \"a\") ALL 1,3,5,7") == Verdict::kKeep);
  CHECK(Early("* ESEARCH (TAG \"a\" MAILBOX Secret UIDVALIDITY 1) ALL 1,3") == Verdict::kDrop);
  CHECK(Early("* ESEARCH (TAG \"a\" MAILBOX Secre") == Verdict::kTooEarly);
  CHECK(Early("* URLFETCH \"imap://h/Open/;UID=1\" {900000}\r\nabc") == Verdict::kKeep);
  CHECK(Early("* URLFETCH \"imap://h/Secret/;UID=1\" {900000}\r\nabc") == Verdict::kDrop);
  CHECK(Early("* URLFETCH \"imap://h/Secret/;UI") == Verdict::kTooEarly);
  CHECK(Early("* LIST () \"/\" Secret") == Verdict::kTooEarly);
  CHECK(Early("* LIST () \"/\" Open (\"OLDNAME\" (") == Verdict::kTooEarly);
  CHECK(Early("* XPOSE a b c") == Verdict::kTooEarly);
}

TEST_CASE("URLs that lead nobody knows where") {
  CHECK(imap::HidesUrl("Open/;UID=1", Hides));
  CHECK(imap::HidesUrl("/Open/%2e%2e/Secret/;UID=1", Hides));
  CHECK(imap::HidesUrl("imap://h/Open/../Secret/;UID=1", Hides));
  CHECK_FALSE(imap::HidesUrl("/Open/;UID=1", Hides));
  CHECK_FALSE(imap::HidesUrl(";UID=1", Hides));
  CHECK_FALSE(imap::HidesUrl("", Hides));
}

}  // namespace
}  // namespace postern::testing
