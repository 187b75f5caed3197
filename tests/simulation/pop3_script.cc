#include "simulation/pop3_script.h"

#include "postern/base/text.h"

namespace postern::testing {

Pop3Script Pop3ScriptWriter::Write() {
  WriteArrival();
  if (random_.Chance(40)) WriteNoise();
  if (random_.Chance(15)) WriteLogin(false);
  if (random_.Chance(97)) WriteLogin(true);
  const std::size_t count = random_.Pick<std::size_t>({0, 2, 6, 15, 40});
  for (std::size_t i = 0; i < count; ++i) WriteRelay();
  WriteEnd();
  return std::move(script_);
}

void Pop3ScriptWriter::Put(Step::Kind kind, std::size_t command, std::string bytes) {
  Step step{kind, std::move(bytes), command, false, {}};
  if (kind == Step::Kind::kPause) step.pause = ShortPause(random_);
  script_.steps.push_back(std::move(step));
}

std::size_t Pop3ScriptWriter::Add(Way way, const std::string& line) {
  const std::size_t index = script_.commands.size();
  Pop3Command command;
  command.bytes = line + "\r\n";
  command.passes = way == Way::kPasses || way == Way::kPassesWithBody;
  command.body = way == Way::kPassesWithBody || way == Way::kLocalWithBody;
  command.login = way == Way::kLogin;
  const bool spaces = command.passes && random_.Chance(4);
  Put(Step::Kind::kSend, index, line + (spaces ? "  \r\n" : "\r\n"));
  script_.steps.back().begins = true;
  script_.commands.push_back(std::move(command));
  return index;
}

void Pop3ScriptWriter::PutAwait(std::size_t command) {
  if (random_.Chance(50)) Put(Step::Kind::kEnd, command);
  if (random_.Chance(10)) Put(Step::Kind::kPause, kNoCommand);
}

void Pop3ScriptWriter::WriteArrival() {
  if (entrance_ == Entrance::kProxied) PutRaw(ProxyHeader(random_));
  if (random_.Chance(2)) return PutRaw("POST / HTTP/1.1\r\nHost: mail.example\r\n\r\n");
  const bool tls = entrance_ == Entrance::kImplicit || entrance_ == Entrance::kProxied;
  // Some never finish it, some begin with something else.
  const char* hello = random_.Chance(96) ? "" : random_.Pick<const char*>({"QUIT\r\n", "\x16HEL"});
  if (tls) Put(Step::Kind::kTls, kNoCommand, hello);
  Put(Step::Kind::kGreeting, kNoCommand);
  // Believed of those whom the listener trusts only.
  if (random_.Chance(10)) Add(Way::kLocal, "XCLIENT ADDR=203.0.113.9 PORT=7");
  if (entrance_ != Entrance::kStarttls) return;
  if (random_.Chance(15)) WriteUserPass(false);
  const std::size_t command = Add(Way::kLocal, "STLS");
  if (random_.Chance(4)) return PutRaw("CAPA\r\n");
  Put(Step::Kind::kEnd, command);
  Put(Step::Kind::kTls, kNoCommand);
}

void Pop3ScriptWriter::WriteNoise() {
  switch (random_.Below(6)) {
    case 0:
      return PutAwait(Add(Way::kLocalWithBody, "CAPA"));
    case 1:
      return PutAwait(Add(Way::kLocal, "STAT now"));
    case 2:
      return PutAwait(Add(Way::kLocalWithBody, "AUTH"));
    case 3:
      return PutAwait(Add(Way::kLocal, "UTF8"));
    case 4:
      return PutAwait(Add(Way::kLocal, "XYZZY"));
    default:
      return PutAwait(Add(Way::kLocal, "USER"));
  }
}

void Pop3ScriptWriter::WriteLogin(bool good) {
  if (random_.Chance(60)) return WriteUserPass(good);
  WriteAuth(good);
}

void Pop3ScriptWriter::WriteUserPass(bool good) {
  const std::size_t user = Add(Way::kLocal, "USER " + account_.user());
  if (random_.Chance(70)) Put(Step::Kind::kEnd, user);
  const std::size_t pass = Add(Way::kLogin, "PASS " + account_.password(good));
  script_.commands.back().good = good;
  if (!good || random_.Chance(70)) Put(Step::Kind::kEnd, pass);
}

void Pop3ScriptWriter::WriteAuth(bool good) {
  const std::string user = account_.user();
  const std::string secret = account_.password(good);
  const std::string nul(1, '\0');
  const std::string mechanism =
      random_.Pick<const char*>({"PLAIN", "PLAIN", "LOGIN", "XOAUTH2", "OAUTHBEARER"});
  std::vector<std::string> answers{Base64Encode(nul + user + nul + secret)};
  if (mechanism == "LOGIN") answers = {Base64Encode(user), Base64Encode(secret)};
  if (mechanism == "XOAUTH2") {
    answers = {Base64Encode("user=" + user + "\1auth=Bearer " + secret + "\1\1")};
  } else if (mechanism == "OAUTHBEARER") {
    answers = {Base64Encode("n,a=" + user + ",\1auth=Bearer " + secret +
                            std::string(random_.Chance(30) ? 600 : 0, 'x') + "\1\1")};
  }
  std::string line = "AUTH " + mechanism;
  if (mechanism != "LOGIN" && random_.Chance(50)) {
    line += " " + answers.front();
    answers.clear();
  }
  if (random_.Chance(4) && !answers.empty()) answers.back() = "*";
  const std::size_t command = Add(Way::kLogin, line);
  script_.commands.back().good = good;
  for (const std::string& answer : answers) {
    Put(Step::Kind::kPlus, command);
    Put(Step::Kind::kSend, command, answer + "\r\n");
  }
  Put(Step::Kind::kChallenge, command, "AQ==\r\n");
  Put(Step::Kind::kEnd, command);
}

void Pop3ScriptWriter::WriteRelay() {
  const std::string number = std::to_string(script_.commands.size());
  const std::size_t kind = random_.Below(100);
  if (kind < 35) return PutAwait(Add(Way::kPassesWithBody, "RETR " + number));
  if (kind < 45) return PutAwait(Add(Way::kPassesWithBody, "TOP " + number + " 5"));
  if (kind < 60) return PutAwait(Add(Way::kPasses, "DELE " + number));
  if (kind < 70) return PutAwait(Add(Way::kPasses, "UIDL " + number));
  if (kind < 90) {
    const char* line =
        random_.Pick<const char*>({"LIST", "UIDL", "STAT", "NOOP", "RSET", "CAPA", "list"});
    const bool body = std::string_view("LIST UIDL CAPA list").find(line) != std::string_view::npos;
    return PutAwait(Add(body ? Way::kPassesWithBody : Way::kPasses, line));
  }
  if (kind == 99) return WriteNonsense();
  const char* line = random_.Pick<const char*>(
      {"RETR", "LIST 1 2", "XTND XMIT", "USER again", "STLS", "APOP a b", "DELE", "QUIT now"});
  PutAwait(Add(Way::kLocal, line));
}

// Behind any of these nothing more may be believed.
void Pop3ScriptWriter::WriteNonsense() {
  const std::size_t kind = random_.Below(3);
  Add(Way::kLocal, std::string(300, 'y'));
  if (kind == 0) script_.steps.back().bytes = "NOOP\n";
  if (kind == 1) script_.steps.back().bytes = std::string("NO\0OP\r\n", 7);
}

void Pop3ScriptWriter::WriteEnd() {
  if (random_.Chance(15)) Put(Step::Kind::kPause, kNoCommand);
  const std::size_t kind = random_.Below(100);
  if (kind < 60) {
    Put(Step::Kind::kEnd, Add(Way::kPasses, "QUIT"));
  } else if (kind < 75) {
    Put(Step::Kind::kReset, kNoCommand);
  } else if (kind < 95) {
    Put(Step::Kind::kFinish, kNoCommand);
  }
}

}  // namespace postern::testing
