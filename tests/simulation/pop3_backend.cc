#include "simulation/pop3_backend.h"

#include "postern/base/text.h"

namespace postern::testing {

Pop3Backend::Pop3Backend(Timeline& timeline, Record& record, Wire& wire, Random random,
                         Settings settings, Pop3Client& client)
    : SimBackend(timeline, record, wire, random, settings),
      client_(client),
      ledger_(client.ledger()),
      knows_capa_(random_.Chance(90)),
      pipelines_(random_.Chance(70)),
      knows_sasl_(random_.Chance(80)),
      knows_utf8_(random_.Chance(50)) {}

void Pop3Backend::Greet() {
  if (dead() ||
      FailsToGreet({"-ERR full\r\n", "220 smtp\r\n", "+OK no line end", "\n", "* OK\r\n"}))
    return;
  wire_.Send("+OK ready\r\n");
}

std::string Pop3Backend::Capabilities() const {
  std::string list = "TOP\r\nUIDL\r\nUSER\r\nX-UNHEARD-OF\r\n";
  if (pipelines_) list += "PIPELINING\r\n";
  if (knows_sasl_) list += "SASL PLAIN LOGIN XOAUTH2 OAUTHBEARER\r\n";
  if (knows_utf8_) list += "UTF8\r\n";
  if (settings_.tls == PoolTls::kStarttls && !secured()) list += "STLS\r\n";
  return "+OK listed\r\n" + list + ".\r\n";
}

bool Pop3Backend::WorkOnce() {
  const std::size_t end = bytes_.find("\r\n");
  if (end == bytes_.npos) return false;
  const std::string line = bytes_.substr(0, end + 2);
  bytes_.erase(0, end + 2);
  if (logged_in_) {
    OnCommand(line);
  } else {
    OnLoginLine(line.substr(0, end));
  }
  return true;
}

// ---- the login

void Pop3Backend::OnLoginLine(const std::string& line) {
  if (sasl_ || refused_) return OnSaslLine(line);
  const std::string verb = line.substr(0, 4);
  if (verb == "CAPA") return wire_.Send(knows_capa_ ? Capabilities() : "-ERR what\r\n");
  if (verb == "STLS") {
    ExpectTls();
    const bool injects = settings_.faults && random_.Chance(3);
    return wire_.Send(injects ? "+OK go\r\n+OK believe me\r\n" : "+OK go\r\n");
  }
  if (verb == "UTF8") return wire_.Send(knows_utf8_ ? "+OK utf8\r\n" : "-ERR no\r\n");
  if (verb == "XCLI") return wire_.Send("+OK whom\r\n");
  if (verb == "USER") user_ = line + "\n";
  if (verb == "USER")
    return wire_.Send(random_.Chance(95) ? "+OK who\r\n" : "-ERR [SYS/TEMP] busy\r\n");
  if (verb == "PASS") return Judge(line);
  if (verb == "AUTH") {
    token_ = line.find("OAUTH") != line.npos;
    const std::size_t space = line.find(' ', 5);
    if (space != line.npos) return OnSaslLine(line.substr(space + 1));
    sasl_ = true;
    return wire_.Send("+ \r\n");
  }
  record_.Violate("R-INV-5", wire_.name() + " reads before a login " + Shown(line));
}

void Pop3Backend::OnSaslLine(const std::string& line) {
  sasl_ = false;
  if (refused_) {
    refused_ = false;
    return wire_.Send("-ERR [AUTH] token\r\n");
  }
  const std::string secret = Base64Decode(line).value_or("");
  if (token_ && secret.find("s3cret") == secret.npos && random_.Chance(70)) {
    refused_ = true;
    return wire_.Send("+ eyJzdGF0dXMiOiI0MDAifQ==\r\n");
  }
  Judge(secret);
}

void Pop3Backend::Judge(const std::string& secret) {
  CheckLogin(user_ + secret);
  if (fault_ == Fault::kLoginCut) return End();
  if (fault_ == Fault::kLoginStall) {
    client_.Excuse();
    return Stall();
  }
  if (fault_ == Fault::kLoginBusy) return wire_.Send("-ERR [SYS/TEMP] busy\r\n");
  if (secret.find("s3cret") == secret.npos) {
    return wire_.Send(random_.Chance(50) ? "-ERR wrong\r\n" : "-ERR [AUTH] wrong\r\n");
  }
  ledger_.LoginAccepted();
  logged_in_ = true;
  wire_.Send("+OK in\r\n");
}

// ---- behind it

void Pop3Backend::Say(const std::string& reply) {
  ledger_.BackendSays(reply);
  wire_.Send(reply);
}

void Pop3Backend::OnCommand(const std::string& line) {
  ledger_.BackendRead(line);
  if (!(pipelines_ && knows_capa_) && !bytes_.empty()) {
    record_.Violate("R-INV-2", wire_.name() + " does not take commands before it has answered");
  }
  const std::string verb = ToUpper(line.substr(0, 4));
  const bool bare = line.size() == 6;
  const bool body = verb == "RETR" || verb == "TOP " || verb == "CAPA" ||
                    (bare && (verb == "LIST" || verb == "UIDL"));
  const bool fails = fault_ >= Fault::kCut && fault_in_-- == 0;
  if (fails) return Fail(body);
  if (verb == "QUIT") {
    Say("+OK bye " + Number() + "\r\n");
    return End();
  }
  if (verb == "CAPA") {
    Say(Capabilities());
  } else if (random_.Chance(10)) {
    Say("-ERR no " + Number() + "\r\n");
  } else {
    Say("+OK " + Number() + "\r\n" + (body ? Body() : ""));
  }
  BusyFor(SomeTime());
}

// Lines with dots in front as they are sent, and what looks like an end and is none.
std::string Pop3Backend::Body() {
  std::string body;
  const std::size_t size =
      random_.Pick<std::size_t>({0, 10, 3000, 3000, 3000, 60000, 250000, 800000});
  while (body.size() < size) {
    body +=
        random_.Pick<const char*>({"..\r\n", "...\r\n", "\r\n", "+OK\r\n", "-ERR [SYS/TEMP]\r\n",
                                   "a.\r\n", "x\n.\nx\r\n", "\r.\r\r\n"});
    if (size > 100) body.append(random_.Between(1, 900), 'x').append("\r\n");
  }
  return body + ".\r\n";
}

void Pop3Backend::Fail(bool body) {
  client_.Excuse();
  const std::string status = "+OK fails " + Number() + "\r\n";
  switch (fault_) {
    case Fault::kCutInBody:
    case Fault::kHuge: {
      const std::string some = body ? std::string(60000, 'x') : "";
      ledger_.BackendSays(status + some);
      wire_.Send(status + some.substr(0, random_.Below(some.size() + 1)));
      return End();
    }
    case Fault::kCutInLine:
      ledger_.BackendSays(status);
      wire_.Send(status.substr(0, random_.Between(1, status.size() - 1)));
      return End();
    case Fault::kStall:
      return Stall();
    case Fault::kNonsense:
      Say(random_.Pick<const char*>({"* OK\r\n", "+OK\nx\r\n", "OK\r\n", "\r\n"}));
      return random_.Chance(50) ? Stall() : End();
    case Fault::kUnasked:
      Say("-ERR what you want " + Number() + "\r\n");
      Say("+OK nobody asked " + Number() + "\r\n");
      return Stall();
    case Fault::kUnaskedPlus:
      wire_.Send("+ nobody waits\r\n");
      return Stall();
    case Fault::kGoodbye:
      Say("-ERR going down " + Number() + "\r\n");
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
