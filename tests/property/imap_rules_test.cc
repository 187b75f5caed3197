// Pipelined commands under rules, at any pace: what rules refuse never reaches the backend, all
// else does in its order and as it is, and every command has one answer.
#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <vector>

#include "support/fake_host.h"
#include "support/naive_imap_backend.h"
#include "support/rule_words.h"
#include "support/transcript.h"

namespace postern::testing {
namespace {

struct Said {
  std::string bytes;      // of the client
  std::string forwarded;  // as the backend reads it; "" when it is refused
  std::string answer;     // how the answer begins
};

class Talk {
 public:
  explicit Talk(unsigned seed) : random_(seed) {
    session_.host.UseRules({RuleInWords("deny command=CREATE text=no"),
                            RuleInWords("deny command=APPEND command=SELECT mailbox=no.* text=no"),
                            RuleInWords("delay command=SEARCH command=APPEND delay=1")});
    session_.Start();
    session_.Client("l LOGIN bob secret\r\n");
    session_.BackendConnected();
    session_.Backend("* OK hello\r\npostern1 OK [CAPABILITY IMAP4rev1 MULTIAPPEND] in\r\n");
    REQUIRE(session_.host.logged_in);
    sent_ = session_.host.TakeBackend().size();
    session_.host.TakeClient();
    for (int i = 0; i < 12; ++i) Say("t" + std::to_string(i));
  }

  void Run() {
    for (int idle = 0; idle < 50 && !session_.host.end;) {
      idle = Step() ? 0 : idle + 1;
    }
    CHECK_FALSE(session_.host.end);
    CHECK(queue_.empty());
    const std::string client = session_.host.TakeClient();
    std::size_t forwarded = 0;
    for (std::size_t i = 0; i < said_.size(); ++i) {
      const std::string answer = "\r\n" + said_[i].answer;
      INFO(Escaped(said_[i].bytes) << " answered in " << Escaped(client));
      const std::size_t found = ("\r\n" + client).find(answer);
      CHECK(found != std::string::npos);
      CHECK(("\r\n" + client).find("\r\nt" + std::to_string(i) + " ", found + 3) ==
            std::string::npos);
      if (said_[i].forwarded.empty()) continue;
      REQUIRE(forwarded < seen_.size());
      CHECK(seen_[forwarded++] == said_[i].forwarded);
    }
    CHECK(forwarded == seen_.size());
    session_.Abandoned();
    CHECK(BrokenLaw(session_.shard, Protocol::kImap, session_.client_consumed, sent_) == "");
  }

 private:
  unsigned Any(unsigned below) { return static_cast<unsigned>(random_() % below); }

  void Say(const std::string& tag) {
    const std::string box = Any(2) == 0 ? "no" : "yes";
    const std::string size = std::to_string(box.size());
    const std::string in[] = {box, "\"" + box + "\"", "{" + size + "+}\r\n" + box};
    const std::string out[] = {box, "\"" + box + "\"", "{" + size + "}\r\n" + box};
    const unsigned form = Any(3);
    const bool denied = box == "no";
    const std::string ok = tag + " OK ";
    const std::string no = tag + " NO [NOPERM] no\r\n";
    switch (Any(5)) {
      case 0:
        Add(tag + " NOOP\r\n", tag + " NOOP\r\n", ok);
        break;
      case 1:
        Add(tag + " CREATE " + in[form] + "\r\n", "", no);
        break;
      case 2:
        Add(tag + " SEARCH SUBJECT " + in[form] + " \r\n",
            tag + " SEARCH SUBJECT " + out[form] + "\r\n", ok);
        break;
      case 3:
        Add(tag + " SELECT " + in[form] + "\r\n",
            denied ? tag + " EXAMINE \"\"\r\n" : tag + " SELECT " + out[form] + "\r\n",
            denied ? no : ok);
        break;
      default:
        Add(tag + " APPEND " + in[form] + " {8+}\r\nx NOOP\r\n {0+}\r\n\r\n",
            denied ? "" : tag + " APPEND " + out[form] + " {8}\r\nx NOOP\r\n {0}\r\n\r\n",
            denied ? no : ok);
    }
  }
  void Add(const std::string& bytes, const std::string& forwarded, const std::string& answer) {
    said_.push_back({bytes, forwarded, answer});
    queue_ += bytes;
  }

  bool Step() {
    const std::string fresh = session_.host.TakeBackend();
    sent_ += fresh.size();
    reader_.Feed(fresh);
    switch (Any(4)) {
      case 0: {
        if (session_.host.pauses.size() == pauses_over_) return false;
        ++pauses_over_;
        session_.PauseOver();
        return true;
      }
      case 1:
        return Answer();
      default: {
        const std::string part = queue_.substr(0, Any(20));
        queue_.erase(0, part.size());
        session_.Client(part);
        return !part.empty();
      }
    }
  }
  bool Answer() {
    const CommandReader::Event event = reader_.Next();
    if (event == CommandReader::Event::kNone) return false;
    if (event == CommandReader::Event::kMark) {
      session_.Backend("+ go\r\n");
      return true;
    }
    const SeenCommand& command = reader_.current();
    seen_.push_back(command.text);
    const bool nothing = command.text.find("EXAMINE \"\"") != std::string::npos;
    session_.Backend("* 1 FETCH (BODY[] {10}\r\nz1 OK no\r");
    session_.Backend("\n)\r\n" + command.Tag() + (nothing ? " NO not that\r\n" : " OK done\r\n"));
    return true;
  }

  std::mt19937 random_;
  FakeSession<ImapEngine> session_;
  CommandReader reader_;
  std::vector<Said> said_;
  std::vector<std::string> seen_;
  std::string queue_;
  std::size_t sent_ = 0, pauses_over_ = 0;
};

TEST_CASE("Rules refuse and delay pipelined IMAP commands and nothing else of them") {
  for (unsigned seed = 1; seed <= 400; ++seed) {
    INFO("seed " << seed);
    Talk(seed).Run();
  }
}

}  // namespace
}  // namespace postern::testing
