// The readings of mailbox names, and the mailboxes of URLs.
#include "postern/imap/mailbox.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace postern::testing {
namespace {

std::vector<std::string> Readings(std::string_view name) {
  std::vector<std::string> out = {"left", "over", "from", "before"};
  const std::size_t count = imap::MailboxReadings(name, out);
  REQUIRE(count >= 1);
  REQUIRE(count <= out.size());
  out.resize(count);
  return out;
}

using Names = std::vector<std::string>;

TEST_CASE("A plain name has one reading") {
  CHECK(Readings("Archive") == Names{"Archive"});
  CHECK(Readings("a/b.c\\d") == Names{"a/b.c\\d"});
  CHECK(Readings("") == Names{""});
  CHECK(Readings("INBOX") == Names{"INBOX"});
  CHECK(Readings("\xc3\xa4") == Names{"\xc3\xa4"});
}

TEST_CASE("Modified UTF-7 is read as UTF-8 too") {
  CHECK(Readings("Entw&APw-rfe") == Names{"Entw&APw-rfe", "Entw\xc3\xbcrfe"});
  CHECK(Readings("R&-D") == Names{"R&-D", "R&D"});
  CHECK(Readings("&ZeVnLIqe-") == Names{"&ZeVnLIqe-", "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e"});
  CHECK(Readings("&2D3cqQ-x") == Names{"&2D3cqQ-x", "\xf0\x9f\x92\xa9x"});
}

TEST_CASE("Forms that no server should take are read as servers take them") {
  CHECK(Readings("&AFM-ecret") == Names{"&AFM-ecret", "Secret"});
  CHECK(Readings("&AFMAZQBj-ret") == Names{"&AFMAZQBj-ret", "Secret"});
  CHECK(Readings("&AFM-&AGU-cret") == Names{"&AFM-&AGU-cret", "Secret"});
  CHECK(Readings("Secre&AHQ") == Names{"Secre&AHQ", "Secret"});
  CHECK(Readings("&AFP-ecret") == Names{"&AFP-ecret", "Secret"});
  CHECK(Readings("\xc3\xa4&AOQ-") == Names{"\xc3\xa4&AOQ-", "\xc3\xa4\xc3\xa4"});
}

TEST_CASE("What cannot be decoded stays as it is, the rest of the name does not") {
  CHECK(Readings("R&D") == Names{"R&D"});
  CHECK(Readings("a&") == Names{"a&"});
  CHECK(Readings("a&!-b") == Names{"a&!-b"});
  CHECK(Readings("&2D0-") == Names{"&2D0-"});
  CHECK(Readings("&3Kk-") == Names{"&3Kk-"});
  CHECK(Readings("&3KnYPQ-") == Names{"&3KnYPQ-"});
  CHECK(Readings("&AFM-ecret/x&") == Names{"&AFM-ecret/x&", "Secret/x&"});
}

TEST_CASE("A name is cut at a NUL that was encoded") {
  CHECK(Readings("Secret&AAA-x") == Names{"Secret&AAA-x", std::string("Secret\0x", 8), "Secret"});
}

TEST_CASE("INBOX in any case, alone and before a separator") {
  CHECK(Readings("inbox") == Names{"inbox", "INBOX"});
  CHECK(Readings("Inbox/a") == Names{"Inbox/a", "INBOX/a"});
  CHECK(Readings("inBox.a") == Names{"inBox.a", "INBOX.a"});
  CHECK(Readings("inbox\\a") == Names{"inbox\\a", "INBOX\\a"});
  CHECK(Readings("inboxes") == Names{"inboxes"});
  CHECK(Readings("a/inbox") == Names{"a/inbox"});
  CHECK(Readings("&AGk-nbox") == Names{"&AGk-nbox", "inbox", "INBOX"});
}

TEST_CASE("Separators to spare") {
  CHECK(Readings("Secret/") == Names{"Secret/", "Secret"});
  CHECK(Readings("Secret./") == Names{"Secret./", "Secret"});
  CHECK(Readings("/a//b..c\\\\d") == Names{"/a//b..c\\\\d", "a/b.c\\d"});
  CHECK(Readings("inbox//a/") == Names{"inbox//a/", "inbox/a", "INBOX//a/", "INBOX/a"});
  CHECK(Readings("/") == Names{"/"});
  CHECK(Readings("Secret&AC8-") == Names{"Secret&AC8-", "Secret/", "Secret"});
}

TEST_CASE("The strings given are used again") {
  std::vector<std::string> out;
  imap::MailboxReadings("&AFM-ecret name that is long enough to be on the heap/", out);
  const std::size_t size = out.size();
  const char* first = out[0].data();
  CHECK(imap::MailboxReadings("short", out) == 1);
  CHECK(out.size() == size);
  CHECK(out[0] == "short");
  CHECK(out[0].data() == first);
}

TEST_CASE("The mailbox of an absolute URL") {
  using imap::DecodeUrlMailbox;
  CHECK(DecodeUrlMailbox("imap://bob@mail.example/Secret;UIDVALIDITY=3/;UID=20") == "Secret");
  CHECK(DecodeUrlMailbox("IMAPS://bob;AUTH=*@h:143/a/b/;uid=20/;section=1.2;urlauth=anonymous") ==
        "a/b");
  CHECK(DecodeUrlMailbox("imap://h/%53ecret%2Fx") == "Secret/x");
  CHECK(DecodeUrlMailbox("imap://h/Entw%C3%BCrfe?SUBJECT%20x") == "Entw\xc3\xbcrfe");
  CHECK(DecodeUrlMailbox("imap://h/a%zz%5") == "a%zz%5");
  CHECK(DecodeUrlMailbox("imap://h/a/../Secret/./x;UID=1") == "Secret/x");
  CHECK(DecodeUrlMailbox("//h/Secret") == "Secret");
  CHECK_FALSE(DecodeUrlMailbox("imap://h"));
  CHECK_FALSE(DecodeUrlMailbox("imap://h/"));
  CHECK_FALSE(DecodeUrlMailbox("imap://h/;UID=1"));
}

TEST_CASE("The mailbox of a relative URL") {
  using imap::DecodeUrlMailbox;
  CHECK(DecodeUrlMailbox("/Secret;UIDVALIDITY=385759045/;UID=20") == "Secret");
  CHECK(DecodeUrlMailbox("/Secret/x/;UID=20/;SECTION=1") == "Secret/x");
  CHECK(DecodeUrlMailbox("Secret;UID=20") == "Secret");
  CHECK(DecodeUrlMailbox("/a;b=imap://h/c") == "a");
  CHECK_FALSE(DecodeUrlMailbox(";UID=20"));
  CHECK_FALSE(DecodeUrlMailbox(""));
  CHECK_FALSE(DecodeUrlMailbox("/.."));
}

}  // namespace
}  // namespace postern::testing
