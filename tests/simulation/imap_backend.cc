#include "simulation/imap_backend.h"

#include <utility>

namespace postern::testing {

ImapBackend::ImapBackend(Timeline& timeline, Record& record, Wire& wire, Random random,
                         Settings settings, ImapClient& client)
    : SimBackend(timeline, record, wire, random, settings),
      client_(client),
      ledger_(client.ledger()) {
  for (const char* name :
       {"IDLE", "LITERAL+", "ID", "ENABLE", "CONDSTORE", "UIDPLUS", "SASL-IR", "AUTH=PLAIN",
        "AUTH=LOGIN", "AUTH=XOAUTH2", "AUTH=OAUTHBEARER", "X-UNHEARD-OF", "COMPRESS=DEFLATE"}) {
    if (random_.Chance(70)) capabilities_.emplace_back(name);
  }
}

bool ImapBackend::WorkOnce() {
  switch (reader_.Next()) {
    case CommandReader::Event::kNone:
      return false;
    case CommandReader::Event::kMark:
      OnMark();
      return true;
    case CommandReader::Event::kCommand:
      break;
  }
  const std::string text = reader_.text();
  const bool own = TagOf(text).starts_with("postern");
  if (!logged_in_ || (own && VerbOf(text) == "CAPABILITY")) {
    if (logged_in_) ledger_.BackendRead(text);
    OnLoginCommand(text);
  } else {
    OnCommand(text);
  }
  return true;
}

// Towards a backend every literal waits for its continuation.
void ImapBackend::OnMark() {
  if (reader_.mark().plus) {
    return record_.Violate(
        "R-INV-2", wire_.name() + " reads a literal that does not wait: " + Shown(reader_.text()));
  }
  if (!reader_.empty()) {
    return record_.Violate("R-INV-2", wire_.name() + " reads on before its continuation, behind " +
                                          Shown(reader_.text()));
  }
  if (logged_in_ && random_.Chance(6)) {
    const std::string tag = TagOf(reader_.text());
    ledger_.BackendRefuses(reader_.text());
    reader_.Refuse();
    return SayTagged(tag, "NO");
  }
  if (logged_in_ && random_.Chance(20)) Push();
  const Duration wait = SomeTime();
  timeline_.After(wait, [this] {
    if (dead()) return;
    if (!reader_.empty()) {
      record_.Violate("R-INV-2", wire_.name() + " reads on before its continuation");
    }
    if (logged_in_) ledger_.BackendSays("+ go on\r\n", Words::kContinuation);
    wire_.Send("+ go on\r\n");
  });
  BusyFor(wait);
}

// ---- behind the login

void ImapBackend::Say(const std::string& response, Words words) {
  ledger_.BackendSays(response, words);
  wire_.Send(response);
}

void ImapBackend::SayTagged(const std::string& tag, std::string_view result) {
  Say(tag + " " + std::string(result) + " answer " + Number() + "\r\n");
}

void ImapBackend::Push() { Say("* " + Number() + " EXISTS\r\n"); }

void ImapBackend::OnCommand(const std::string& text) {
  if (text == "DONE\r\n") return OnDone();
  ledger_.BackendRead(text);
  const std::string tag = TagOf(text);
  const std::string verb = VerbOf(text);
  const bool ends = fault_ >= Fault::kCut && fault_in_-- == 0;
  if (ends) return Fail(tag);
  if (random_.Chance(15)) Push();
  if (verb == "IDLE") return OnIdle(tag);
  Reply(tag, verb, text);
  BusyFor(SomeTime());
}

void ImapBackend::Reply(const std::string& tag, const std::string& verb, const std::string& text) {
  if (verb == "LOGOUT") {
    Say("* BYE see you\r\n");
    SayTagged(tag, "OK");
    return End();
  }
  if (verb == "CAPABILITY") Say("* CAPABILITY " + Capabilities() + "\r\n", Words::kCapability);
  if (verb == "ID") Say("* ID (\"name\" \"server " + Number() + "\")\r\n");
  if (verb == "ENABLE") Say("* ENABLED CONDSTORE\r\n");
  // No mailbox has an empty name.
  if (text == tag + " EXAMINE \"\"\r\n") return SayTagged(tag, "NO");
  if (random_.Chance(8)) return SayTagged(tag, random_.Chance(50) ? "NO" : "BAD");
  if (verb == "FETCH") SayMessages();
  if (verb == "SEARCH") Say("* SEARCH 1 2 " + Number() + "\r\n");
  if (verb == "STATUS") Say("* STATUS \"a\" (MESSAGES " + Number() + ")\r\n");
  if (verb == "LIST") Say("* LIST () \"/\" {8}\r\nbox" + Number() + "}\r\n");
  if (verb == "SELECT" || verb == "EXAMINE") {
    Push();
    Say("* OK [UIDVALIDITY " + Number() + "] what looks like a literal {5}\r\n");
    return SayTagged(tag, text.size() % 2 == 0 ? "OK [READ-WRITE]" : "OK [READ-ONLY]");
  }
  SayTagged(tag, "OK");
}

std::string ImapBackend::Fetch(std::size_t size) {
  return "* " + Number() + " FETCH (FLAGS (\\Seen) BODY[] {" + std::to_string(size) + "}\r\n" +
         SomeText(random_, size) + " UID 7)\r\n";
}

void ImapBackend::SayMessages() {
  const std::size_t count = random_.Between(0, 4);
  for (std::size_t i = 0; i < count; ++i) {
    Say(Fetch(
        random_.Pick<std::size_t>({0, 1, 20, 3000, 3000, 3000, 20000, 70000, 250000, 800000})));
  }
}

void ImapBackend::OnIdle(const std::string& tag) {
  if (random_.Chance(10)) {
    ++early_ends_;
    return SayTagged(tag, "NO");
  }
  idle_tag_ = tag;
  idle_plus_said_ = false;
  timeline_.After(SomeTime(), [this, tag] {
    if (dead() || idle_tag_ != tag) return;
    idle_plus_said_ = true;
    Say("+ idling\r\n", Words::kContinuation);
    if (random_.Chance(50)) Push();
  });
  if (!random_.Chance(10)) return;
  timeline_.After(SomeTime(), [this, tag] {
    if (dead() || idle_tag_ != tag) return;
    // Postern goes on expecting the `+`, and takes the next one for it (DESIGN 2.10).
    if (!idle_plus_said_) client_.Excuse();
    ++early_ends_;
    idle_tag_.clear();
    SayTagged(tag, "OK");
  });
}

void ImapBackend::OnDone() {
  ledger_.BackendReadDone();
  if (!idle_tag_.empty()) return SayTagged(std::exchange(idle_tag_, {}), "OK");
  // It crossed the end that nobody had asked for.
  if (early_ends_ > 0) --early_ends_;
}

void ImapBackend::Fail(const std::string& tag) {
  client_.Excuse();
  const std::string message = Fetch(20000);
  const std::string line = "* OK half a line " + Number();
  switch (fault_) {
    case Fault::kCutInBody:
      ledger_.BackendSays(message, Words::kVerbatim);
      wire_.Send(message.substr(0, message.find('\n') + 1 + random_.Below(15000)));
      return End();
    case Fault::kCutInLine:
      ledger_.BackendSays(line + "\r\n", Words::kVerbatim);
      wire_.Send(line.substr(0, random_.Between(1, line.size())));
      return End();
    case Fault::kStall:
      return Stall();
    case Fault::kNonsense:
      Say("* OK bare " + Number() + random_.Pick<const char*>({"\n", "\nx OK\r\n", "\rx\n"}));
      return random_.Chance(50) ? Stall() : End();
    case Fault::kUnasked:
      wire_.Send("zz" + Number() + " OK nobody asked\r\n");
      return Stall();
    case Fault::kUnaskedPlus:
      wire_.Send("+ nobody waits " + Number() + "\r\n");
      SayTagged(tag, "OK");
      return Stall();
    case Fault::kHuge: {
      const std::string head = "* " + Number() + " FETCH (BODY[] {2147483648}\r\n";
      const std::string some = SomeText(random_, 100000);
      ledger_.BackendSays(head + some, Words::kVerbatim);
      wire_.Send(head + some);
      return End();
    }
    case Fault::kGoodbye:
      Say("* BYE going down " + Number() + "\r\n");
      return End();
    case Fault::kNone:
    case Fault::kSilent:
    case Fault::kNoGreeting:
    case Fault::kBadGreeting:
    case Fault::kLoginCut:
    case Fault::kLoginBusy:
    case Fault::kLoginStall:
    case Fault::kCut:
      return End();
  }
}

}  // namespace postern::testing
