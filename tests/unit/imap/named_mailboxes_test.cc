// Which mailboxes a command names.
#include "postern/imap/named_mailboxes.h"

#include <catch2/catch.hpp>

namespace postern::imap {
namespace {

using Role = MailboxRole;
using K = CommandKind;

std::string Named(CommandKind kind, std::string_view head, Role* role = nullptr) {
  std::vector<NamedMailbox> names;
  FindMailboxes(kind, head, names);
  std::string all;
  for (const NamedMailbox& mailbox : names) {
    all += (all.empty() ? "" : "|") + mailbox.name;
    if (role != nullptr) *role = mailbox.role;
  }
  return all;
}

TEST_CASE("Mailboxes stand where the grammar has them") {
  CHECK(Named(K::kSelect, " INBOX (CONDSTORE)") == "INBOX");
  CHECK(Named(K::kRename, " \"a b\" {3}\r\nx y") == "a b|x y");
  CHECK(Named(K::kCopy, " 1:3 \"Old \\\"x\\\"\"") == "Old \"x\"");
  CHECK(Named(K::kSetacl, " box bob lrs") == "box");
  CHECK(Named(K::kReplace, " 7 Drafts (\\Seen) {3}\r\n") == "Drafts");
  CHECK(Named(K::kGetmetadata, " (DEPTH 1) box (/shared/x)") == "box");
  CHECK(Named(K::kGetmetadata, " box /shared/x") == "box");
  CHECK(Named(K::kStatus, " box (MESSAGES)") == "box");
  CHECK(Named(K::kResetkey, " box INTERNAL") == "box");
  CHECK(Named(K::kResetkey, "").empty());
  CHECK(Named(K::kSearch, " SUBJECT box").empty());
  CHECK(Named(K::kGetquota, " root").empty());
}

TEST_CASE("The patterns of LIST are named behind their reference and alone") {
  CHECK(Named(K::kList, " \"\" *") == "*");
  CHECK(Named(K::kLsub, " Shared/ %") == "Shared/%|%");
  CHECK(Named(K::kList, " (SUBSCRIBED) \"\" (a \"b c\") RETURN (CHILDREN)") == "a|b c");
  CHECK(Named(K::kXlist, " \"\" {1}\r\n%") == "%");
}

TEST_CASE("Filters and URLs name mailboxes") {
  CHECK(Named(K::kNotify,
              " SET STATUS (selected (MessageNew)) (subtree Lists (MessageNew)) "
              "(mailboxes (a \"b\") (MessageNew))") == "Lists|a|b");
  CHECK(Named(K::kEsearch, " IN (mailboxes a subtree-one (b c)) ALL") == "a|b|c");
  CHECK(Named(K::kUrlfetch, " \"imap://h/a%20b;UIDVALIDITY=3/;UID=1\" /c/;UID=2") == "a b|c");
  CHECK(Named(K::kGenurlauth, " \"imap://h/a/;UID=1;URLAUTH=anonymous\" INTERNAL") == "a|INTERNAL");
  CHECK(Named(K::kAppend, " x (\\Seen) CATENATE (URL \"/a/;UID=1\" url {8}\r\n/b;UID=2)") ==
        "x|a|b");
}

TEST_CASE("What a name is for decides how it is refused") {
  Role role = Role::kUse;
  for (const K kind : {K::kAppend, K::kCopy, K::kMove, K::kReplace}) {
    Named(kind, kind == K::kAppend ? " x {1}\r\n" : " 1 x {1}\r\n", &role);
    CHECK(role == Role::kTarget);
  }
  Named(K::kCreate, " x", &role);
  CHECK(role == Role::kNew);
  Named(K::kRename, " x y", &role);
  CHECK(role == Role::kNew);
  Named(K::kList, " \"\" x", &role);
  CHECK(role == Role::kPattern);
  Named(K::kDelete, " x", &role);
  CHECK(role == Role::kUse);
}

TEST_CASE("Of an unknown command every string may be a mailbox") {
  CHECK(Named(K::kOther, " a (b \"c\")") == "a|b|c");
}

TEST_CASE("URLs behind a literal name mailboxes") {
  std::vector<NamedMailbox> names;
  FindMailboxesBehindLiteral(" URL \"/Sent/;UID=4\")", names);
  REQUIRE(names.size() == 1);
  CHECK(names[0].name == "Sent");
}

}  // namespace
}  // namespace postern::imap
