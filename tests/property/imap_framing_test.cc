// The fast framers and the command reader agree with a slow and obvious one: on every string of up
// to seven critical symbols, in each of several places, and under every split of shorter ones.
#include <catch2/catch.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "engine/head_reader.h"
#include "postern/engine/limits.h"
#include "postern/imap/framer.h"
#include "support/for_every_split.h"
#include "support/naive_framer.h"
#include "support/transcript.h"

namespace postern::testing {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(NDEBUG)
constexpr std::size_t kLongest = 5;
#else
constexpr std::size_t kLongest = 7;
#endif

constexpr std::string_view kSymbols = "a \r\n\"\\{1+}";

// Reads commands as the relay does: framer and head reader.
class FastReader {
 public:
  explicit FastReader(const imap::CommandSet& known) : known_(known) {}

  void Feed(std::string_view bytes) {
    pending_.append(bytes);
    std::size_t taken = 0;
    while (!ended_) {
      const std::string_view rest = std::string_view(pending_).substr(taken);
      const imap::Frame frame = framer_.Next(rest, kMaxHead);
      if (frame.kind == imap::Frame::Kind::kNeedMore) break;
      taken += frame.size;
      consumed_ += frame.size;
      OnFrame(frame, rest.substr(0, frame.size));
    }
    pending_.erase(0, taken);
  }
  const std::vector<NaiveCommand>& commands() const { return commands_; }

 private:
  using Step = HeadReader::Step;

  void OnFrame(const imap::Frame& frame, std::string_view bytes) {
    if (frame.kind == imap::Frame::Kind::kLiteral) {
      if (!reader_.Literal(bytes)) End(NaiveCommand::Kind::kDoubt);
    } else if (frame.kind == imap::Frame::Kind::kLine) {
      OnLine(bytes.substr(0, bytes.size() - 2));
    } else {
      End(NaiveCommand::Kind::kDoubt);
    }
  }
  void OnLine(std::string_view line) {
    const Step step = reader_.gathered() ? reader_.Next(line) : reader_.First(line, known_, {});
    switch (step) {
      case Step::kDone:
        return End(NaiveCommand::Kind::kGood);
      case Step::kClumsy:
        return End(NaiveCommand::Kind::kClumsy);
      case Step::kGather:
        return framer_.OpenLiteral(reader_.mark().size);
      case Step::kStream:
      case Step::kTooBig:
      case Step::kDoubt:
        return End(NaiveCommand::Kind::kDoubt);
    }
  }
  void End(NaiveCommand::Kind kind) {
    ended_ = kind == NaiveCommand::Kind::kDoubt;
    commands_.push_back({kind, ended_ ? 0 : consumed_});
    reader_.Reset();
  }

