// Read-only (DESIGN 1.3): of all that changes anything, 0 reach the backend. Every command of the
// table has its line here.
#include <catch2/catch.hpp>
#include <map>
#include <string>
#include <vector>

#include "imap_visit.h"
#include "support/rule_words.h"

namespace postern::testing {
namespace {

using imap::CommandKind;

constexpr std::string_view kEverything =
    "IMAP4rev1 IMAP4rev2 ID UNSELECT MOVE SORT THREAD=REFERENCES IDLE NAMESPACE ENABLE QUOTA "
    "QUOTASET ACL METADATA NOTIFY CONTEXT=SEARCH URLAUTH REPLACE LANGUAGE I18NLEVEL=2 MULTISEARCH "
    "UIDPLUS XLIST BINARY CATENATE MULTIAPPEND UTF8=ACCEPT";

enum class Fate {
  kReaches,  // the backend gets it
  kDenied,   // NO [NOPERM], and the backend gets nothing
  kExamine,  // the backend gets another verb
  kUnknown,  // not a command after the login: BAD
};
struct Row {
  std::vector<std::string> lines;  // without tag; "{n+}" literals with what follows them
  Fate fate;
};

const std::map<CommandKind, Row>& Rows() {
  using K = CommandKind;
  static const std::map<CommandKind, Row> rows = {
      {K::kOther, {{"XFROB x"}, Fate::kUnknown}},
      {K::kCapability, {{"CAPABILITY"}, Fate::kReaches}},
      {K::kNoop, {{"NOOP"}, Fate::kReaches}},
      {K::kLogout, {{"LOGOUT"}, Fate::kReaches}},
      {K::kStarttls, {{"STARTTLS"}, Fate::kUnknown}},
      {K::kAuthenticate, {{"AUTHENTICATE PLAIN"}, Fate::kUnknown}},
      {K::kLogin, {{"LOGIN a b"}, Fate::kUnknown}},
      {K::kId, {{"ID NIL"}, Fate::kReaches}},
      {K::kSelect, {{"SELECT x", "select \"x\" (CONDSTORE)", "SELECT {1+}\r\nx"}, Fate::kExamine}},
      {K::kExamine, {{"EXAMINE x", "EXAMINE {1+}\r\nx"}, Fate::kReaches}},
      {K::kCreate, {{"CREATE x", "CREATE x (USE (\\Sent))", "CREATE {1+}\r\nx"}, Fate::kDenied}},
      {K::kDelete, {{"DELETE x", "delete {1+}\r\nx"}, Fate::kDenied}},
      {K::kRename, {{"RENAME x y", "RENAME {1+}\r\nx {1+}\r\ny"}, Fate::kDenied}},
      {K::kSubscribe, {{"SUBSCRIBE x"}, Fate::kDenied}},
      {K::kUnsubscribe, {{"UNSUBSCRIBE x"}, Fate::kDenied}},
      {K::kList, {{"LIST \"\" *"}, Fate::kReaches}},
      {K::kLsub, {{"LSUB \"\" *"}, Fate::kReaches}},
      {K::kXlist, {{"XLIST \"\" *"}, Fate::kReaches}},
      {K::kStatus, {{"STATUS x (MESSAGES)"}, Fate::kReaches}},
      {K::kAppend,
       {{"APPEND x {2+}\r\nhi", "APPEND x (\\Seen) \"1-Jan-2020 00:00:00 +0000\" {2+}\r\nhi",
         "APPEND x ~{2+}\r\nhi", "APPEND x UTF8 (~{2+}\r\nhi)",
         "APPEND x CATENATE (URL \"/y/;UID=1\")", "APPEND x CATENATE (TEXT {2+}\r\nhi)",
         "APPEND x {2+}\r\nhi {2+}\r\nho", "APPEND {1+}\r\nx {0+}\r\n"},
        Fate::kDenied}},
      {K::kCheck, {{"CHECK"}, Fate::kReaches}},
      {K::kClose, {{"CLOSE"}, Fate::kReaches}},
      {K::kUnselect, {{"UNSELECT"}, Fate::kReaches}},
      {K::kExpunge, {{"EXPUNGE", "UID EXPUNGE 1:*"}, Fate::kDenied}},
      {K::kSearch, {{"SEARCH ALL", "UID SEARCH ALL"}, Fate::kReaches}},
      {K::kFetch, {{"FETCH 1 BODY[]", "UID FETCH 1 RFC822"}, Fate::kReaches}},
      {K::kStore,
       {{"STORE 1 +FLAGS (\\Seen)", "UID STORE 1 FLAGS.SILENT ()",
         "STORE 1 (UNCHANGEDSINCE 1) -FLAGS (\\Seen)"},
        Fate::kDenied}},
      {K::kCopy, {{"COPY 1 x", "UID COPY 1 {1+}\r\nx"}, Fate::kDenied}},
      {K::kMove, {{"MOVE 1 x", "uid move 1 x"}, Fate::kDenied}},
      {K::kSort, {{"SORT (DATE) UTF-8 ALL"}, Fate::kReaches}},
      {K::kThread, {{"THREAD REFERENCES UTF-8 ALL"}, Fate::kReaches}},
      {K::kIdle, {{"IDLE"}, Fate::kReaches}},
      {K::kNamespace, {{"NAMESPACE"}, Fate::kReaches}},
      {K::kEnable, {{"ENABLE CONDSTORE"}, Fate::kReaches}},
      {K::kGetquota, {{"GETQUOTA x"}, Fate::kReaches}},
      {K::kGetquotaroot, {{"GETQUOTAROOT x"}, Fate::kReaches}},
      {K::kSetquota, {{"SETQUOTA x (STORAGE 1)"}, Fate::kDenied}},
      {K::kSetacl, {{"SETACL x bob lrs"}, Fate::kDenied}},
      {K::kDeleteacl, {{"DELETEACL x bob"}, Fate::kDenied}},
      {K::kGetacl, {{"GETACL x"}, Fate::kReaches}},
      {K::kListrights, {{"LISTRIGHTS x bob"}, Fate::kReaches}},
      {K::kMyrights, {{"MYRIGHTS x"}, Fate::kReaches}},
      {K::kGetmetadata, {{"GETMETADATA x /private/comment"}, Fate::kReaches}},
      {K::kSetmetadata,
       {{"SETMETADATA x (/private/comment \"y\")", "SETMETADATA \"\" (/shared/x {2+}\r\nhi)"},
        Fate::kDenied}},
      {K::kNotify, {{"NOTIFY NONE"}, Fate::kReaches}},
      {K::kCancelupdate, {{"CANCELUPDATE \"a\""}, Fate::kReaches}},
      {K::kGenurlauth,
       {{"GENURLAUTH \"imap://h/x;UID=1;URLAUTH=anonymous\" INTERNAL"}, Fate::kDenied}},
      {K::kResetkey, {{"RESETKEY", "RESETKEY x"}, Fate::kDenied}},
      {K::kUrlfetch, {{"URLFETCH \"imap://h/x;UID=1\""}, Fate::kReaches}},
      {K::kReplace, {{"REPLACE 1 x {2+}\r\nhi", "UID REPLACE 1 x {2+}\r\nhi"}, Fate::kDenied}},
      {K::kLanguage, {{"LANGUAGE de"}, Fate::kReaches}},
      {K::kComparator, {{"COMPARATOR"}, Fate::kReaches}},
      {K::kEsearch, {{"ESEARCH IN (mailboxes x) ALL"}, Fate::kReaches}},
      {K::kCompress, {{"COMPRESS DEFLATE"}, Fate::kUnknown}},
      {K::kUnauthenticate, {{"UNAUTHENTICATE"}, Fate::kUnknown}}};
  return rows;
}

std::string Answered(ImapVisit& visit) {
  std::string sent;
  for (std::string more = visit.ToBackend(); !more.empty(); more = visit.ToBackend()) {
    sent += more;
    if (more.ends_with("}\r\n")) visit.Backend("+ go\r\n");
  }
  return sent;
}

void CheckLine(CommandKind kind, const std::string& line, Fate fate) {
  INFO(Escaped(line));
  ImapVisit visit;
  visit.host.UseRules({RuleInWords("read-only text='Read only'")});
  visit.LogIn(kEverything);
  visit.Client("a " + line + "\r\nb NOOP\r\n");
  const std::string sent = Answered(visit);
  const std::string answer = visit.host.TakeClient();
  switch (fate) {
    case Fate::kReaches:
      CHECK(sent.rfind("a ", 0) == 0);
      CHECK(visit.Ended(kind, CommandResult::kDenied) == 0);
      return;
    case Fate::kDenied:
      CHECK(sent == "b NOOP\r\n");
      CHECK(answer == "a NO [NOPERM] Read only\r\n");
      CHECK(visit.Ended(kind, CommandResult::kDenied) == 1);
      return;
    case Fate::kExamine:
      CHECK(sent.rfind("a EXAMINE ", 0) == 0);
      CHECK(visit.Rewritten(Rewrite::kExamine) == 1);
      return;
    case Fate::kUnknown:
      CHECK(sent == "b NOOP\r\n");
      CHECK(answer.rfind("a BAD ", 0) == 0);
      return;
  }
}

TEST_CASE("Read only lets nothing through that changes anything") {
  for (std::size_t i = 0; i < imap::kCommandCount; ++i) {
    const auto kind = static_cast<CommandKind>(i);
    INFO(imap::CommandName(kind));
    REQUIRE(Rows().count(kind) == 1);
    const Row& row = Rows().at(kind);
    CHECK(imap::Traits(kind).changes == (row.fate == Fate::kDenied || kind == CommandKind::kOther));
    for (const std::string& line : row.lines) CheckLine(kind, line, row.fate);
  }
}

TEST_CASE("Read only refuses a verb that only the backend is trusted with") {
  for (const bool read_only : {false, true}) {
    ImapVisit visit;
    visit.host.settings.pools[0].pass_commands = {"XFROB"};
    if (read_only) visit.host.UseRules({RuleInWords("read-only text=no")});
    visit.LogIn(kEverything);
    visit.Client("a xfrob x\r\n");
    CHECK(visit.ToBackend() == (read_only ? "" : "a xfrob x\r\n"));
    CHECK(visit.host.TakeClient() == (read_only ? "a NO [NOPERM] no\r\n" : ""));
  }
}

// A mailbox that was selected for writing before a reload made the account read-only.
TEST_CASE("A FETCH that sets Seen is refused where the mailbox is open for writing") {
  const std::vector<std::pair<std::string, bool>> fetches = {
      {"FETCH 1 BODY[]", true},
      {"UID FETCH 1 (FLAGS body[HEADER.FIELDS (Subject)])", true},
      {"FETCH 1 BODY[]<0.100>", true},
      {"FETCH 1 RFC822", true},
      {"FETCH 1 (UID rfc822.TEXT)", true},
      {"FETCH 1 BINARY[1]", true},
      {"FETCH 1 (BODY.PEEK[HEADER.FIELDS (X)]BODY[])", true},
      {"FETCH 1 \"BODY[]\"", true},
      {"FETCH 1 {6+}\r\nBODY[]", true},
      {"FETCH 1 (BODY.PEEK[] BINARY.PEEK[1] BINARY.SIZE[1])", false},
      {"FETCH 1 (RFC822.SIZE RFC822.HEADER BODY BODYSTRUCTURE)", false},
      {"FETCH 1 FULL", false}};
  for (const auto& [line, refused] : fetches) {
    INFO(line);
    ImapVisit visit;
    visit.LogIn(kEverything);
    visit.Client("s SELECT x\r\n");
    visit.ToBackend();
    visit.host.UseRules({RuleInWords("read-only")});
    visit.Client("a " + line + "\r\n");
    const std::string sent = Answered(visit);
    CHECK(sent.empty() == refused);
    CHECK((visit.host.TakeClient().rfind("a NO [NOPERM] ", 0) == 0) == refused);
  }
}

}  // namespace
}  // namespace postern::testing
