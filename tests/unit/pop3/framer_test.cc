#include "postern/pop3/framer.h"

#include <catch2/catch.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "support/for_every_split.h"
#include "support/naive_pop3.h"

namespace postern::pop3 {
namespace {

using namespace std::string_literals;
using testing::ForEverySplit;
using testing::Split;
using Kind = Frame::Kind;

// What a framer made of an input, however the input was cut.
struct Outcome {
  std::vector<std::string> lines;
  std::string body;            // all pieces of all bodies
  int bodies = 0;              // ended ones
  Kind end = Kind::kNeedMore;  // kNeedMore, kTooLong or kMalformed
  std::size_t left = 0;
  bool operator==(const Outcome&) const = default;
};

// Feeds pieces as an engine would: what is not consumed comes again with more behind it.
template <typename Framer, typename OnLine>
Outcome Feed(Framer& framer, const Split& split, std::size_t max_line, OnLine&& on_line) {
  Outcome outcome;
  std::string pending;
  for (std::size_t i = 0; i < split.size() && outcome.end == Kind::kNeedMore; ++i) {
    pending.append(split[i]);
    while (true) {
      const Frame frame = framer.Next(pending, max_line);
      if (frame.kind == Kind::kNeedMore) break;
      if (frame.kind == Kind::kTooLong || frame.kind == Kind::kMalformed) {
        CHECK(frame.size == 0);
        outcome.end = frame.kind;
        break;
      }
      REQUIRE(frame.size > 0);
      REQUIRE(frame.size <= pending.size());
      if (frame.kind == Kind::kLine) {
        outcome.lines.emplace_back(LineText(pending, frame));
        on_line(outcome.lines.back());
      } else {
        outcome.body.append(pending, 0, frame.size);
        if (frame.kind == Kind::kBodyEnd) ++outcome.bodies;
      }
      pending.erase(0, frame.size);
    }
  }
  outcome.left = outcome.end == Kind::kNeedMore ? pending.size() : 0;
  return outcome;
}

Outcome FeedCommands(const Split& split, std::size_t max_line = 255) {
  CommandFramer framer;
  return Feed(framer, split, max_line, [](const std::string&) {});
}

// A status line that begins with '+' has a body here.
Outcome FeedReplies(const Split& split, std::size_t max_line = 512) {
  ReplyFramer framer;
  return Feed(framer, split, max_line, [&framer](const std::string& line) {
    if (!line.empty() && line[0] == '+') framer.BeginBody();
  });
}

TEST_CASE("Command lines end in CRLF however they are cut") {
  ForEverySplit("STAT\r\n\r\nRETR 1\r\nQU", [](const Split& split) {
    INFO(split.text());
    const Outcome outcome = FeedCommands(split);
    CHECK(outcome.lines == std::vector<std::string>{"STAT", "", "RETR 1"});
    CHECK(outcome.end == Kind::kNeedMore);
    CHECK(outcome.left == 2);
  });
}

TEST_CASE("Command lines with a bare CR a bare LF or a NUL are malformed") {
  for (const std::string& evil : {"NOOP\n"s, "NOOP\rSTAT\r\n"s, "NO\0OP\r\n"s, "\n"s, "\r\r\n"s,
                                  "NOOP\r\r\n"s, "\0"s, "DELE 1\n\r\n"s}) {
    ForEverySplit("STAT\r\n" + evil, [](const Split& split) {
      INFO(split.text());
      const Outcome outcome = FeedCommands(split);
      CHECK(outcome.lines == std::vector<std::string>{"STAT"});
      CHECK(outcome.end == Kind::kMalformed);
    });
  }
}

TEST_CASE("The limit of a command line counts its CRLF and holds to the byte") {
  const std::string longest(253, 'x');
  ForEverySplit(longest + "\r\n", [&](const Split& split) {
    CHECK(FeedCommands(split).lines == std::vector<std::string>{longest});
  });
  ForEverySplit(longest + "x\r\n", [](const Split& split) {
    INFO(split.text());
    const Outcome outcome = FeedCommands(split);
    CHECK(outcome.lines.empty());
    CHECK(outcome.end == Kind::kTooLong);
  });
}

TEST_CASE("A status line may hold a bare CR but no bare LF and no NUL") {
  ForEverySplit("-ERR a\rb\r\n", [](const Split& split) {
    CHECK(FeedReplies(split).lines == std::vector<std::string>{"-ERR a\rb"});
  });
  for (const std::string& evil : {"-ERR\n"s, "-E\0RR\r\n"s}) {
    ForEverySplit(evil,
                  [](const Split& split) { CHECK(FeedReplies(split).end == Kind::kMalformed); });
  }
}

TEST_CASE("A body ends at CRLF dot CRLF and at nothing that resembles it") {
  const std::vector<std::string> bodies = {
      ".\r\n",
      "\r\n.\r\n",
      "text\r\n.\r\n",
      "..\r\n.\r\n",
      "a\n.\nb\r\n.\r\n",
      "a\r.\rb\r\n.\r\n",
      "a\r\n.\rb\r\n.\r\n",
      "a\n.\r\nb\r\n.\r\n",
      "a\r\n.\nb\r\n.\r\n",
      ".\r.\r\n\r\n.\r\n",
      "\r\r\n.\r\n",
      "a\r\n.\r\r\n.\r\n",
      "a\r\n. \r\n.\r\n",
      "\0\n.\r\n\0\r\n.\r\n"s,
      "a.b.c.\r\n.x\r\n...\r\n.\r\n",
      ".\r\r\n.\r\n",
      "\n.\r\n.\r\n",
  };
  for (const std::string& body : bodies) {
    REQUIRE(testing::NaiveBodySize(body) == body.size());
    ForEverySplit("+OK\r\n" + body + "-ERR next\r\n", [&](const Split& split) {
      INFO(split.text());
      const Outcome outcome = FeedReplies(split);
      CHECK(outcome.body == body);
      CHECK(outcome.bodies == 1);
      CHECK(outcome.lines == std::vector<std::string>{"+OK", "-ERR next"});
    });
  }
}

TEST_CASE("A body is given in one run as long as the input") {
  std::string body;
  for (int i = 0; i < 1000; ++i) body += "..a line with dots... and a lot of them.\r\n";
  ReplyFramer framer;
  framer.BeginBody();
  const Frame piece = framer.Next(body, 512);
  CHECK(piece.kind == Kind::kBody);
  CHECK(piece.size == body.size());
  const Frame end = framer.Next(".\r\n+OK\r\n", 512);
  CHECK(end.kind == Kind::kBodyEnd);
  CHECK(end.size == 3);
  CHECK_FALSE(framer.in_body());
}

// All strings of a length over the symbols, one after another.
template <typename Test>
void ForEveryString(std::string_view symbols, std::size_t length, Test&& test) {
  std::vector<std::size_t> digits(length, 0);
  std::string text(length, symbols[0]);
  while (true) {
    test(text);
    std::size_t place = 0;
    while (place < length && ++digits[place] == symbols.size()) digits[place++] = 0;
    if (place == length) return;
    for (std::size_t i = 0; i <= place; ++i) text[i] = symbols[digits[i]];
  }
}

TEST_CASE("The fast body framer agrees with the naive one on all short inputs") {
  for (std::size_t length = 1; length <= 8; ++length) {
    ForEveryString("\r\n.x", length, [](const std::string& text) {
      const std::size_t expected = testing::NaiveBodySize(text);
      for (std::size_t cut = 0; cut < text.size(); ++cut) {
        ReplyFramer framer;
        framer.BeginBody();
        std::size_t end = std::string::npos;
        std::size_t at = 0;
        for (const std::string& piece : {text.substr(0, cut), text.substr(cut)}) {
          const Frame frame = framer.Next(piece, 512);
          if (frame.kind == Kind::kBodyEnd) {
            end = at + frame.size;
            break;
          }
          at += piece.size();
        }
        if (end != expected) FAIL(text << " cut at " << cut);
      }
    });
  }
}

TEST_CASE("The fast body framer agrees with the naive one on long inputs") {
  const std::vector<std::string> pieces = {"\r\n",   ".",       "\r",      "\n",  "\r\n.",
                                           "\r\n..", "\n.\r\n", "\r\n.\r", "text"};
  for (std::uint64_t seed = 0; seed < 600; ++seed) {
    testing::SplitRandom random(seed);
    const std::size_t rare = 1 + random.Next(100);  // one piece in so many is not plain text
    std::string text;
    while (text.size() < 4000) {
      text += random.Next(rare) == 0 ? pieces[random.Next(pieces.size())]
                                     : std::string(1 + random.Next(90), 'x');
    }
    text.insert(random.Next(text.size()), "\r\n.\r\n");
    text.insert(random.Next(text.size()), "\r\n.\r\n");
    const std::size_t cut = random.Next(text.size());
    ReplyFramer framer;
    framer.BeginBody();
    Frame frame = framer.Next(std::string_view(text).substr(0, cut), 512);
    std::size_t end = frame.size;
    if (frame.kind != Kind::kBodyEnd) {
      frame = framer.Next(std::string_view(text).substr(cut), 512);
      end = cut + frame.size;
    }
    REQUIRE(frame.kind == Kind::kBodyEnd);
    REQUIRE(end == testing::NaiveBodySize(text));
  }
}

TEST_CASE("The fast line framer agrees with the naive one on all short inputs") {
  for (std::size_t length = 1; length <= 7; ++length) {
    ForEveryString("\r\n\0x"s, length, [](const std::string& text) {
      const testing::NaiveLines naive = testing::NaiveCommandLines(text, 5);
      for (const bool every_byte : {false, true}) {
        const Split split(
            text, every_byte ? testing::EveryByte(text.size()) : std::vector<std::size_t>{});
        const Outcome fast = FeedCommands(split, 5);
        const std::vector<std::string> lines(naive.lines.begin(), naive.lines.end());
        if (fast.lines != lines || (fast.end != Kind::kNeedMore) != naive.refused) FAIL(text);
      }
    });
  }
}

}  // namespace
}  // namespace postern::pop3