  imap::CommandSet known_;
  imap::CommandFramer framer_;
  HeadReader reader_{kMaxDepth};
  std::string pending_;
  std::size_t consumed_ = 0;
  bool ended_ = false;
  std::vector<NaiveCommand> commands_;
};

imap::CommandSet ThreeCommands() {
  imap::CommandSet set;
  for (const imap::CommandKind kind :
       {imap::CommandKind::kNoop, imap::CommandKind::kCreate, imap::CommandKind::kSearch}) {
    set.set(static_cast<std::size_t>(kind));
  }
  return set;
}

std::vector<NaiveCommand> FastCommands(std::string_view bytes) {
  static const imap::CommandSet kKnown = ThreeCommands();
  FastReader reader(kKnown);
  reader.Feed(bytes);
  return reader.commands();
}

std::vector<std::size_t> FastResponses(std::string_view bytes) {
  imap::ResponseFramer framer;
  std::vector<std::size_t> ends;
  std::size_t consumed = 0;
  while (consumed < bytes.size()) {
    const imap::Frame frame = framer.Next(bytes.substr(consumed), kResponseHead);
    if (frame.kind == imap::Frame::Kind::kNeedMore) break;
    if (frame.kind == imap::Frame::Kind::kMalformed) {
      ends.push_back(kNaiveMalformed);
      break;
    }
    consumed += frame.size;
    if (framer.at_boundary()) ends.push_back(consumed);
  }
  return ends;
}

// Calls visit with every string of up to longest symbols that begins with one of them.
template <typename Visit>
void EachString(std::string& text, std::size_t longest, const Visit& visit) {
  visit(text);
  if (text.size() == longest) return;
  for (const char symbol : kSymbols) {
    text.push_back(symbol);
    EachString(text, longest, visit);
    text.pop_back();
  }
}

// Of those strings: 1 + 10 + 100 + ...
std::size_t HowMany(std::size_t longest) {
  return longest == 0 ? 0 : 10 * HowMany(longest - 1) + 1;
}

struct Place {
  std::string_view before, behind;
};

std::string FirstCommandDifference(char begin, std::size_t longest, const Place& place) {
  std::string wrong, bytes, text(1, begin);
  std::size_t tried = 0;
  EachString(text, longest, [&](const std::string& middle) {
    ++tried;
    bytes.assign(place.before).append(middle).append(place.behind);
    if (wrong.empty() && FastCommands(bytes) != NaiveCommands(bytes)) wrong = Escaped(bytes);
  });
  CHECK(tried == HowMany(longest));
  return wrong;
}

std::string FirstResponseDifference(char begin, std::size_t longest, const Place& place) {
  std::string wrong, bytes, text(1, begin);
  std::size_t tried = 0;
  EachString(text, longest, [&](const std::string& middle) {
    ++tried;
    bytes.assign(place.before).append(middle).append(place.behind);
    if (wrong.empty() && FastResponses(bytes) != NaiveResponses(bytes)) wrong = Escaped(bytes);
  });
  CHECK(tried == HowMany(longest));
  return wrong;
}

// One symbol less in the further places keeps the whole within a minute.
void AllThatBeginWith(char begin) {
  CHECK(FirstCommandDifference(begin, kLongest, {"a search ", "\r\nb noop\r\n"}) == "");
  CHECK(FirstCommandDifference(begin, kLongest - 1, {"", "\r\nb noop\r\n"}) == "");
  CHECK(FirstCommandDifference(begin, kLongest - 1, {"a noop", "\r\nb noop\r\n"}) == "");
  CHECK(FirstCommandDifference(begin, kLongest - 1, {"a create ", "\r\nb noop\r\n"}) == "");
  CHECK(FirstCommandDifference(begin, kLongest - 1,
                               {"a search (\"x\" {1}\r\n", "\r\nb noop\r\n"}) == "");
  CHECK(FirstCommandDifference(begin, kLongest - 1, {"a search \"", "\"\r\nb noop\r\n"}) == "");
  CHECK(FirstResponseDifference(begin, kLongest, {"* a ", "\r\n* b\r\n"}) == "");
  CHECK(FirstResponseDifference(begin, kLongest - 1, {"", "\r\n* b\r\n"}) == "");
  CHECK(FirstResponseDifference(begin, kLongest - 1, {"* ok ", "\r\n* b\r\n"}) == "");
}

TEST_CASE("Short strings that begin with a letter are framed as by the naive framer") {
  AllThatBeginWith('a');
}
TEST_CASE("Short strings that begin with a space are framed as by the naive framer") {
  AllThatBeginWith(' ');
}
TEST_CASE("Short strings that begin with CR are framed as by the naive framer") {
  AllThatBeginWith('\r');
}
TEST_CASE("Short strings that begin with LF are framed as by the naive framer") {
  AllThatBeginWith('\n');
}
TEST_CASE("Short strings that begin with a quote are framed as by the naive framer") {
  AllThatBeginWith('"');
}
TEST_CASE("Short strings that begin with a backslash are framed as by the naive framer") {
  AllThatBeginWith('\\');
}
TEST_CASE("Short strings that begin with a brace are framed as by the naive framer") {
  AllThatBeginWith('{');
}
TEST_CASE("Short strings that begin with a digit are framed as by the naive framer") {
  AllThatBeginWith('1');
}
TEST_CASE("Short strings that begin with a plus are framed as by the naive framer") {
  AllThatBeginWith('+');
}
TEST_CASE("Short strings that begin with a closing brace are framed as by the naive framer") {
  AllThatBeginWith('}');
}

// Longer ones, put together from pieces that matter, in every split.
std::string RandomBytes(SplitRandom& random, const std::vector<std::string_view>& pieces) {
  std::string bytes;
  for (std::size_t i = 1 + random.Next(12); i > 0; --i) bytes += pieces[random.Next(pieces.size())];
  return bytes;
}

TEST_CASE("Random commands are framed as by the naive framer in every split") {
  const std::vector<std::string_view> pieces = {"a search ",   "b noop",
                                                "c create ",   "x ",
                                                "{3}\r\n",     "{3+}\r\n",
                                                "{0+}\r\n",    "abc",
                                                "\r\n",        "\r\n",
                                                "\r\n",        "(",
                                                ")",           "\"",
                                                "\\",          "{05}\r\n",
                                                "~{3}\r\n",    "d search ",
                                                "\"q\"",       " ",
                                                "{5000+}\r\n", "(a (b) {3}\r\nabc)",
                                                "\x80",        std::string_view("\0", 1),
                                                "]<0.1>"};
  SplitRandom random(7);
  for (int i = 0; i < 400; ++i) {
    const std::string bytes = RandomBytes(random, pieces);
    const std::vector<NaiveCommand> wanted = NaiveCommands(bytes);
    INFO(Escaped(bytes));
    ForEverySplit(bytes, [&](const Split& split) {
      FastReader reader(ThreeCommands());
      for (std::size_t piece = 0; piece < split.size(); ++piece) reader.Feed(split[piece]);
      if (reader.commands() != wanted) FAIL_CHECK(split.text());
    });
  }
}

TEST_CASE("Random responses are framed as by the naive framer in every split") {
  const std::vector<std::string_view> pieces = {"* 1 FETCH ",
                                                "* LIST ",
                                                "* OK ",
                                                "a1 NO ",
                                                "+ ",
                                                "{3}\r\n",
                                                "{0}\r\n",
                                                "abc",
                                                "\r\n",
                                                "\r\n",
                                                "{3+}\r\n",
                                                "{05}\r\n",
                                                "{}\r\n",
                                                " ",
                                                "(",
                                                "\r",
                                                "{4294967296}\r\n",
                                                "\"x{3}\"",
                                                "* ok [x] {3}\r\n",
                                                "{3} \r\n",
                                                "* BYE",
                                                "*"};
  SplitRandom random(8);
  for (int i = 0; i < 400; ++i) {
    const std::string bytes = RandomBytes(random, pieces);
    const std::vector<std::size_t> wanted = NaiveResponses(bytes);
    INFO(Escaped(bytes));
    CHECK(FastResponses(bytes) == wanted);
    ForEverySplit(bytes, [&](const Split& split) {
      imap::ResponseFramer framer;
      std::string pending;
      std::size_t consumed = 0;
      std::vector<std::size_t> ends;
      for (std::size_t piece = 0; piece < split.size(); ++piece) {
        pending.append(split[piece]);
        while (ends.empty() || ends.back() != kNaiveMalformed) {
          const imap::Frame frame = framer.Next(pending, kResponseHead);
          if (frame.kind == imap::Frame::Kind::kNeedMore) break;
          if (frame.kind == imap::Frame::Kind::kMalformed) {
            ends.push_back(kNaiveMalformed);
            break;
          }
          consumed += frame.size;
          pending.erase(0, frame.size);
          if (framer.at_boundary()) ends.push_back(consumed);
        }
      }
      if (ends != wanted) FAIL_CHECK(split.text());
    });
  }
}

}  // namespace
}  // namespace postern::testing
