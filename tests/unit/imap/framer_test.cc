// Framers: what is a line, what is a literal, and what is the end, under every split.
#include "postern/imap/framer.h"

#include <catch2/catch.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "support/for_every_split.h"

namespace postern::testing {
namespace {

using imap::CommandFramer;
using imap::Frame;
using imap::LineEnd;
using imap::LiteralMark;
using imap::ReadLineEnd;
using imap::ResponseFramer;

using Frames = std::vector<std::string>;

// The frames of an input as text: "L:line", "B:literal" (pieces joined), "!" for malformed.
class Cutter {
 public:
  template <typename Framer>
  void Feed(Framer& framer, std::string_view bytes, std::size_t limit) {
    pending_.append(bytes);
    while (!broken_) {
      const Frame frame = framer.Next(pending_, limit);
      if (frame.kind == Frame::Kind::kNeedMore) return;
      Note(frame, pending_.substr(0, frame.size));
      pending_.erase(0, frame.size);
    }
  }
  Frames frames;

 private:
  void Note(const Frame& frame, const std::string& bytes) {
    switch (frame.kind) {
      case Frame::Kind::kMalformed:
        broken_ = true;
        frames.push_back("!");
        return;
      case Frame::Kind::kLiteral:
        return Join("B:", bytes);
      case Frame::Kind::kLineRest:
        frames.back() += bytes;
        return;
      case Frame::Kind::kLineHead:
      case Frame::Kind::kLine:
        frames.push_back("L:" + bytes);
        return;
      case Frame::Kind::kNeedMore:
        return;
    }
  }
  void Join(const std::string& kind, const std::string& bytes) {
    if (frames.empty() || frames.back().rfind(kind, 0) != 0) frames.push_back(kind);
    frames.back() += bytes;
  }
  std::string pending_;
  bool broken_ = false;
};

void CommandsAre(std::string_view input, const Frames& wanted, std::size_t limit = 64) {
  ForEverySplit(input, [&](const Split& split) {
    INFO(split.text());
    CommandFramer framer;
    Cutter cutter;
    for (std::size_t i = 0; i < split.size(); ++i) cutter.Feed(framer, split[i], limit);
    CHECK(cutter.frames == wanted);
  });
}

void ResponsesAre(std::string_view input, const Frames& wanted, std::size_t limit = 64) {
  ForEverySplit(input, [&](const Split& split) {
    INFO(split.text());
    ResponseFramer framer;
    Cutter cutter;
    for (std::size_t i = 0; i < split.size(); ++i) cutter.Feed(framer, split[i], limit);
    CHECK(cutter.frames == wanted);
  });
}

TEST_CASE("IMAP command lines end in CRLF and nothing else") {
  CommandsAre("a NOOP\r\nb NOOP\r\n", {"L:a NOOP\r\n", "L:b NOOP\r\n"});
  CommandsAre("\r\n", {"L:\r\n"});
  CommandsAre("a NOOP\n", {"!"});
  CommandsAre("\n", {"!"});
  CommandsAre("a NO\rOP\r\n", {"!"});
  CommandsAre("a NOOP\r\r\n", {"!"});
  CommandsAre(std::string_view("a\0 NOOP\r\n", 9), {"!"});
  CommandsAre("a NOOP\r\nb\n", {"L:a NOOP\r\n", "!"});
  CommandsAre("a NOOP\r", {});
}

TEST_CASE("IMAP command lines are as long as the limit and not longer") {
  CommandsAre("123456\r\n", {"L:123456\r\n"}, 8);
  CommandsAre("1234567\r\n", {"!"}, 8);
  CommandsAre("12345678", {"!"}, 8);
  CommandsAre("1234567", {}, 8);
}

TEST_CASE("An open literal covers its bytes whatever they are") {
  const std::string_view input("ab\r\n\0\ncNOOP\r\n", 13);
  ForEverySplit(input, [&](const Split& split) {
    CommandFramer framer;
    framer.OpenLiteral(7);
    Cutter cutter;
    for (std::size_t i = 0; i < split.size(); ++i) cutter.Feed(framer, split[i], 64);
    CHECK(cutter.frames == Frames{"B:" + std::string(input.substr(0, 7)), "L:NOOP\r\n"});
    CHECK(framer.literal_left() == 0);
  });
}

TEST_CASE("The end of a line is plain, a literal, or doubt") {
  const auto end = [](std::string_view line) {
    LiteralMark mark;
    const LineEnd what = ReadLineEnd(line, &mark);
    std::string text = what == LineEnd::kPlain ? "plain" : "doubt";
    if (what == LineEnd::kLiteral) {
      text = std::to_string(mark.size) + (mark.synchronising ? " sync" : " now") +
             (mark.binary ? " binary " : " ") + std::to_string(mark.length);
    }
    return text;
  };
  CHECK(end("") == "plain");
  CHECK(end("   ") == "plain");
  CHECK(end("a {5} b") == "plain");
  CHECK(end("a }") == "plain");
  CHECK(end("a {x}") == "plain");
  CHECK(end("\"{5}\"") == "plain");
  CHECK(end("a {5}") == "5 sync 3");
  CHECK(end("a {5+}") == "5 now 4");
  CHECK(end("a ~{5}") == "5 sync binary 4");
  CHECK(end("a ~{5+}") == "5 now binary 5");
  CHECK(end("{0}") == "0 sync 3");
  CHECK(end("{4294967295}") == "4294967295 sync 12");
  for (const char* line : {"{}", "{+}", "{05}", "{00}", "{5-}", "{-5}", "{+5}", "{5++}", "{5 }",
                           "{ 5}", "{5} ", "{5+}  ", "{} ", "{4294967296}",
                           "{18446744073709551617}", "{99999999999999999999999999999999999999}"}) {
    INFO(line);
    CHECK(end(line) == "doubt");
  }
}

TEST_CASE("IMAP responses are lines and counted literals") {
  ResponsesAre("* 1 EXISTS\r\na OK\r\n", {"L:* 1 EXISTS\r\n", "L:a OK\r\n"});
  ResponsesAre("* 1 FETCH (BODY[] {7}\r\na {9}\r\n X {0}\r\n)\r\n",
               {"L:* 1 FETCH (BODY[] {7}\r\n", "B:a {9}\r\n", "L: X {0}\r\n", "L:)\r\n"});
  ResponsesAre("* LIST () \"/\" {3}\r\na/b\r\n", {"L:* LIST () \"/\" {3}\r\n", "B:a/b", "L:\r\n"});
  ResponsesAre("* 1 X\n", {"!"});
  ResponsesAre(std::string_view("* 1 X\0\r\n", 8), {"!"});
  ResponsesAre("* a\rb\r\n", {"L:* a\rb\r\n"});
}

TEST_CASE("Texts of IMAP responses hold no literals") {
  for (const char* text :
       {"* OK {5}\r\n", "* no [X] {5}\r\n", "* BAD {5}\r\n", "* bye {5}\r\n", "* Preauth {5}\r\n",
        "+ {5}\r\n", "+{5}\r\n", "a1 OK {5}\r\n", "a1 BAD [A {5}] {5}\r\n"}) {
    ResponsesAre(std::string(text) + "* 1 X\r\n", {"L:" + std::string(text), "L:* 1 X\r\n"});
  }
  // A bare CR belongs to the word: this is no OK.
  ResponsesAre("* ok\rx {2}\r\nab\r\n", {"L:* ok\rx {2}\r\n", "B:ab", "L:\r\n"});
  ResponsesAre("* ok\r {2}\r\nab\r\n", {"L:* ok\r {2}\r\n", "B:ab", "L:\r\n"});
  ResponsesAre("* OK\r\n* 1 X\r\n", {"L:* OK\r\n", "L:* 1 X\r\n"});
  // The tag as long as it may be, and its end behind the look at the beginning.
  const std::string tag(64, 't');
  ResponsesAre(tag + " OK {5}\r\n* 1 X\r\n", {"L:" + tag + " OK {5}\r\n", "L:* 1 X\r\n"}, 1024);
}

TEST_CASE("Marks of a backend that clients read differently are the end") {
  ResponsesAre("* X {}\r\n* X {x5}\r\n* X {5} \r\n",
               {"L:* X {}\r\n", "L:* X {x5}\r\n", "L:* X {5} \r\n"});
  for (const char* mark : {"{05}", "{5+}", "{5-}", "{4294967296}", "{18446744073709551615}"}) {
    ResponsesAre("* X " + std::string(mark) + "\r\n* 1 X\r\n", {"!"});
  }
  ResponsesAre("* X {" + std::string(70, '5') + "}\r\n* 1 X\r\n", {"!"}, 100);
  ResponsesAre("* X {5x}\r\n", {"L:* X {5x}\r\n"});
}

TEST_CASE("Long IMAP response lines come in parts of the same line") {
  const std::string line = "* SEARCH " + std::string(300, '1') + " {4}\r\n";
  ResponsesAre(line + "abcd\r\na OK\r\n", {"L:" + line, "B:abcd", "L:\r\n", "L:a OK\r\n"}, 20);
  // Long by its own length, however it arrives.
  ResponseFramer framer;
  CHECK(framer.Next(line, 20).kind == Frame::Kind::kLineHead);
  CHECK_FALSE(framer.at_boundary());
}

}  // namespace
}  // namespace postern::testing
