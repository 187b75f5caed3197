#include "engine/forward.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "postern/imap/head.h"
#include "support/for_every_split.h"

namespace postern::testing {
namespace {

using imap::Arguments;

ClientFacts Facts(std::string_view address, std::uint16_t port) {
  return {0, false, true, address, port, "192.0.2.1", 993, "mail-0-1"};
}

// Reads an ID command back as a backend does; empty when it is anything but one list of pairs.
std::vector<std::string> ReadBack(const std::string& command) {
  std::vector<std::string> values;
  if (command.rfind("ID ", 0) != 0) return {};
  Arguments walk(std::string_view(command).substr(2));
  if (walk.Next().kind != Arguments::Kind::kOpen) return {};
  for (Arguments::Argument next = walk.Next(); next.kind != Arguments::Kind::kClose;
       next = walk.Next()) {
    if (next.kind != Arguments::Kind::kString || !next.quoted) return {};
    values.push_back(next.value);
  }
  if (walk.Next().kind != Arguments::Kind::kEnd || values.size() % 2 != 0) return {};
  return values;
}

TEST_CASE("The client's address is told to an IMAP backend") {
  CHECK(ImapId(Facts("192.0.2.7", 50143)) ==
        "ID (\"x-originating-ip\" \"192.0.2.7\" \"x-originating-port\" \"50143\" "
        "\"x-connected-ip\" \"192.0.2.1\" \"x-connected-port\" \"993\" "
        "\"x-session-id\" \"mail-0-1\")");
  CHECK(ImapId(Facts("2001:db8::7", 0)) ==
        "ID (\"x-originating-ip\" \"2001:db8::7\" \"x-connected-ip\" \"192.0.2.1\" "
        "\"x-connected-port\" \"993\" \"x-session-id\" \"mail-0-1\")");
  CHECK(ImapId(ClientFacts{}) == "ID NIL");
}

TEST_CASE("The client's address is told to a POP3 backend") {
  CHECK(Pop3Xclient(Facts("192.0.2.7", 50143)) == "XCLIENT ADDR=192.0.2.7 PORT=50143");
  CHECK(Pop3Xclient(Facts("2001:db8::7", 50143)) == "XCLIENT ADDR=2001:db8::7 PORT=50143");
  CHECK(Pop3Xclient(Facts("192.0.2.7", 0)) == "XCLIENT ADDR=192.0.2.7");
  CHECK(Pop3Xclient(Facts("", 50143)).empty());
}

TEST_CASE("No byte of a fact breaks out of its place") {
  CHECK(Pop3Xclient(Facts("192.0.2.7\r\nQUIT", 1)).empty());
  CHECK(Pop3Xclient(Facts("192.0.2.7 TTL=9", 1)).empty());
  CHECK(ImapId(Facts("192.0.2.7\"", 1)).find("x-originating") == std::string::npos);
  ClientFacts facts = Facts("192.0.2.7", 1);
  facts.session = "a\" \"x-forward-y\" \"z\\";
  CHECK(ReadBack(ImapId(facts)).back() == facts.session);

  SplitRandom random(7);
  for (int i = 0; i < 5000; ++i) {
    std::string address, session;
    for (std::size_t n = random.Next(12); n > 0; --n) {
      address.push_back("1:.a\"\\\r\n \0(){\x80"[random.Next(14)]);
      session.push_back(static_cast<char>(random.Next(256)));
    }
    facts.address = address;
    facts.session = session;
    const std::string id = ImapId(facts);
    REQUIRE(id.find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos);
    const std::vector<std::string> values = ReadBack(id);
    REQUIRE(values.size() >= 4);
    REQUIRE(values.size() <= 10);
    REQUIRE(Pop3Xclient(facts).find_first_of(std::string_view("\r\n\0\"", 4)) == std::string::npos);
  }
}

}  // namespace
}  // namespace postern::testing
