// Commands that name a hidden mailbox: answered as if it were not there; the backend hears nothing
// of them.
#include "support/hide_talk.h"

namespace postern::testing {
namespace {

TEST_CASE("Hidden SELECT and EXAMINE deselect and find nothing") {
  for (const std::string verb : {"SELECT", "EXAMINE"}) {
    for (const std::string name : {"Secret", "\"Secret\"", "Secret/below", "\"&AFM-ecret\"",
                                   "\"Secret/\"", "\"My Secret\""}) {
      CheckTalk({"a " + verb + " " + name + "\r\n", "a EXAMINE \"\"\r\n",
                 "a NO Invalid mailbox name\r\n", std::string("a ") + kNonexistent + "\r\n"});
    }
    CheckTalk({"a " + verb + " {6+}\r\nSecret\r\n", "a EXAMINE \"\"\r\n", "a NO no\r\n",
               std::string("a ") + kNonexistent + "\r\n"});
    CheckTalk({"a " + verb + " {6}\r\nSecret (CONDSTORE)\r\n", "a EXAMINE \"\"\r\n", "a NO no\r\n",
               std::string("+ OK\r\na ") + kNonexistent + "\r\n"});
  }
}

TEST_CASE("Hidden mailboxes cannot be used by name") {
  for (const std::string command :
       {"STATUS Secret (MESSAGES)", "DELETE Secret", "SUBSCRIBE Secret", "UNSUBSCRIBE Secret",
        "GETACL Secret", "SETACL Secret bob lrs", "DELETEACL Secret bob", "LISTRIGHTS Secret bob",
        "MYRIGHTS Secret", "GETQUOTAROOT Secret", "GETMETADATA Secret /shared/comment",
        "GETMETADATA (MAXSIZE 100) Secret /shared/comment",
        "SETMETADATA Secret (/shared/comment NIL)", "RENAME Secret Open", "RESETKEY Secret",
        "status \"Shared/my private box\" (MESSAGES)", "STATUS \"Open/../Secret\" (MESSAGES)"}) {
    CheckGone("a " + command + "\r\n", kNonexistent);
  }
  CheckGone("a STATUS {6}\r\nSecret (MESSAGES)\r\n", kNonexistent, "+ OK\r\n");
  CheckGone("a SETMETADATA Secret (/shared/comment {3+}\r\nabc)\r\n", kNonexistent);
}

TEST_CASE("Hidden mailboxes are no place for messages") {
  for (const std::string command :
       {"COPY 1 Secret", "UID COPY 1:* \"Secret/below\"", "MOVE 1 Secret", "UID MOVE 1 Secret"}) {
    CheckGone("a " + command + "\r\n", kTryCreateIt);
  }
  CheckGone("a APPEND Secret (\\Seen) {5+}\r\nhello\r\n", kTryCreateIt);
  CheckGone("a REPLACE 4 Secret {5+}\r\nhello\r\n", kTryCreateIt);
  CheckTalk({"a APPEND Secret {5}\r\n", "", "", std::string("a ") + kTryCreateIt + "\r\n"});
}

TEST_CASE("Hidden names cannot be made") {
  for (const std::string command : {"CREATE Secret", "CREATE Secret/below", "RENAME Open Secret",
                                    "RENAME INBOX Shared/myprivate"}) {
    CheckGone("a " + command + "\r\n", kCannotMake);
  }
}

TEST_CASE("A mailbox above a hidden one is not renamed") {
  const std::string refused = "NO [CANNOT] this mailbox cannot be renamed here";
  CheckGone("a RENAME Shared Common\r\n", refused);
  CheckGone("a RENAME \"Shared/a\" Common\r\n", refused);
  CheckGone("a RENAME {6+}\r\nShared Common\r\n", refused);
  CheckTalk({"a RENAME Open Common\r\n", "a RENAME Open Common\r\n", "", ""});
  CheckTalk({"a RENAME inbox Old\r\n", "a RENAME inbox Old\r\n", "", ""});
  // Nobody can say where these lie.
  const std::vector<Rule> anywhere = HideRules({".*/private"});
  CheckTalk({"a RENAME Open Common\r\n", "", "", "a " + refused + "\r\n"}, anywhere);
}

TEST_CASE("Hidden NOTIFY and ESEARCH filters") {
  CheckGone("a NOTIFY SET (mailboxes (Open Secret) (MessageNew))\r\n", kNonexistent);
  CheckGone("a NOTIFY SET STATUS (selected NONE) (subtree Secret (MessageNew))\r\n", kNonexistent);
  CheckGone("a ESEARCH IN (mailboxes Secret) UNSEEN\r\n", kNonexistent);
  CheckGone("a ESEARCH IN (subtree-one (\"Secret/below\")) RETURN (COUNT) UNSEEN\r\n",
            kNonexistent);
  CheckTalk({"a NOTIFY SET (personal (MessageNew))\r\n", "a NOTIFY SET (personal (MessageNew))\r\n",
             "", ""});
}

TEST_CASE("Hidden URLs") {
  for (const std::string url :
       {"\"imap://bob@h/Secret;UIDVALIDITY=1/;UID=2\"", "\"/%53ecret/;UID=2\"",
        "\"imap://h/Open/../Secret/;UID=2\"", "imap://h/Secret/below;UID=2"}) {
    CheckGone("a URLFETCH " + url + "\r\n", kNonexistent);
    CheckGone("a URLFETCH \"imap://h/Open/;UID=1\" " + url + "\r\n", kNonexistent);
    CheckGone("a GENURLAUTH " + url + " INTERNAL\r\n", kNonexistent);
    CheckGone("a APPEND Open CATENATE (URL " + url + ")\r\n", kNonexistent);
  }
}

TEST_CASE("Hidden URLs behind a text of CATENATE end the session") {
  ImapVisit visit;
  visit.LogIn("IMAP4rev1 CATENATE");
  visit.host.UseRules(HideRules(kSecret));
  visit.Client("a APPEND Open CATENATE (TEXT {3}\r\n");
  visit.Backend("+ go\r\n");
  visit.Client("abc URL \"/Secret/;UID=1\")\r\n");
  CHECK(visit.ToBackend() == "a APPEND Open CATENATE (TEXT {3}\r\nabc");
  CHECK(visit.host.Ended(CloseReason::kRule));
}

TEST_CASE("Items that tell where a message really is are not to be had") {
  const std::string refused = "NO [NOPERM] these items are not available here";
  CheckGone("a FETCH 1 (FLAGS X-MAILBOX)\r\n", refused);
  CheckGone("a UID FETCH 1 x-gm-labels\r\n", refused);
  CheckGone("a SEARCH X-REAL-MAILBOX x\r\n", refused);
  CheckTalk({"a FETCH 1 X-GUID\r\n", "a FETCH 1 X-GUID\r\n", "", ""});
}

TEST_CASE("Read-only and hidden tell no difference") {
  std::vector<Rule> rules = HideRules(kSecret);
  rules.push_back({});
  rules.back().name = "read-only";
  rules.back().action = Action::kReadOnly;
  rules.back().text = "no";
  for (const std::string name : {"Secret", "Open"}) {
    CheckTalk({"a DELETE " + name + "\r\n", "", "", "a NO [NOPERM] no\r\n"}, rules);
  }
  CheckTalk({"a SELECT Secret\r\n", "a EXAMINE \"\"\r\n", "a NO x\r\n",
             std::string("a ") + kNonexistent + "\r\n"},
            rules);
}

TEST_CASE("What is not hidden goes its way") {
  for (const std::string command :
       {"SELECT Open", "STATUS Secretary (MESSAGES)", "LIST \"\" Secret", "LSUB \"\" *",
        "COPY 1 Open", "URLFETCH \"imap://h/Open/;UID=1\"", "CREATE Open/Secret", "DELETE Shared",
        "SEARCH SUBJECT Secret", "GETACL \"Other/Secret\""}) {
    CheckTalk({"a " + command + "\r\n", "a " + command + "\r\n", "", ""});
  }
}

}  // namespace
}  // namespace postern::testing
