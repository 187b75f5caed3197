// How an IMAP backend lets people in.
#include <utility>

#include "postern/base/text.h"
#include "simulation/imap_backend.h"

namespace postern::testing {

void ImapBackend::Greet() {
  if (dead() || FailsToGreet({"* BYE full\r\n", "* PREAUTH welcome root\r\n", "220 smtp\r\n",
                              "* OK no line end", "\n", "a OK\r\n"}))
    return;
  const bool lists = random_.Chance(50);
  wire_.Send(lists ? "* OK [CAPABILITY " + Capabilities() + "] ready\r\n"
                   : std::string("* OK ready\r\n"));
}

std::string ImapBackend::Capabilities() const {
  std::string list = "IMAP4rev1";
  for (const std::string& name : capabilities_) list += " " + name;
  if (settings_.tls == PoolTls::kStarttls && !secured()) list += " STARTTLS";
  return list;
}

void ImapBackend::OnLoginCommand(const std::string& text) {
  const std::string tag = TagOf(text);
  const std::string verb = VerbOf(text);
  if (!sasl_tag_.empty()) return OnSaslLine(text.substr(0, text.size() - 2));
  if (verb == "CAPABILITY") {
    return wire_.Send("* CAPABILITY " + Capabilities() + "\r\n" + tag + " OK listed\r\n");
  }
  if (verb == "ID") return wire_.Send("* ID NIL\r\n" + tag + " OK who\r\n");
  if (verb == "STARTTLS") {
    ExpectTls();
    // Whoever believes what stands behind the OK is fooled.
    const bool injects = settings_.faults && random_.Chance(3);
    return wire_.Send(tag + (injects ? " OK go\r\n* OK believe me\r\n" : " OK go\r\n"));
  }
  login_tag_ = tag;
  if (verb == "LOGIN") return Judge(text);
  if (verb == "AUTHENTICATE") return OnAuthenticate(text);
  record_.Violate("R-INV-5", wire_.name() + " reads before a login " + Shown(text));
}

void ImapBackend::OnAuthenticate(const std::string& text) {
  // TAG AUTHENTICATE MECHANISM [INITIAL-RESPONSE]
  const std::string rest = text.substr(text.find("TE ") + 3);
  mechanism_ = ToUpper(TagOf(rest));
  sasl_tag_ = TagOf(text);
  secret_.clear();
  refused_ = false;
  const std::size_t space = rest.find(' ');
  if (space != rest.npos) return OnSaslLine(rest.substr(space + 1, rest.size() - space - 3));
  wire_.Send("+ \r\n");
}

void ImapBackend::OnSaslLine(std::string line) {
  if (refused_) {
    sasl_tag_.clear();
    return Answer("NO [AUTHENTICATIONFAILED] token");
  }
  secret_ += Base64Decode(line).value_or("");
  if (mechanism_ == "LOGIN" && secret_.find('\n') == secret_.npos) {
    secret_ += "\n";
    return wire_.Send("+ UGFzc3dvcmQ6\r\n");
  }
  const bool token = mechanism_ == "XOAUTH2" || mechanism_ == "OAUTHBEARER";
  if (token && secret_.find("s3cret") == secret_.npos && random_.Chance(70)) {
    refused_ = true;
    return wire_.Send("+ eyJzdGF0dXMiOiI0MDAifQ==\r\n");
  }
  sasl_tag_.clear();
  Judge(secret_);
}

void ImapBackend::Judge(const std::string& secret) {
  CheckLogin(secret);
  if (fault_ == Fault::kLoginCut) return End();
  if (fault_ == Fault::kLoginStall) {
    client_.Excuse();
    return Stall();
  }
  if (fault_ == Fault::kLoginBusy) return Answer("NO [UNAVAILABLE] busy");
  if (secret.find("s3cret") == secret.npos) {
    return Answer(random_.Chance(50) ? "NO wrong" : "NO [AUTHENTICATIONFAILED] wrong");
  }
  Accept();
}

void ImapBackend::Accept() {
  ledger_.LoginAccepted();
  logged_in_ = true;
  if (random_.Chance(30)) wire_.Send("* OK [ALERT] have a nice day\r\n");
  if (random_.Chance(60)) return Answer("OK [CAPABILITY " + Capabilities() + "] in");
  Answer("OK in");
}

void ImapBackend::Answer(std::string_view result) {
  wire_.Send(login_tag_ + " " + std::string(result) + "\r\n");
}

}  // namespace postern::testing
