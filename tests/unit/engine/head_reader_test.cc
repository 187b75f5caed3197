// HeadReader: what a command's head is worth, and what of it a backend gets.
#include "engine/head_reader.h"

#include <catch2/catch.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "postern/engine/limits.h"

namespace postern::testing {
namespace {

using Step = HeadReader::Step;

const imap::CapabilitySet kAll = imap::CapabilitySet::Parse(
    "IMAP4rev1 IDLE METADATA REPLACE CATENATE MULTIAPPEND BINARY UTF8=ACCEPT QUOTA ACL");

Step First(std::string_view line, const imap::CapabilitySet& capabilities = kAll) {
  return HeadReader(kMaxDepth).First(line, imap::RelayableCommands(capabilities),
                                     imap::AppendFormsOf(capabilities));
}

TEST_CASE("First lines of IMAP commands") {
  CHECK(First("a NOOP") == Step::kDone);
  CHECK(First("a NOOP   ") == Step::kDone);
  CHECK(First("a NOOP x") == Step::kClumsy);
  CHECK(First("a XFOO") == Step::kClumsy);
  CHECK(First("a XFOO {5}") == Step::kDoubt);
  CHECK(First("a XFOO {5} ") == Step::kDoubt);
  CHECK(First("a") == Step::kClumsy);
  CHECK(First("a {5+}") == Step::kDoubt);
  CHECK(First("a( NOOP {5+}") == Step::kDoubt);
  CHECK(First("a NOOP {5+}") == Step::kDoubt);
  CHECK(First("a EXPUNGE") == Step::kDone);
  CHECK(First("a EXPUNGE 1") == Step::kClumsy);
  CHECK(First("a UID EXPUNGE") == Step::kClumsy);
  CHECK(First("a UID EXPUNGE 1") == Step::kDone);
}

// DESIGN 2.8: what a pool's backends are trusted with, on a line of which there is one reading.
TEST_CASE("Trusted verbs pass on simple lines only") {
  const std::vector<std::string> trusted{"XFOO", "X.BAR"};
  const auto first = [&](std::string_view line) {
    return HeadReader(kMaxDepth).First(line, imap::RelayableCommands(kAll), {}, trusted);
  };
  using namespace std::string_literals;
  for (const char* line : {"a XFOO", "a xfoo", "a XFOO  ", "a x.bar 1:* (a (b \"c \\\" )\")) \"\"",
                           "a XFOO a b c d e f g h i j"}) {
    INFO(line);
    CHECK(first(line) == Step::kDone);
  }
  for (const char* line : {"a XFO", "a XFOOO", "a UID XFOO", "a XBAZ", "a XFOO (", "a XFOO )",
                           "a XFOO (a", "a XFOO \"a", "a XFOO \"{x\"", "a XFOO \"\xc3\xa9\"",
                           "a XFOO \x80", "a XFOO \"\x01\"", "a XFOO \"\x7f\""}) {
    INFO(line);
    CHECK(first(line) == Step::kClumsy);
  }
  for (const char* line : {"a XFOO {5}", "a XFOO {5+}", "a XFOO ~{5}", "a XFOO {5} ", "a XFOO {x",
                           "a XFOO (a {5})", "a XFOO \"\\"}) {
    INFO(line);
    CHECK(first(line) == Step::kDoubt);
  }
  // A verb that the table knows is the table's.
  CHECK(HeadReader(kMaxDepth).First("a COMPRESS DEFLATE", imap::RelayableCommands(kAll), {},
                                    std::vector<std::string>{"COMPRESS"}) == Step::kClumsy);
}

TEST_CASE("Literals only where the command has them") {
  CHECK(First("a SELECT {5}") == Step::kGather);
  CHECK(First("a SELECT ({5}") == Step::kDoubt);
  CHECK(First("a SELECT INBOX {5}") == Step::kDoubt);
  CHECK(First("a RENAME x {5}") == Step::kGather);
  CHECK(First("a RENAME x y {5}") == Step::kDoubt);
  CHECK(First("a COPY {5}") == Step::kDoubt);
  CHECK(First("a COPY 1 {5}") == Step::kGather);
  CHECK(First("a SEARCH OR (FROM {5}") == Step::kGather);
  CHECK(First("a SEARCH ~{5}") == Step::kDoubt);
  CHECK(First("a SELECT {4096}") == Step::kGather);
  CHECK(First("a SELECT {4097}") == Step::kTooBig);
  CHECK(First("a SETACL {5}") == Step::kGather);
  CHECK(First("a SETACL {5}", imap::CapabilitySet::Parse("IMAP4rev1")) == Step::kDoubt);
}

TEST_CASE("Streamed literals only in the forms a backend advertised") {
  const auto bare = imap::CapabilitySet::Parse("IMAP4rev1 METADATA REPLACE");
  CHECK(First("a APPEND {5}", bare) == Step::kGather);
  CHECK(First("a APPEND ({5}", bare) == Step::kDoubt);
  CHECK(First("a APPEND ({5}") == Step::kDoubt);
  CHECK(First("a APPEND x {5}", bare) == Step::kStream);
  CHECK(First("a APPEND x (\\Seen) \"date\" {5+}", bare) == Step::kStream);
  CHECK(First("a APPEND x ~{5}", bare) == Step::kDoubt);
  CHECK(First("a APPEND x ~{5}") == Step::kStream);
  CHECK(First("a APPEND x UTF8 (~{5}", bare) == Step::kDoubt);
  CHECK(First("a APPEND x UTF8 (~{5}") == Step::kStream);
  CHECK(First("a APPEND x CATENATE (TEXT {5}", bare) == Step::kDoubt);
  CHECK(First("a APPEND x CATENATE (TEXT {5}") == Step::kStream);
  CHECK(First("a REPLACE 1 {5}", bare) == Step::kGather);
  CHECK(First("a REPLACE {5}", bare) == Step::kDoubt);
  CHECK(First("a UID REPLACE 1 x {5}", bare) == Step::kStream);
  CHECK(First("a SETMETADATA x (/private/y {5}", bare) == Step::kStream);
  CHECK(First("a SETMETADATA x {5}", bare) == Step::kDoubt);
}

TEST_CASE("A gathered head is kept as the backend is to get it") {
  HeadReader reader(kMaxDepth);
  const imap::CommandSet known = imap::RelayableCommands(kAll);
  {
    const std::string line = "tag RENAME {3+}";
    REQUIRE(reader.First(line, known, {}) == Step::kGather);
  }
  CHECK(reader.mark().size == 3);
  CHECK(reader.Literal("a"));
  CHECK(reader.Literal("\r\n"));
  REQUIRE(reader.Next(" {1}") == Step::kGather);
  CHECK(reader.Literal("b"));
  REQUIRE(reader.Next("  ") == Step::kDone);
  CHECK(reader.tag() == "tag");
  CHECK(reader.text() == "tag RENAME {3}\r\na\r\n {1}\r\nb\r\n");
  CHECK(reader.arguments() == " {3}\r\na\r\n {1}\r\nb\r\n");
  CHECK(reader.stops() == std::vector<std::size_t>{16, 25});
  CHECK(reader.trimmed() == 3);
  reader.Reset();
  CHECK_FALSE(reader.gathered());
  CHECK(reader.tag().empty());
  CHECK(reader.stops().empty());
}

TEST_CASE("A gathered literal holds no NUL") {
  HeadReader reader(kMaxDepth);
  REQUIRE(reader.First("a CREATE {2}", imap::RelayableCommands(kAll), {}) == Step::kGather);
  CHECK_FALSE(reader.Literal(std::string_view("x\0", 2)));
}

}  // namespace
}  // namespace postern::testing
