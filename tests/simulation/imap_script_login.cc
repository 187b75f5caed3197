// The client's way in.
#include <utility>

#include "postern/base/text.h"
#include "simulation/imap_script.h"
#include "simulation/tls_stand_in.h"

namespace postern::testing {

void ImapScriptWriter::WriteArrival() {
  if (entrance_ == Entrance::kProxied) PutRaw(ProxyHeader(random_));
  if (random_.Chance(2)) return PutRaw("GET / HTTP/1.1\r\nHost: mail.example\r\n\r\n");
  const bool tls = entrance_ == Entrance::kImplicit || entrance_ == Entrance::kProxied;
  // Some never finish it.
  if (tls) Put(Step::Kind::kTls, kNoCommand, random_.Chance(2) ? "\x16HEL" : "");
  if (random_.Chance(90)) Put(Step::Kind::kGreeting, kNoCommand);
  // Believed of those whom the listener trusts only.
  if (random_.Chance(10)) {
    AddLine(Fate::kLocal, "ID",
            "ID (\"x-originating-ip\" \"203.0.113.9\" \"x-originating-port\" \"7\")");
  }
  if (entrance_ != Entrance::kStarttls) return;
  if (random_.Chance(15)) WriteLogin(false);
  const std::size_t command = AddLine(Fate::kLocal, "STARTTLS", "STARTTLS");
  if (random_.Chance(4)) return PutRaw("x LOGIN a b\r\n");
  Put(Step::Kind::kEnd, command);
  Put(Step::Kind::kTls, kNoCommand);
}

void ImapScriptWriter::WriteNoise() {
  switch (random_.Below(7)) {
    case 0:
      return PutAwait(AddLine(Fate::kLocal, "CAPABILITY", "CAPABILITY"));
    case 1:
      return PutAwait(AddLine(Fate::kLocal, "NOOP", "noop"));
    case 2:
      return PutAwait(Add(Fate::kLocal, "ID", {{"ID (\"name\" "}, {"sim", true}, {")"}}));
    case 3:
      return PutAwait(AddLine(Fate::kLocal, "SELECT", "SELECT INBOX"));
    case 4:
      return PutAwait(AddLine(Fate::kLocal, "LOGIN", "LOGIN"));
    case 5:
      return PutRaw("\r\n");
    default:
      return PutRaw("nonsense\r\n");
  }
}

void ImapScriptWriter::WriteLogin(bool good) {
  if (random_.Chance(60)) return WriteLoginCommand(good);
  WriteAuthenticate(good);
}

std::size_t ImapScriptWriter::AddLogin(const std::string& verb, std::vector<Piece> pieces,
                                       bool good) {
  const std::size_t index = Add(Fate::kLocal, verb, std::move(pieces));
  script_.commands[index].login = true;
  script_.commands[index].good = good;
  return index;
}

void ImapScriptWriter::WriteLoginCommand(bool good) {
  std::vector<Piece> pieces{{"LOGIN "}};
  for (const std::string& word : {account_.user(), account_.password(good)}) {
    if (pieces.size() > 1) pieces.push_back({" "});
    switch (random_.Below(3)) {
      case 0:
        pieces.push_back({word});
        break;
      case 1:
        pieces.push_back({"\"" + word + "\""});
        break;
      default:
        pieces.push_back({word, true});
    }
  }
  const std::size_t command = AddLogin("LOGIN", std::move(pieces), good);
  // Else commands stand behind the login in one pipeline.
  if (!good || random_.Chance(70)) Put(Step::Kind::kEnd, command);
}

std::string ImapScriptWriter::Message(std::string_view mechanism, bool good) const {
  const std::string user = account_.user();
  const std::string secret = account_.password(good);
  if (mechanism == "PLAIN") return std::string("\0", 1) + user + std::string("\0", 1) + secret;
  if (mechanism == "XOAUTH2") return "user=" + user + "\1auth=Bearer " + secret + "\1\1";
  return "n,a=" + user + ",\1host=h\1port=993\1auth=Bearer " + secret + "\1\1";
}

void ImapScriptWriter::WriteAuthenticate(bool good) {
  const std::string mechanism =
      random_.Pick<const char*>({"PLAIN", "PLAIN", "LOGIN", "XOAUTH2", "OAUTHBEARER"});
  std::string line = "AUTHENTICATE " + mechanism;
  std::vector<std::string> answers;
  if (mechanism == "LOGIN") {
    answers = {Base64Encode(account_.user()), Base64Encode(account_.password(good))};
  } else if (random_.Chance(50)) {
    line += " " + Base64Encode(Message(mechanism, good));
  } else {
    answers = {Base64Encode(Message(mechanism, good))};
  }
  if (random_.Chance(4) && !answers.empty()) answers.back() = "*";
  const std::size_t command = AddLogin("AUTHENTICATE", {{line}}, good);
  for (const std::string& answer : answers) {
    Put(Step::Kind::kPlus, command);
    Put(Step::Kind::kSend, command, answer + "\r\n");
  }
  Put(Step::Kind::kChallenge, command, "AQ==\r\n");
}

}  // namespace postern::testing
