// Hiding: random answers of a backend with names, hidden or not, in every position a name can have
// and in every spelling. The client sees exactly those that name nothing hidden, as they came and
// in their order; of the others it sees no name.
#include <catch2/catch.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "postern/base/text.h"
#include "support/hide_talk.h"

namespace postern::testing {
namespace {

// One answer; hidden names are all spelled with the letters ECRET in their row, in any case.
struct Answer {
  std::string bytes;
  bool hidden = false;
  bool rewritten = false;  // it goes on without the hidden name, not as a whole
};

class Maker {
 public:
  explicit Maker(SplitRandom& random) : random_(random) {}

  Answer Make() {
    Answer answer;
    hidden_ = false;
    switch (random_.Next(12)) {
      case 0:
      case 1:
        answer.bytes = "* " + One({"LIST", "LSUB", "XLIST", "list"}) + " (\\HasNoChildren) " +
                       One({"\"/\"", "NIL", "\".\""}) + " " + Name();
        break;
      case 2:
        answer.bytes = "* STATUS " + Name() + " (MESSAGES 3 UNSEEN 1)";
        break;
      case 3:
        answer.bytes = "* METADATA " + Name() + " (/shared/comment {6}\r\n\r\n\"x()";
        answer.bytes += ")";
        break;
      case 4:
        answer.bytes = "* " + One({"ACL ", "MYRIGHTS ", "LISTRIGHTS "}) + Name() + " bob lrs";
        break;
      case 5:
        answer.bytes = "* QUOTAROOT " + Name() + " \"\" " + Name();
        break;
      case 6:
        answer.bytes =
            "* ESEARCH (TAG \"MAILBOX\" MAILBOX " + Name() + " UIDVALIDITY 9) UID ALL 1:3";
        break;
      case 7:
        answer.bytes =
            "* LIST () \"/\" Open (\"OLDNAME\" (" + Name() + ") \"CHILDINFO\" (\"SUBSCRIBED\"))";
        answer.rewritten = hidden_;
        break;
      case 8:
        answer.bytes =
            "* NAMESPACE ((\"\" \"/\")(" + Name() + " \"/\")) NIL ((" + Name() + " NIL))";
        answer.rewritten = hidden_;
        break;
      case 9:
        answer.bytes = "* URLFETCH " + Url() + " {4}\r\n)\r\n( " + Url() + " NIL";
        break;
      case 10:
        answer.bytes = "* X-NEW (a (b " + Name() + "))";
        break;
      default:
        answer.bytes = One({"* 3 EXISTS", "* 1 FETCH (BODY[] {6}\r\n\r\n* OK )", "* SEARCH 1 2 3",
                            "* FLAGS (\\Seen)", "* ENABLED", "* OK hello", "* ESEARCH COUNT 5"});
    }
    answer.bytes += "\r\n";
    answer.hidden = hidden_;
    return answer;
  }

 private:
  std::string One(const std::vector<std::string>& of) { return of[random_.Next(of.size())]; }

  std::string Plain() {
    const bool hidden = random_.Next(3) == 0;
    hidden_ = hidden_ || hidden;
    if (!hidden) return One({"Open", "INBOX", "Open/Box", "Entw&APw-rfe", "a b", "x\"y\\z"});
    return One({"Secret", "Secret/below", "Secret.x", "&AFM-ecret", "Secret/", "My Secret",
                "S&AGU-cret/x", "Top/secretsecret", "Secret//a"});
  }
  std::string Name() {
    const std::string name = Plain();
    const bool atom = name.find_first_of(" \"\\") == name.npos;
    const std::size_t how = random_.Next(3);
    if (how == 0 && atom) return name;
    if (how == 1) return "{" + std::to_string(name.size()) + "}\r\n" + name;
    std::string quoted = "\"";
    for (const char c : name) {
      if (c == '"' || c == '\\') quoted.push_back('\\');
      quoted.push_back(c);
    }
    return quoted + "\"";
  }
  std::string Url() {
    const bool hidden = random_.Next(3) == 0;
    hidden_ = hidden_ || hidden;
    const std::string url = hidden ? One({"imap://h/Secret;UIDVALIDITY=1/;UID=2",
                                          "/%53ecret/;UID=2", "imap://b@h/My%20Secret;UID=2"})
                                   : One({"imap://h/Open/;UID=1", "/INBOX;UID=2"});
    return One({url, "\"" + url + "\"", "{" + std::to_string(url.size()) + "}\r\n" + url});
  }

  SplitRandom& random_;
  bool hidden_ = false;
};

std::string ShownOf(const std::vector<Answer>& answers, std::string& got) {
  for (const Answer& answer : answers) {
    if (!answer.hidden) {
      if (!got.starts_with(answer.bytes)) return "changed or lost: " + Escaped(answer.bytes);
      got.erase(0, answer.bytes.size());
    } else if (answer.rewritten) {
      // To the CRLF that no literal has within: of those that are rewritten none is left over.
      std::size_t end = got.find("\r\n");
      while (end != got.npos && end > 0 && got[end - 1] == '}') {
        const std::size_t open = got.rfind('{', end);
        end = got.find("\r\n", end + 2 + std::stoul(got.substr(open + 1)));
      }
      if (end == got.npos) return "lost: " + Escaped(answer.bytes);
      got.erase(0, end + 2);
    }
  }
  return got.empty() ? "" : "left: " + Escaped(got);
}

TEST_CASE("No answer with a hidden name anywhere shows it") {
  const std::vector<Rule> rules = HideRules({"Secret", "My Secret", "Top/(secret)+"});
  for (std::uint64_t seed = 1; seed <= 1500; ++seed) {
    SplitRandom random(seed);
    Maker maker(random);
    std::vector<Answer> answers;
    std::string bytes;
    for (std::size_t i = 1 + random.Next(6); i > 0; --i) {
      answers.push_back(maker.Make());
      bytes += answers.back().bytes;
    }
    ImapVisit visit;
    visit.LogIn();
    visit.host.UseRules(rules);
    for (std::size_t at = 0; at < bytes.size();) {
      const std::size_t size = 1 + random.Next(seed % 2 == 0 ? 4 : 60);
      visit.Backend(std::string_view(bytes).substr(at, size));
      at += size;
    }
    INFO("seed " << seed << ": " << Escaped(bytes));
    REQUIRE_FALSE(visit.host.end);
    std::string got = visit.host.TakeClient();
    INFO("client gets " << Escaped(got));
    const std::string upper = ToUpper(got);
    REQUIRE(upper.find("ECRET") == upper.npos);
    REQUIRE(upper.find("&AGU-CRET") == upper.npos);
    REQUIRE(ShownOf(answers, got) == "");
  }
}

}  // namespace
}  // namespace postern::testing
