// The beginnings of responses, as old and new backends write them.
#include "postern/imap/response.h"

#include <catch2/catch.hpp>

namespace postern::testing {
namespace {

using imap::ParseResponseHead;
using imap::ResponseHead;
using Kind = ResponseHead::Kind;
using Status = ResponseHead::Status;

TEST_CASE("Tagged responses") {
  const ResponseHead head = ParseResponseHead("a1 ok [CAPABILITY IDLE] done [x]");
  CHECK(head.kind == Kind::kTagged);
  CHECK(head.tag == "a1");
  CHECK(head.status == Status::kOk);
  CHECK(head.code == "CAPABILITY IDLE");
  CHECK(head.text == "[CAPABILITY IDLE] done [x]");
  CHECK(ParseResponseHead("a1 NO").status == Status::kNo);
  CHECK(ParseResponseHead("a1 Bad ").status == Status::kBad);
  CHECK(ParseResponseHead("a1 BAD").text.empty());
}

TEST_CASE("Untagged responses") {
  CHECK(ParseResponseHead("* OK").status == Status::kOk);
  CHECK(ParseResponseHead("* bye see you").status == Status::kBye);
  CHECK(ParseResponseHead("* PREAUTH hello").status == Status::kPreauth);
  const ResponseHead data = ParseResponseHead("* CAPABILITY IMAP4rev1 IDLE");
  CHECK(data.kind == Kind::kUntagged);
  CHECK(data.status == Status::kNone);
  CHECK(data.word == "CAPABILITY");
  CHECK(data.text == "IMAP4rev1 IDLE");
  CHECK(ParseResponseHead("* OKAY").status == Status::kNone);
}

TEST_CASE("Continuations with and without text") {
  CHECK(ParseResponseHead("+").kind == Kind::kContinuation);
  CHECK(ParseResponseHead("+ ").text.empty());
  CHECK(ParseResponseHead("+ go").text == "go");
  CHECK(ParseResponseHead("+go").text == "go");
}

TEST_CASE("Lines that are no responses") {
  for (const char* line :
       {"", " OK", "*", "* ", "a1", "a1 FETCH", "a1 BYE", "a1 PREAUTH", "HTTP/1.1 200"}) {
    INFO(line);
    CHECK(ParseResponseHead(line).kind == Kind::kMalformed);
  }
}

TEST_CASE("Response codes") {
  CHECK(ParseResponseHead("* OK [ALERT] x").code == "ALERT");
  CHECK(ParseResponseHead("* OK x [ALERT]").code.empty());
  CHECK(ParseResponseHead("* OK []").code.empty());
  CHECK(ParseResponseHead("* OK [").code.empty());
  CHECK(ParseResponseHead("* OK [ALERT x").code == "ALERT x");
  CHECK(ParseResponseHead("* LIST [ALERT] x").code.empty());
  CHECK(imap::CodeIs("capability IDLE", "CAPABILITY"));
  CHECK(imap::CodeIs("CAPABILITY", "CAPABILITY"));
  CHECK_FALSE(imap::CodeIs("CAPABILITYX", "CAPABILITY"));
  CHECK_FALSE(imap::CodeIs("", "CAPABILITY"));
}

}  // namespace
}  // namespace postern::testing
