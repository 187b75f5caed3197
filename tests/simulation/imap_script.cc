#include "simulation/imap_script.h"

#include <utility>

namespace postern::testing {

ImapScript ImapScriptWriter::Write() {
  WriteArrival();
  if (random_.Chance(40)) WriteNoise();
  if (random_.Chance(15)) WriteLogin(false);
  if (random_.Chance(5)) WriteLogin(false);
  if (random_.Chance(97)) WriteLogin(true);
  WriteRelay();
  WriteEnd();
  return std::move(script_);
}

std::string ImapScriptWriter::NextTag() {
  return "s" + std::to_string(account_.session) + "c" + std::to_string(script_.commands.size());
}

void ImapScriptWriter::Put(Step::Kind kind, std::size_t command, std::string bytes) {
  Step step{kind, std::move(bytes), command, false, {}};
  if (kind == Step::Kind::kPause) step.pause = ShortPause(random_);
  script_.steps.push_back(std::move(step));
}

std::size_t ImapScriptWriter::Add(Fate fate, const std::string& verb, std::vector<Piece> pieces) {
  const std::size_t index = script_.commands.size();
  ImapCommand command{NextTag(), verb, {}, fate};
  std::string unsent = command.tag + " ";
  command.bytes = unsent;
  const std::size_t first = script_.steps.size();
  for (Piece& piece : pieces) {
    if (!piece.literal) {
      unsent += piece.bytes;
      command.bytes += piece.bytes;
      continue;
    }
    const std::string size = "{" + std::to_string(piece.bytes.size());
    command.bytes += size + "}\r\n" + piece.bytes;
    const bool plus = random_.Chance(50);
    if (!plus) CloseIdle();
    unsent += size + (plus ? "+}\r\n" : "}\r\n");
    if (!plus) {
      Put(Step::Kind::kSend, index, std::exchange(unsent, {}));
      Put(Step::Kind::kPlus, index);
    }
    unsent += piece.bytes;
  }
  const bool spaces = random_.Chance(4);
  Put(Step::Kind::kSend, index, unsent + (spaces ? "  \r\n" : "\r\n"));
  command.bytes += "\r\n";
  for (std::size_t i = first; i < script_.steps.size(); ++i) {
    if (script_.steps[i].command != index) continue;
    script_.steps[i].begins = true;
    break;
  }
  script_.commands.push_back(std::move(command));
  return index;
}

std::size_t ImapScriptWriter::AddLine(Fate fate, const std::string& verb, const std::string& rest) {
  return Add(fate, verb, {{rest}});
}

void ImapScriptWriter::PutAwait(std::size_t command) {
  if (random_.Chance(60)) Put(Step::Kind::kEnd, command);
  if (random_.Chance(20)) Put(Step::Kind::kPause, kNoCommand);
}

void ImapScriptWriter::CloseIdle() {
  if (idle_ != kNoCommand) Put(Step::Kind::kEnd, std::exchange(idle_, kNoCommand));
}

// ---- behind the login

void ImapScriptWriter::WriteRelay() {
  const std::size_t count = random_.Pick<std::size_t>({0, 2, 6, 12, 25});
  for (std::size_t i = 0; i < count; ++i) WriteOne();
}

void ImapScriptWriter::WriteOne() {
  const std::size_t kind = random_.Below(100);
  if (kind < 30) return WriteFetch();
  if (kind < 50) return WriteMailboxCommand();
  if (kind < 60) return WriteSearch();
  if (kind < 72) return WriteAppend();
  if (kind < 82) return WriteIdle();
  if (kind < 91) return WriteLocal();
  if (kind < 92) return WriteNonsense();
  const std::string verb = random_.Pick<const char*>({"NOOP", "CHECK", "CLOSE", "EXPUNGE"});
  PutAwait(AddLine(Fate::kMust, verb, verb));
}

void ImapScriptWriter::WriteMailboxCommand() {
  const std::string verb =
      random_.Pick<const char*>({"SELECT", "EXAMINE", "CREATE", "DELETE", "SUBSCRIBE", "STATUS"});
  Piece name{random_.Pick<const char*>({"INBOX", "\"Sent mail\"", "a/b"})};
  if (random_.Chance(40)) name = {SomeText(random_, random_.Below(8)) + "box", true};
  if (name.literal) {
    for (char& c : name.bytes)
      if (c == '\r' || c == '\n') c = '_';
  }
  std::vector<Piece> pieces{{verb + " "}, name};
  if (verb == "STATUS") pieces.push_back({" (MESSAGES UNSEEN)"});
  PutAwait(Add(Fate::kMust, verb, std::move(pieces)));
}

void ImapScriptWriter::WriteSearch() {
  std::vector<Piece> pieces{{random_.Chance(50) ? "SEARCH " : "UID SEARCH "}};
  pieces.push_back({"SUBJECT "});
  const std::size_t keys = random_.Between(1, 3);
  for (std::size_t i = 0; i < keys; ++i) {
    if (i > 0) pieces.push_back({" BODY "});
    if (random_.Chance(70)) {
      pieces.push_back({SomeText(random_, random_.Pick<std::size_t>({0, 3, 40, 4096})), true});
    } else {
      pieces.push_back({"\"what {5}\""});
    }
  }
  PutAwait(Add(Fate::kMust, "SEARCH", std::move(pieces)));
}

void ImapScriptWriter::WriteFetch() {
  const std::size_t kind = random_.Below(4);
  if (kind == 0) return PutAwait(AddLine(Fate::kMust, "STORE", "STORE 1:3 +FLAGS (\\Seen)"));
  if (kind == 1) return PutAwait(AddLine(Fate::kMust, "LIST", "LIST \"\" \"*\""));
  const std::string uid = random_.Chance(50) ? "UID " : "";
  PutAwait(AddLine(Fate::kMust, "FETCH", uid + "FETCH 1:* (FLAGS BODY.PEEK[])"));
}

void ImapScriptWriter::WriteAppend() {
  const std::size_t size = random_.Pick<std::size_t>({0, 1, 300, 5000, 5000, 200000});
  std::vector<Piece> pieces{{"APPEND "}};
  if (random_.Chance(20)) {
    pieces.push_back({"in box", true});
  } else {
    pieces.push_back({"INBOX"});
  }
  pieces.push_back({random_.Chance(50) ? " (\\Seen) " : " "});
  pieces.push_back({SomeText(random_, size), true});
  PutAwait(Add(Fate::kMust, "APPEND", std::move(pieces)));
}

void ImapScriptWriter::WriteIdle() {
  CloseIdle();
  const std::size_t command = AddLine(Fate::kForwarded, "IDLE", "IDLE");
  // Without waiting the DONE races with the backend's `+`.
  if (random_.Chance(60)) Put(Step::Kind::kPlus, command);
  if (random_.Chance(60)) Put(Step::Kind::kPause, kNoCommand);
  Put(Step::Kind::kDone, command, "DONE\r\n");
  idle_ = command;
  if (random_.Chance(60)) CloseIdle();
}

void ImapScriptWriter::WriteLocal() {
  switch (random_.Below(8)) {
    case 0:
      return PutAwait(AddLine(Fate::kLocal, "XFROB", "XFROB a b"));
    case 1:
      return PutAwait(AddLine(Fate::kLocal, "COMPRESS", "COMPRESS DEFLATE"));
    case 2:
      return PutAwait(AddLine(Fate::kLocal, "STARTTLS", "STARTTLS"));
    case 3:
      return PutAwait(AddLine(Fate::kLocal, "LOGIN", "LOGIN " + account_.user() + " wr0ng"));
    case 4:
      return PutAwait(AddLine(Fate::kRewritten, "ID",
                              "ID (\"name\" \"sim\" \"x-originating-ip\" \"192.0.2.99\")"));
    case 5:
      return PutAwait(AddLine(Fate::kRewritten, "ENABLE", "ENABLE CONDSTORE X-NONE"));
    case 6:
      return PutAwait(AddLine(Fate::kLocal, "NOOP", "NOOP with arguments"));
    default:
      return PutAwait(AddLine(Fate::kForwarded, "CAPABILITY", "CAPABILITY"));
  }
}

// Behind any of these nothing more may be believed.
void ImapScriptWriter::WriteNonsense() {
  switch (random_.Below(5)) {
    case 0:
      return PutRaw("x NOOP\n");
    case 1:
      return PutRaw(std::string("x NO\0OP\r\n", 9));
    case 2:
      return PutRaw("x NOOP {10+}\r\nx LOGOUT\r\n\r\n");
    case 3:
      return PutRaw("x SELECT foo{3+}\r\nabc\r\n");
    default:
      return PutRaw(std::string(70000, 'y'));
  }
}

void ImapScriptWriter::WriteEnd() {
  if (random_.Chance(15)) Put(Step::Kind::kPause, kNoCommand);
  const std::size_t kind = random_.Below(100);
  if (kind < 60) {
    Put(Step::Kind::kEnd, AddLine(Fate::kForwarded, "LOGOUT", "LOGOUT"));
  } else if (kind < 75) {
    Put(Step::Kind::kReset, kNoCommand);
  } else if (kind < 95) {
    Put(Step::Kind::kFinish, kNoCommand);
  }
}

}  // namespace postern::testing
