// Random conversations: each command has one answer, the backend gets what is in order and nothing
// else, and behind doubt nothing is forwarded.
#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "support/for_every_split.h"
#include "support/naive_imap_backend.h"
#include "support/transcript.h"

namespace postern::testing {
namespace {

// What follows the tag, and what of it a backend gets; "" when Postern answers it itself.
struct Said {
  std::string_view bytes, forwarded;
};
constexpr std::array<Said, 18> kSaid = {{
    {" NOOP\r\n", " NOOP\r\n"},
    {" check  \r\n", " check\r\n"},
    {" UID FETCH 1:* (FLAGS BODY.PEEK[HEADER.FIELDS (DATE)])\r\n",
     " UID FETCH 1:* (FLAGS BODY.PEEK[HEADER.FIELDS (DATE)])\r\n"},
    {" SELECT \"a \\\"b\\\\\"\r\n", " SELECT \"a \\\"b\\\\\"\r\n"},
    {" CREATE {5+}\r\nhello\r\n", " CREATE {5}\r\nhello\r\n"},
    {" RENAME {2}\r\nab {0+}\r\n  \r\n", " RENAME {2}\r\nab {0}\r\n\r\n"},
    {" SEARCH OR (FROM {3+}\r\nx\ny) TO {1}\r\nz\r\n",
     " SEARCH OR (FROM {3}\r\nx\ny) TO {1}\r\nz\r\n"},
    {" APPEND INBOX {12+}\r\nz99 LOGOUT\r\n\r\n", " APPEND INBOX {12}\r\nz99 LOGOUT\r\n\r\n"},
    {" APPEND {1+}\r\nx (\\Seen) {3}\r\na\rb {4+}\r\n\r\n\r\n\r\n",
     " APPEND {1}\r\nx (\\Seen) {3}\r\na\rb {4}\r\n\r\n\r\n\r\n"},
    {" APPEND x CATENATE (TEXT {2+}\r\nhi URL \"/y\")\r\n",
     " APPEND x CATENATE (TEXT {2}\r\nhi URL \"/y\")\r\n"},
    {" ID (\"name\" \"x\")\r\n", " ID (\"name\" \"x\")\r\n"},
    {" FROBNICATE\r\n", ""},
    {" NOOP surplus\r\n", ""},
    {" FETCH 1 (FLAGS\r\n", ""},
    {" SELECT  x\r\n", ""},
    {" STARTTLS\r\n", ""},
    {" CREATE {5000}\r\n", ""},
    {" ENABLE X-UNKNOWN\r\n", ""},
}};
constexpr std::array<std::string_view, 6> kDoubt = {
    " NOOP {3+}\r\nabc\r\n",      " XFOO {10+}\r\nz99 LOGOUT\r\n\r\n",
    " CREATE {05+}\r\nhello\r\n", " NOOP\n",
    " CREATE \"x\ry\"\r\n",       " SELECT x{3+}\r\nabc\r\n"};

// How often a line "tag OK", "tag NO" or "tag BAD" is in the client's bytes.
int AnswersTo(const std::string& tag, const std::string& bytes) {
  int count = 0;
  for (const char* status : {" OK", " NO", " BAD"}) {
    const std::string line = "\n" + tag + status;
    for (std::size_t at = bytes.find(line); at != bytes.npos; at = bytes.find(line, at + 1))
      ++count;
  }
  return count;
}

struct Conversation {
  std::string bytes, forwarded;
  std::vector<std::string> tags;
};

Conversation Talk(SplitRandom& random) {
  Conversation talk;
  for (std::size_t i = 0, count = 1 + random.Next(30); i < count; ++i) {
    const Said& said = kSaid[random.Next(kSaid.size())];
    const std::string tag = "t" + std::to_string(i);
    talk.tags.push_back(tag);
    talk.bytes += tag + std::string(said.bytes);
    if (!said.forwarded.empty()) talk.forwarded += tag + std::string(said.forwarded);
  }
  return talk;
}

std::vector<std::size_t> RandomCuts(SplitRandom& random, std::size_t size) {
  std::vector<std::size_t> cuts;
  const std::size_t step = 1 + random.Next(60);
  for (std::size_t at = 1 + random.Next(step); at < size; at += 1 + random.Next(step)) {
    cuts.push_back(at);
  }
  return cuts;
}

class Talker {
 public:
  Talker() : visit_({"IMAP4rev1 ID ENABLE MULTIAPPEND CATENATE UIDPLUS", false, false}) {
    visit_.Client("l LOGIN bob secret\r\n");
    before_ = visit_.to_backend().size();
  }
  void Say(const std::string& bytes, const std::vector<std::size_t>& cuts) {
    const Split split(bytes, cuts);
    for (std::size_t i = 0; i < split.size(); ++i) visit_.Client(split[i]);
  }
  std::string Relayed() const { return visit_.to_backend().substr(before_); }
  NaiveImapVisit& visit() { return visit_; }
  std::string BrokenLaws() {
    visit_.session().Abandoned();
    return BrokenLaw(visit_.session().shard, Protocol::kImap, visit_.session().client_consumed,
                     visit_.to_backend().size());
  }

 private:
  NaiveImapVisit visit_;
  std::size_t before_ = 0;
};

TEST_CASE("Random IMAP conversations reach the backend as they were said") {
  SplitRandom random(21);
  for (int i = 0; i < 1500; ++i) {
    const Conversation talk = Talk(random);
    Talker talker;
    talker.Say(talk.bytes, RandomCuts(random, talk.bytes.size()));
    INFO(Escaped(talk.bytes));
    REQUIRE_FALSE(talker.visit().host().end);
    REQUIRE(talker.Relayed() == talk.forwarded);
    for (const std::string& tag : talk.tags) {
      INFO(tag);
      REQUIRE(AnswersTo(tag, talker.visit().to_client()) == 1);
    }
    REQUIRE(talker.BrokenLaws() == "");
  }
}

TEST_CASE("Behind doubt nothing of an IMAP client is forwarded") {
  SplitRandom random(22);
  for (int i = 0; i < 600; ++i) {
    const Conversation before = Talk(random);
    const Conversation behind = Talk(random);
    const std::string doubt = "d" + std::string(kDoubt[random.Next(kDoubt.size())]);
    const std::string bytes = before.bytes + doubt + behind.bytes;
    Talker talker;
    talker.Say(bytes, RandomCuts(random, bytes.size()));
    INFO(Escaped(bytes));
    REQUIRE(talker.visit().host().Ended(CloseReason::kClientProtocol));
    REQUIRE(talker.Relayed() == before.forwarded);
    REQUIRE(AnswersTo("d", talker.visit().to_client()) == 1);
    REQUIRE(talker.visit().to_client().find("\n* BYE ") != std::string::npos);
    REQUIRE(talker.BrokenLaws() == "");
  }
}

}  // namespace
}  // namespace postern::testing
