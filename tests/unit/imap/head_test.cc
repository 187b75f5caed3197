// HeadScanner: which lines every backend reads alike. Arguments: what they say.
#include "postern/imap/head.h"

#include <catch2/catch.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace postern::testing {
namespace {

using imap::Arguments;
using imap::HeadScanner;
using imap::Shape;

Shape ShapeOf(std::string_view line, int depth = 32) {
  return HeadScanner(depth).Scan(line, false);
}

TEST_CASE("Arguments that every backend reads alike") {
  for (const char* line :
       {"", " 1", " 1:* FLAGS", " INBOX (MESSAGES UNSEEN)", " \"a \\\"b\\\\\" x", " () (a)",
        " 1 (BODY.PEEK[HEADER.FIELDS (DATE FROM)]<0.100> FLAGS)", " 1 BODY[HEADER.FIELDS (DATE)]",
        " (SUBSCRIBED) \"\" \"*\" RETURN (CHILDREN)", " OR (FROM \"a\") (TO \"b\")",
        " 1 +FLAGS (\\Deleted $x)", " ((a)(b) ( c ))", " \"{5+}\"", " \"8-bit \xc3\xa4\"", " ~x",
        " a}"}) {
    INFO(line);
    CHECK(ShapeOf(line) == Shape::kGood);
  }
}

TEST_CASE("Arguments that are no command but a line for everybody") {
  for (const char* line :
       {"  1", " 1  2", " \"a", " \"a\\b\"", " (", " )", " (a))", " a(b)", " a\"b\"", " \"a\"b",
        " \"a\"\"b\"", " (a)b", " \xc3\xa4", " a\tb", " \x7f"}) {
    INFO(line);
    CHECK(ShapeOf(line) == Shape::kClumsy);
  }
  CHECK(ShapeOf(" ((a))", 1) == Shape::kClumsy);
  CHECK(ShapeOf(" " + std::string(32, '(') + "a" + std::string(32, ')')) == Shape::kGood);
  CHECK(ShapeOf(" " + std::string(33, '(') + "a" + std::string(33, ')')) == Shape::kClumsy);
}

TEST_CASE("Arguments that leave the end of the command in doubt") {
  for (const char* line :
       {" {}",           " {+}",     " {05}",     " {5-}",    " {0x5+}", " {5} x",
        " {5}x",         " x{5}",    " \"x\"{5}", " ({5}{6}", " {5 {6}", " {1 {1}",
        " {{5}",         " \"x {5}", " )) {5}",   "  x {5}",  " \"x\\",  "x",
        " {4294967296}", " x~{5}",   " ~~{5}",    " {x",      " {x}"}) {
    INFO(line);
    CHECK(ShapeOf(line) == Shape::kDoubt);
  }
}

TEST_CASE("A literal is found with its place") {
  HeadScanner scanner(32);
  CHECK(scanner.Scan(" INBOX (\\Seen) {12+}", false) == Shape::kGood);
  REQUIRE(scanner.literal());
  CHECK(scanner.literal()->size == 12);
  CHECK_FALSE(scanner.literal()->synchronising);
  CHECK(scanner.literal_argument() == 2);
  CHECK_FALSE(scanner.literal_in_list());
  CHECK(scanner.Scan(" (a {3}", true) == Shape::kGood);
  CHECK(scanner.literal_argument() == 3);
  CHECK(scanner.literal_in_list());
  CHECK(scanner.Scan(" ~{3}", true) == Shape::kGood);
  CHECK(scanner.literal()->binary);
  CHECK(scanner.literal_argument() == 3);
  CHECK(scanner.Scan(")", true) == Shape::kGood);
  CHECK_FALSE(scanner.literal());
  CHECK(scanner.arguments() == 4);
}

TEST_CASE("A literal8 at the top counts as one argument") {
  HeadScanner scanner(32);
  CHECK(scanner.Scan(" INBOX ~{12}", false) == Shape::kGood);
  CHECK(scanner.literal_argument() == 1);
  CHECK(scanner.Scan("", true) == Shape::kGood);
  CHECK(scanner.arguments() == 2);
}

TEST_CASE("Behind a literal stands a space, the end of its list, or nothing") {
  const auto behind = [](std::string_view before, std::string_view rest) {
    HeadScanner scanner(32);
    CHECK(scanner.Scan(before, false) == Shape::kGood);
    return scanner.Scan(rest, true);
  };
  CHECK(behind(" {3}", "") == Shape::kGood);
  CHECK(behind(" {3}", " x") == Shape::kGood);
  CHECK(behind(" ({3}", ")") == Shape::kGood);
  CHECK(behind(" ({3}", "") == Shape::kClumsy);
  CHECK(behind(" {3}", "x") == Shape::kDoubt);
  CHECK(behind(" {3}", ")") == Shape::kDoubt);
  CHECK(behind(" {3}", "\"x\"") == Shape::kDoubt);
  CHECK(behind(" {3}", "(x)") == Shape::kDoubt);
  CHECK(behind(" {3}", "{3}") == Shape::kDoubt);
  CHECK(behind(" {3}", "  x") == Shape::kClumsy);
}

std::vector<std::string> Walk(std::string_view head) {
  std::vector<std::string> values;
  Arguments arguments(head);
  for (auto argument = arguments.Next(); argument.kind != Arguments::Kind::kEnd;
       argument = arguments.Next()) {
    const bool mark =
        argument.kind == Arguments::Kind::kOpen || argument.kind == Arguments::Kind::kClose;
    values.push_back(mark ? (argument.kind == Arguments::Kind::kOpen ? "(" : ")")
                          : (argument.quoted ? "q:" : "") + argument.value);
    if (values.size() > 20) break;
  }
  return values;
}

TEST_CASE("Arguments are decoded") {
  using Values = std::vector<std::string>;
  CHECK(Walk("") == Values{});
  CHECK(Walk(" a \"b \\\"\\\\\" (c NIL)  ") == Values{"a", "q:b \"\\", "(", "c", "NIL", ")"});
  CHECK(Walk(" {3}\r\na b {0}\r\n {2}\r\n\r\n\r\n") == Values{"a b", "", "\r\n"});
  // The line end behind the last argument is the end, not an argument without end.
  CHECK(Walk(" a\r\n") == Values{"a"});
  CHECK(Walk("\r\n") == Values{});
}

TEST_CASE("Quoting refuses what a quoted string should not carry") {
  CHECK(imap::Quote("a \"b\\") == "\"a \\\"b\\\\\"");
  CHECK(imap::Quote("") == "\"\"");
  for (const std::string_view text : {std::string_view("\r"), std::string_view("\n"),
                                      std::string_view("\0", 1), std::string_view("\x80")}) {
    CHECK_FALSE(imap::Quote(text));
  }
}

TEST_CASE("Trailing spaces are measured") {
  CHECK(imap::TrimmedLength("") == 0);
  CHECK(imap::TrimmedLength("   ") == 0);
  CHECK(imap::TrimmedLength("a b  ") == 3);
}

}  // namespace
}  // namespace postern::testing
