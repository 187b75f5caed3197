// IMAP as the stub speaks it: every command is known by its verb, literals are counted and dropped.

#include <algorithm>

#include "stub_dialect.h"

namespace postern {
namespace {

constexpr std::string_view kBeforeLogin = "IMAP4rev1 LITERAL+ SASL-IR AUTH=PLAIN IDLE UIDPLUS";
constexpr std::string_view kAfterLogin = "IMAP4rev1 LITERAL+ IDLE UIDPLUS";
constexpr std::string_view kSelected =
    "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)\r\n* 1000 EXISTS\r\n* 0 RECENT\r\n"
    "* OK [UIDVALIDITY 1] UIDs valid\r\n* OK [UIDNEXT 1001] Predicted next UID\r\n";

std::string_view NextWord(std::string_view& text) {
  const size_t end = std::min(text.find(' '), text.size());
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return word;
}

class ImapDialect final : public Dialect {
 public:
  void Greet(Answers& answers) override {
    answers.Text("* OK [CAPABILITY " + std::string(kBeforeLogin) + "] stub ready\r\n");
  }

  void Feed(std::string_view bytes, Answers& answers) override {
    std::string_view line;
    for (;;) {
      const auto dropped = static_cast<size_t>(std::min<uint64_t>(literal_, bytes.size()));
      bytes.remove_prefix(dropped);
      literal_ -= dropped;
      if (literal_ > 0 || !lines_.Next(bytes, line)) return;
      OnLine(line, answers);
    }
  }

 private:
  void OnLine(std::string_view line, Answers& answers) {
    if (waiting_ != Waiting::kNothing) {  // the line of SASL, or DONE
      const bool login = waiting_ == Waiting::kSasl;
      waiting_ = Waiting::kNothing;
      return login ? LoggedIn(answers) : Ok(answers);
    }
    if (!in_command_) BeginCommand(line);
    in_command_ = OpensLiteral(line, answers);
    if (!in_command_) Answer(answers);
  }

  void BeginCommand(std::string_view line) {
    tag_ = std::string(NextWord(line));
    verb_ = UpperCase(NextWord(line));
    if (verb_ == "UID") verb_ = UpperCase(NextWord(line));
    arguments_ = std::string(line);
  }

  // A line that ends in {n} or {n+} is followed by n octets and the rest of the command.
  bool OpensLiteral(std::string_view line, Answers& answers) {
    if (line.empty() || line.back() != '}') return false;
    const size_t brace = line.rfind('{');
    if (brace == std::string_view::npos) return false;
    literal_ = NumberAt(line.substr(brace + 1));
    if (line[line.size() - 2] != '+') answers.Text("+ OK\r\n");
    return true;
  }

  void Answer(Answers& answers) {
    if (verb_ == "NOOP") return Ok(answers);
    if (verb_ == "FETCH") return Fetch(answers);
    if (verb_ == "LOGIN") return LoggedIn(answers);
    if (verb_ == "AUTHENTICATE") return Authenticate(answers);
    if (verb_ == "IDLE") {
      waiting_ = Waiting::kDone;
      return answers.Text("+ idling\r\n* 1001 EXISTS\r\n");
    }
    if (verb_ == "CAPABILITY") {
      answers.Text("* CAPABILITY " + std::string(logged_in_ ? kAfterLogin : kBeforeLogin) + "\r\n");
    } else if (verb_ == "SELECT" || verb_ == "EXAMINE") {
      answers.Text(kSelected);
    } else if (verb_ == "LOGOUT") {
      answers.Text("* BYE logging out\r\n");
    }
    Ok(answers);
    if (verb_ == "LOGOUT") answers.Close();
  }

  // FETCH 7 BODY.PEEK[20480] brings 20480 octets; FETCH 7 FLAGS brings flags.
  void Fetch(Answers& answers) {
    std::string_view rest = arguments_;
    const std::string number(NextWord(rest));
    const size_t bracket = rest.find('[');
    if (bracket == std::string_view::npos) {
      answers.Text("* " + number + " FETCH (FLAGS (\\Seen))\r\n");
      return Ok(answers);
    }
    const std::string size = std::to_string(NumberAt(rest.substr(bracket + 1)));
    answers.Text("* " + number + " FETCH (BODY[" + size + "] {" + size + "}\r\n");
    answers.Bulk(std::stoull(size));
    answers.Text(")\r\n" + tag_ + " OK done\r\n");
  }

  void Authenticate(Answers& answers) {
    if (arguments_.find(' ') != std::string::npos) return LoggedIn(answers);
    waiting_ = Waiting::kSasl;
    answers.Text("+ \r\n");
  }

  void LoggedIn(Answers& answers) {
    logged_in_ = true;
    answers.Text(tag_ + " OK [CAPABILITY " + std::string(kAfterLogin) + "] logged in\r\n");
  }

  void Ok(Answers& answers) { answers.Text(tag_ + " OK done\r\n"); }

  enum class Waiting { kNothing, kSasl, kDone };

  LineCutter lines_;
  uint64_t literal_ = 0;
  bool in_command_ = false;
  bool logged_in_ = false;
  Waiting waiting_ = Waiting::kNothing;
  std::string tag_, verb_, arguments_;
};

}  // namespace

std::unique_ptr<Dialect> MakeImapDialect() { return std::make_unique<ImapDialect>(); }

}  // namespace postern
