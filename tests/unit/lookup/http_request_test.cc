#include "lookup/http_request.h"

#include <catch2/catch.hpp>

#include "unit/lookup/targets_fixture.h"

namespace postern {
namespace {

std::string Escaped(std::string_view text) {
  std::string escaped;
  AppendMailAuthEscaped(escaped, text);
  return escaped;
}

TEST_CASE("Mail auth escapes as nginx does") {
  CHECK(Escaped("ann@example.com") == "ann@example.com");
  CHECK(Escaped("a b") == "a%20b");
  CHECK(Escaped("100%") == "100%25");
  CHECK(Escaped("%41+&=?/\\\"'") == "%2541+&=?/\\\"'");
  CHECK(Escaped(std::string_view("\0\r\n\t\x1f\x7f\xc3\xa4", 8)) == "%00%0D%0A%09%1F\x7f\xc3\xa4");
}

TEST_CASE("Mail auth request as nginx writes it") {
  LookupQuestion question = testing::QuestionOf("ann x", "p w%");
  question.attempt = 2;
  const ServiceUrl url = ServiceUrl::Http("http://localhost:9000/auth").value();
  CHECK(MailAuthRequest(url, question) ==
        "GET /auth HTTP/1.0\r\nHost: localhost\r\nAuth-Method: plain\r\nAuth-User: ann%20x\r\n"
        "Auth-Pass: p%20w%25\r\nAuth-Protocol: imap\r\nAuth-Login-Attempt: 2\r\n"
        "Client-IP: 198.51.100.7\r\n\r\n");
}

TEST_CASE("Mail auth request names the method and the protocol") {
  struct Row {
    Mechanism mechanism;
    const char* method;
  };
  for (const Row& row : {Row{Mechanism::kPlain, "plain"}, Row{Mechanism::kLogin, "plain"},
                         Row{Mechanism::kUser, "plain"}, Row{Mechanism::kXoauth2, "xoauth2"},
                         Row{Mechanism::kOauthbearer, "oauthbearer"}}) {
    LookupQuestion question = testing::QuestionOf("ann");
    question.mechanism = row.mechanism;
    question.protocol = Protocol::kPop3;
    const std::string text = MailAuthRequest(ServiceUrl::Http("http://[::1]/").value(), question);
    CHECK(text.find("\r\nAuth-Method: " + std::string(row.method) + "\r\n") != text.npos);
    CHECK(text.find("\r\nAuth-Protocol: pop3\r\n") != text.npos);
    CHECK(text.find("\r\nHost: [::1]\r\n") != text.npos);
  }
}

TEST_CASE("Mail auth request cannot be given a line by a user") {
  const LookupQuestion question = testing::QuestionOf("a\r\nAuth-User: b", "\nX: y");
  const std::string text = MailAuthRequest(ServiceUrl::Http("http://a/").value(), question);
  CHECK(text.find("\r\nAuth-User: b") == text.npos);
  CHECK(text.find("\nX: y") == text.npos);
}

}  // namespace
}  // namespace postern
