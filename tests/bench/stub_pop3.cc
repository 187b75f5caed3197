// POP3 as the stub speaks it, and the HTTP service that nginx asks where to go.

#include "stub_dialect.h"

namespace postern {
namespace {

constexpr std::string_view kCapabilities =
    "+OK\r\nUSER\r\nSASL "
    "PLAIN\r\nUIDL\r\nTOP\r\nPIPELINING\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\n.\r\n";

class Pop3Dialect final : public Dialect {
 public:
  Pop3Dialect(uint64_t messages, uint64_t octets) : messages_(messages), octets_(octets) {}

  void Greet(Answers& answers) override { answers.Text("+OK stub ready\r\n"); }

  void Feed(std::string_view bytes, Answers& answers) override {
    std::string_view line;
    while (lines_.Next(bytes, line)) OnLine(line, answers);
  }

 private:
  void OnLine(std::string_view line, Answers& answers) {
    if (awaiting_sasl_) {
      awaiting_sasl_ = false;
      return answers.Text("+OK logged in\r\n");
    }
    const std::string verb = UpperCase(line.substr(0, line.find(' ')));
    if (verb == "RETR" || verb == "TOP") {
      answers.Text("+OK " + std::to_string(octets_) + " octets\r\n");
      answers.Bulk(octets_);
      return answers.Text(".\r\n");
    }
    if (verb == "CAPA") return answers.Text(kCapabilities);
    if (verb == "STAT") {
      return answers.Text("+OK " + std::to_string(messages_) + " " +
                          std::to_string(messages_ * octets_) + "\r\n");
    }
    if ((verb == "UIDL" || verb == "LIST") && line.size() == verb.size()) {
      return List(verb == "UIDL", answers);
    }
    if (verb == "AUTH" && line.rfind(' ') == verb.size()) {
      awaiting_sasl_ = true;
      return answers.Text("+ \r\n");
    }
    answers.Text("+OK\r\n");
    if (verb == "QUIT") answers.Close();
  }

  void List(bool ids, Answers& answers) const {
    std::string text = "+OK\r\n";
    for (uint64_t n = 1; n <= messages_; ++n) {
      text +=
          std::to_string(n) + (ids ? " uid" + std::to_string(n) : " " + std::to_string(octets_));
      text += "\r\n";
    }
    answers.Text(text + ".\r\n");
  }

  LineCutter lines_;
  bool awaiting_sasl_ = false;
  const uint64_t messages_;
  const uint64_t octets_;
};

class AuthHttpDialect final : public Dialect {
 public:
  AuthHttpDialect(uint16_t imap_port, uint16_t pop3_port)
      : imap_port_(imap_port), pop3_port_(pop3_port) {}

  void Greet(Answers&) override {}

  void Feed(std::string_view bytes, Answers& answers) override {
    std::string_view line;
    while (lines_.Next(bytes, line)) {
      if (line == "Auth-Protocol: pop3") pop3_ = true;
      if (!line.empty()) continue;
      answers.Text("HTTP/1.0 200 OK\r\nAuth-Status: OK\r\nAuth-Server: 127.0.0.1\r\nAuth-Port: " +
                   std::to_string(pop3_ ? pop3_port_ : imap_port_) + "\r\n\r\n");
      answers.Close();
    }
  }

 private:
  LineCutter lines_;
  bool pop3_ = false;
  const uint16_t imap_port_;
  const uint16_t pop3_port_;
};

}  // namespace

std::unique_ptr<Dialect> MakePop3Dialect(uint64_t messages, uint64_t octets_each) {
  return std::make_unique<Pop3Dialect>(messages, octets_each);
}

std::unique_ptr<Dialect> MakeAuthHttpDialect(uint16_t imap_port, uint16_t pop3_port) {
  return std::make_unique<AuthHttpDialect>(imap_port, pop3_port);
}

}  // namespace postern
