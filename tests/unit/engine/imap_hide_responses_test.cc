// Answers that name a hidden mailbox: it is in none that the client sees.
#include "support/hide_talk.h"

namespace postern::testing {
namespace {

TEST_CASE("Hidden mailboxes are in no LIST") {
  CheckAnswer("a LIST \"\" *\r\n",
              "* LIST (\\HasChildren) \"/\" Open\r\n* LIST () \"/\" Secret\r\n"
              "* LIST () \"/\" \"Secret/below\"\r\n* LIST () \"/\" {6}\r\nSecret\r\n"
              "* LIST () \"/\" \"&AFM-ecret\"\r\n* LIST () \"/\" {4}\r\nLast\r\n",
              "* LIST (\\HasChildren) \"/\" Open\r\n* LIST () \"/\" {4}\r\nLast\r\n");
}

TEST_CASE("Hidden mailboxes are in no LSUB") {
  CheckAnswer("a LSUB \"\" *\r\n",
              "* LSUB () \".\" Secret\r\n* LSUB () \".\" Open\r\n* LSUB () \".\" Secret.x\r\n",
              "* LSUB () \".\" Open\r\n");
}

TEST_CASE("Hidden mailboxes are in no XLIST") {
  CheckAnswer("a XLIST \"\" *\r\n",
              "* XLIST (\\Inbox) \"/\" INBOX\r\n* XLIST (\\AllMail) \"/\" \"My Secret\"\r\n",
              "* XLIST (\\Inbox) \"/\" INBOX\r\n");
}

TEST_CASE("Hidden mailboxes have no STATUS") {
  CheckAnswer("a NOOP\r\n",
              "* STATUS Secret (MESSAGES 3)\r\n* STATUS Open (MESSAGES 1)\r\n"
              "* STATUS {12}\r\nSecret/below (MESSAGES 3)\r\n",
              "* STATUS Open (MESSAGES 1)\r\n");
}

TEST_CASE("Hidden mailboxes are in no LIST with STATUS") {
  CheckAnswer("a LIST \"\" % RETURN (STATUS (MESSAGES))\r\n",
              "* LIST () \"/\" Open\r\n* STATUS Open (MESSAGES 1)\r\n* LIST () \"/\" Secret\r\n"
              "* STATUS Secret (MESSAGES 3)\r\n",
              "* LIST () \"/\" Open\r\n* STATUS Open (MESSAGES 1)\r\n");
}

TEST_CASE("Hidden mailboxes are in no NAMESPACE") {
  CheckAnswer("a NAMESPACE\r\n",
              "* NAMESPACE ((\"\" \"/\")) NIL ((\"Secret/\" \"/\")(\"Open/\" \"/\"))\r\n",
              "* NAMESPACE ((\"\" \"/\")) NIL ((\"Open/\" \"/\"))\r\n");
  CheckAnswer("a NAMESPACE\r\n", "* NAMESPACE ((\"\" \"/\")) ((\"Secret/\" \"/\")) NIL\r\n",
              "* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n");
}

TEST_CASE("NOTIFY says nothing of hidden mailboxes") {
  CheckTalk({"a IDLE\r\n", "a IDLE\r\n",
             "+ idling\r\n* STATUS Secret (UIDNEXT 5)\r\n* LIST (\\Subscribed) \"/\" Secret\r\n"
             "* 3 EXISTS\r\n* LIST (\\NonExistent) \"/\" \"Secret/x\"\r\n"
             "* STATUS Open (UIDNEXT 5)\r\n* METADATA Secret \"/shared/comment\"\r\n",
             "+ OK\r\n* 3 EXISTS\r\n* STATUS Open (UIDNEXT 5)\r\n"});
}

TEST_CASE("Searches of several mailboxes find nothing in hidden ones") {
  CheckAnswer("a ESEARCH IN (personal) UNSEEN\r\n",
              "* ESEARCH (TAG \"a\" MAILBOX Open UIDVALIDITY 1) UID ALL 1:3\r\n"
              "* ESEARCH (TAG \"a\" MAILBOX \"Secret\" UIDVALIDITY 1) UID ALL 4\r\n"
              "* ESEARCH (TAG \"a\" MAILBOX {6}\r\nSecret UIDVALIDITY 1) UID ALL 4\r\n",
              "* ESEARCH (TAG \"a\" MAILBOX Open UIDVALIDITY 1) UID ALL 1:3\r\n");
}

TEST_CASE("Hidden mailboxes have no METADATA") {
  CheckAnswer("a GETMETADATA \"\" /shared/comment\r\n",
              "* METADATA Secret (/shared/comment {3}\r\nabc)\r\n"
              "* METADATA \"\" (/shared/comment {3}\r\nabc)\r\n",
              "* METADATA \"\" (/shared/comment {3}\r\nabc)\r\n");
}

TEST_CASE("Hidden mailboxes have no ACL and no rights") {
  CheckAnswer("a GETACL Open\r\n",
              "* ACL Secret bob lrs\r\n* MYRIGHTS \"Secret/x\" lrs\r\n"
              "* LISTRIGHTS {6}\r\nSecret bob l r\r\n* ACL Open bob lrs\r\n",
              "* ACL Open bob lrs\r\n");
}

TEST_CASE("Hidden mailboxes have no QUOTAROOT") {
  CheckAnswer("a GETQUOTAROOT Open\r\n",
              "* QUOTAROOT Secret \"\"\r\n* QUOTAROOT Open \"\"\r\n* QUOTA \"\" (STORAGE 1 2)\r\n"
              "* QUOTA Secret (STORAGE 1 2)\r\n",
              "* QUOTAROOT Open \"\"\r\n* QUOTA \"\" (STORAGE 1 2)\r\n");
}

TEST_CASE("URLs of hidden mailboxes are not answered") {
  CheckAnswer("a URLFETCH \"imap://h/Open/;UID=1\"\r\n",
              "* URLFETCH \"imap://h/Open/;UID=1\" {2}\r\nab\r\n"
              "* URLFETCH \"imap://h/Secret/;UID=1\" {2}\r\nab\r\n"
              "* GENURLAUTH \"imap://h/%53ecret/;UID=1;urlauth=anonymous:internal:91\"\r\n",
              "* URLFETCH \"imap://h/Open/;UID=1\" {2}\r\nab\r\n");
}

TEST_CASE("Old names that are hidden are left out") {
  CheckAnswer("a RENAME Open New\r\n",
              "* LIST () \"/\" New (\"OLDNAME\" (\"Secret\"))\r\n"
              "* LIST () \"/\" New (\"OLDNAME\" (\"Open\"))\r\n"
              "* LIST () \"/\" Open (\"CHILDINFO\" (\"SUBSCRIBED\"))\r\n",
              "* LIST () \"/\" New ()\r\n* LIST () \"/\" New (\"OLDNAME\" (\"Open\"))\r\n"
              "* LIST () \"/\" Open (\"CHILDINFO\" (\"SUBSCRIBED\"))\r\n");
}

TEST_CASE("Texts that tell of hidden mailboxes are replaced and codes keep their names") {
  CheckTalk({"a NOOP\r\n", "a NOOP\r\n",
             "* OK [ALERT] Mailbox Secret is nearly full\r\n"
             "* OK [UIDNEXT 5] Secret/x\r\n"
             "* NO [REFERRAL imap://h/Secret] go there\r\n"
             "* NO [BADURL \"/%53ecret/;UID=1\"] no\r\n"
             "* OK [NEWNAME Open \"My Secret\"] moved\r\n"
             "* OK [CAPABILITY IMAP4rev1] in 'My Secret'\r\n"
             "* OK [PERMANENTFLAGS (\\Seen \\*)] Secretary\r\n"
             "* OK (Secret)\r\n"
             "* NO &AFM-ecret\r\n"
             "* NO <imap://h/%53ecret/;UID=1>.\r\n"
             "* OK [ALERT] Quota: 95% used, 100%00 soon\r\n"
             "* OK plain\r\n"
             "a NO [INUSE] \"Shared/b private x\" is there\r\n",
             "* OK [ALERT] done\r\n"
             "* OK [UIDNEXT 5] done\r\n"
             "* NO refused\r\n"
             "* NO [BADURL] refused\r\n"
             "* OK [NEWNAME] done\r\n"
             "* OK [CAPABILITY IMAP4rev1 LITERAL+ ID] done\r\n"
             "* OK [PERMANENTFLAGS (\\Seen \\*)] Secretary\r\n"
             "* OK done\r\n"
             "* NO refused\r\n"
             "* NO refused\r\n"
             "* OK [ALERT] Quota: 95% used, 100%00 soon\r\n"
             "* OK plain\r\n"
             "a NO [INUSE] refused\r\n"});
}

TEST_CASE("Alerts that come with the login tell of no hidden mailbox") {
  ImapVisit visit;
  visit.host.UseRules(HideRules(kSecret));
  visit.Start();
  visit.Client("l LOGIN bob secret\r\n");
  visit.BackendConnected();
  visit.Backend("* OK hello\r\n");
  visit.host.TakeClient();
  visit.Backend("* OK [ALERT] Secret is full\r\n* OK [ALERT] Quota at 95%\r\n");
  visit.Backend("postern1 OK [CAPABILITY IMAP4rev1] welcome to Secret\r\n");
  CHECK(visit.host.TakeClient() ==
        "* OK [ALERT] done\r\n* OK [ALERT] Quota at 95%\r\n"
        "l OK [CAPABILITY IMAP4rev1 LITERAL+ ID] logged in\r\n");
  visit.ToBackend();
}

TEST_CASE("A goodbye that tells of a hidden mailbox is one all the same") {
  ImapVisit visit;
  visit.LogIn();
  visit.host.UseRules(HideRules(kSecret));
  visit.Backend("* BYE Secret is gone\r\n");
  visit.BackendEnd();
  CHECK(visit.host.TakeClient() == "* BYE closing\r\n");
}

TEST_CASE("Long texts are not looked at and not passed on") {
  const std::string text(20'000, 'x');
  CheckAnswer("a NOOP\r\n", "* OK [ALERT] " + text + "\r\n* OK still\r\n",
              "* OK [ALERT] done\r\n* OK still\r\n");
}

TEST_CASE("Names that are too long are nonsense and long data are not") {
  const std::string value(100'000, 'v');
  const std::string literal = "{100000}\r\n" + value;
  ImapVisit visit;
  visit.LogIn();
  visit.host.UseRules(HideRules(kSecret));
  visit.Client("a NOOP\r\n");
  visit.Backend("* METADATA Open (/shared/comment " + literal + ")\r\n");
  CHECK(visit.host.TakeClient() == "* METADATA Open (/shared/comment " + literal + ")\r\n");
  visit.Backend("* METADATA Secret (/shared/comment " + literal + ")\r\n* 1 EXISTS\r\n");
  CHECK(visit.host.TakeClient() == "* 1 EXISTS\r\n");
  visit.Backend("* 1 FETCH (BODY[] " + literal + ")\r\n* SEARCH 1\r\n");
  CHECK(visit.host.TakeClient() == "* 1 FETCH (BODY[] " + literal + ")\r\n* SEARCH 1\r\n");
  visit.Backend("* LIST () \"/\" " + literal + "\r\n");
  CHECK(visit.host.TakeClient() ==
        "* BYE [UNAVAILABLE] the mail server sent something that makes no sense\r\n");
  CHECK(visit.host.Ended(CloseReason::kBackendProtocol));
}

TEST_CASE("A held answer goes on when a reload hides nothing any more") {
  ImapVisit visit;
  visit.LogIn();
  visit.host.UseRules(HideRules(kSecret));
  visit.Backend("* LIST () \"/\" {6}\r\nSec");
  visit.host.session_rules = nullptr;
  visit.Backend("ret\r\n* 1 EXISTS\r\n");
  CHECK(visit.host.TakeClient() == "* LIST () \"/\" {6}\r\nSecret\r\n* 1 EXISTS\r\n");
}

TEST_CASE("Our own words wait for the end of a held answer") {
  ImapVisit visit;
  visit.LogIn();
  visit.host.UseRules(HideRules(kSecret));
  visit.Backend("* LIST () \"/\" {4}\r\nOp");
  visit.Client("a GETACL\r\n");
  CHECK(visit.host.TakeClient().empty());
  visit.Backend("en\r\n");
  const std::string shown = visit.host.TakeClient();
  CHECK(shown.starts_with("* LIST () \"/\" {4}\r\nOpen\r\na BAD "));
}

}  // namespace
}  // namespace postern::testing
