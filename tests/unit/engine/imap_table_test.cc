// The tables of SECURITY.md 1.3 and PROTOCOL.md 2, one cell a row, under every split: what Postern
// does with input that real servers read differently. Nothing of what is refused reaches the
// backend.
#include <catch2/catch.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "imap_visit.h"
#include "support/for_every_split.h"

namespace postern::testing {
namespace {

using namespace std::string_literals;

// The content of a literal that is a command to a server which takes no literal there: ten bytes.
const std::string kSmuggled = "b LOGOUT\r\n";

enum class Fate {
  kClosed,   // a tagged BAD where there is a tag, * BYE, the end; nothing is forwarded
  kBad,      // our BAD, nothing is forwarded, the session goes on
  kRelayed,  // forwarded as `forwarded`, behind the backend's `+` where there is a literal
};

struct Cell {
  std::string bytes;
  Fate fate;
  std::string forwarded = {};
};

std::string Nonsync(const std::string& prefix) {
  return "a " + prefix + "{10+}\r\n" + kSmuggled + "\r\n";
}

// Answers each mark with `+` until nothing more comes.
std::string Relay(ImapVisit& visit) {
  std::string all;
  for (std::string sent = visit.ToBackend(); !sent.empty(); sent = visit.ToBackend()) {
    all += sent;
    if (sent.size() > 3 && sent.compare(sent.size() - 3, 3, "}\r\n") == 0) visit.Backend("+\r\n");
  }
  return all;
}

void CheckCell(const Cell& cell, const std::string& capabilities) {
  INFO(Escaped(cell.bytes));
  ForEverySplit(
      cell.bytes,
      [&](const Split& split) {
        INFO(split.text());
        ImapVisit visit;
        visit.LogIn(capabilities);
        std::string forwarded;
        for (std::size_t i = 0; i < split.size(); ++i) {
          visit.Client(split[i]);
          forwarded += Relay(visit);
        }
        CHECK(forwarded == cell.forwarded);
        const std::string answer = visit.host.TakeClient();
        CHECK(visit.host.end.has_value() == (cell.fate == Fate::kClosed));
        if (cell.fate == Fate::kRelayed) return;
        CHECK((answer.rfind("a BAD [CLIENTBUG] ", 0) == 0 || answer.rfind("* B", 0) == 0));
        if (cell.fate == Fate::kBad) return;
        CHECK(visit.host.Ended(CloseReason::kClientProtocol));
        CHECK(answer.find("* BYE ") != answer.npos);
      },
      4);
}

void CheckCells(const std::vector<Cell>& cells,
                const std::string& capabilities = "IMAP4rev1 IDLE NAMESPACE UNSELECT BINARY") {
  for (const Cell& cell : cells) CheckCell(cell, capabilities);
}

TEST_CASE("A literal where the command has none closes") {
  std::vector<Cell> cells;
  for (const char* prefix : {"XFOO ",          "UID XFOO ",
                             "NOOP ",          "CHECK ",
                             "CAPABILITY ",    "NAMESPACE ",
                             "CLOSE ",         "EXPUNGE ",
                             "LOGIN ",         "STARTTLS ",
                             "LOGOUT ",        "IDLE ",
                             "UNSELECT ",      "COMPRESS ",
                             "GETQUOTA ",      "SETACL x ",
                             "NOOP foo ",      "SELECT INBOX ",
                             "SELECT INBOX (", "CREATE x ",
                             "ENABLE ",        "STATUS INBOX (",
                             "COPY ",          "SORT (DATE) UTF-8 SUBJECT ",
                             "MOVE 1 ",        "SETMETADATA INBOX (/private/x "}) {
    cells.push_back({Nonsync(prefix), Fate::kClosed});
  }
  CheckCells(cells);
}

TEST_CASE("A literal where the command has one is content") {
  std::vector<Cell> cells;
  for (const std::string prefix :
       {"SELECT ", "EXAMINE ", "CREATE ", "DELETE ", "SUBSCRIBE ", "RENAME x ", "LIST \"\" ",
        "FETCH 1 ", "STORE 1 FLAGS ", "SEARCH ", "SEARCH SUBJECT ", "COPY 1 ", "UID COPY 1 ",
        "APPEND INBOX ", "APPEND INBOX (\\Seen) ", "APPEND INBOX ~"}) {
    cells.push_back(
        {Nonsync(prefix), Fate::kRelayed, "a " + prefix + "{10}\r\n" + kSmuggled + "\r\n"});
  }
  CheckCells(cells);
}

TEST_CASE("Marks that are none close") {
  std::vector<Cell> cells;
  for (const char* mark :
       {"{}",           "{+}",         "{05+}",  "{00}",   "{10-}",      "{10 }",
        "{ 10}",        "{+10}",       "{0x5+}", "{10+} ", "{10+}x",     "{18446744073709551617+}",
        "{4294967296}", "{99999999+}", "~{10+}", "x{10+}", "\"x\"{10+}", "\"x {10+}",
        "{1 {10+}",     "({1}{10+}",   "{10+"}) {
    cells.push_back({"a CREATE "s + mark + "\r\n" + kSmuggled, Fate::kClosed});
  }
  CheckCells(cells);
}

TEST_CASE("Zero is zero and quotes are quotes") {
  CheckCells({{"a CREATE {0+}\r\n\r\n", Fate::kRelayed, "a CREATE {0}\r\n\r\n"},
              {"a CREATE \"{10+}\"\r\n", Fate::kRelayed, "a CREATE \"{10+}\"\r\n"},
              {"a CREATE \"\xff\xc3\xa4\"\r\n", Fate::kRelayed, "a CREATE \"\xff\xc3\xa4\"\r\n"}});
}

TEST_CASE("Line ends that are none close") {
  CheckCells({{"a NOOP\n", Fate::kClosed},
              {"a NOOP\n" + kSmuggled, Fate::kClosed},
              {"a CREATE {5+}\nhello\r\n", Fate::kClosed},
              {"a CREATE {10+}\r\r\n" + kSmuggled, Fate::kClosed},
              {"a NOOP\r\r\n", Fate::kClosed},
              {"a NOOP\r" + kSmuggled, Fate::kClosed},
              {"a CREATE x\ry\r\n", Fate::kClosed},
              {"a CREATE \"x\\\nb LOGOUT\r\n", Fate::kClosed},
              {"a CREATE \"x\\\r\nb LOGOUT\r\n", Fate::kClosed},
              {"a CREATE \"x\nb LOGOUT\r\n\"\r\n", Fate::kClosed}});
}

TEST_CASE("NUL closes") {
  CheckCells({{"a CREATE x\0y\r\n"s, Fate::kClosed},
              {"a CREATE \"x\0y\"\r\n"s, Fate::kClosed},
              {"\0a NOOP\r\n"s, Fate::kClosed},
              {"a CREATE \"x\0y\" {10+}\r\n"s + kSmuggled, Fate::kClosed},
              {"a CREATE {5+}\r\nIN\0OX\r\n"s, Fate::kClosed}});
}

TEST_CASE("Text glued to a literal closes") {
  CheckCells({{"a CREATE {5+}\r\nhellox\r\n", Fate::kClosed},
              {"a CREATE {5+}\r\nhello\"x\"\r\n", Fate::kClosed},
              {"a CREATE {5+}\r\nhello\nb LOGOUT\r\n", Fate::kClosed},
              {"a CREATE {5+}\r\nhello)\r\n", Fate::kClosed}});
}

TEST_CASE("Clumsiness is a BAD and the session goes on") {
  CheckCells(
      {{"a FROBNICATE foo\r\n", Fate::kBad},
       {"a NOOP surplus\r\n", Fate::kBad},
       {"a  NOOP\r\n", Fate::kBad},
       {"a\r\n", Fate::kBad},
       {"\r\n", Fate::kBad},
       {" NOOP\r\n", Fate::kBad},
       {"+ NOOP\r\n", Fate::kBad},
       {"* NOOP\r\n", Fate::kBad},
       {"a( NOOP\r\n", Fate::kBad},
       {"a%n NOOP\r\n", Fate::kBad},
       {"\xc3\xa4 NOOP\r\n", Fate::kBad},
       {"a CREATE \"xy\r\n", Fate::kBad},
       {"a FETCH 1 (FLAGS\r\n", Fate::kBad},
       {"a FETCH 1 " + std::string(33, '(') + "x" + std::string(33, ')') + "\r\n", Fate::kBad},
       {"a COMPRESS DEFLATE\r\n", Fate::kBad},
       {"a NOOP   \r\n", Fate::kRelayed, "a NOOP\r\n"},
       {"a nOoP\r\n", Fate::kRelayed, "a nOoP\r\n"}});
}

TEST_CASE("A bad tag in front of a literal closes") {
  CheckCells({{"a( NOOP {10+}\r\n" + kSmuggled, Fate::kClosed},
              {"a{1+} {10+}\r\n" + kSmuggled, Fate::kClosed},
              {"a {10+}\r\n" + kSmuggled, Fate::kClosed},
              {"{10+}\r\n" + kSmuggled, Fate::kClosed}});
}

TEST_CASE("A literal8 goes only to a backend that knows it") {
  CheckCells({{"a APPEND x ~{2+}\r\nh\0\r\n"s, Fate::kRelayed, "a APPEND x ~{2}\r\nh\0\r\n"s}},
             "BINARY");
  CheckCells({{"a APPEND x ~{2+}\r\nh\0\r\n"s, Fate::kClosed},
              {"a SEARCH ~{2+}\r\nhi\r\n", Fate::kClosed}},
             "IMAP4rev1 CATENATE");
}

TEST_CASE("Before the login a literal belongs to LOGIN and ID") {
  for (const std::string prefix :
       {"XFOO ", "NOOP ", "CAPABILITY ", "LOGOUT ", "STARTTLS ", "SELECT ", "AUTHENTICATE ",
        "AUTHENTICATE PLAIN ", "LOGIN x y ", "LOGIN ~", "LOGIN x"}) {
    const std::string bytes = Nonsync(prefix);
    INFO(prefix);
    ForEverySplit(
        bytes,
        [&](const Split& split) {
          ImapVisit visit;
          visit.Start();
          visit.host.TakeClient();
          for (std::size_t i = 0; i < split.size(); ++i) visit.Client(split[i]);
          CHECK(visit.host.TakeClient().rfind("a BAD [CLIENTBUG] ", 0) == 0);
          CHECK(visit.host.connects.empty());
          CHECK(visit.host.Ended(CloseReason::kClientProtocol));
        },
        4);
  }
}

}  // namespace
}  // namespace postern::testing
