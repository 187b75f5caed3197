#include "lookup/http_answer.h"

#include <catch2/catch.hpp>

#include "support/for_every_split.h"
#include "unit/lookup/targets_fixture.h"

namespace postern {
namespace {

using Kind = LookupAnswer::Kind;
using Trouble = Finding::Trouble;
using Verdict = HttpAnswerReader::Verdict;

// What comes of an answer, the same however it is cut; trouble kAway where it is none.
Finding Judge(const std::string& bytes, Protocol protocol = Protocol::kImap) {
  static const Places places(testing::Targets());
  Finding first;
  bool begun = false;
  testing::ForEverySplit(bytes, [&](const testing::Split& split) {
    INFO(split.text());
    HttpAnswerReader reader;
    HttpAnswer answer;
    Verdict verdict = Verdict::kMore;
    for (std::size_t i = 0; i < split.size() && verdict == Verdict::kMore; ++i) {
      verdict = reader.Read(split[i], answer);
    }
    Finding finding = verdict == Verdict::kAnswer
                          ? JudgeHttpAnswer(std::move(answer), protocol, places)
                          : Finding::Away(verdict == Verdict::kMore ? "more" : reader.problem());
    if (begun) {
      CHECK(finding.answer.kind == first.answer.kind);
      CHECK(finding.reason == first.reason);
    }
    if (!begun) first = std::move(finding);
    begun = true;
  });
  return first;
}

Finding JudgeFields(const std::string& fields, Protocol protocol = Protocol::kImap) {
  return Judge("HTTP/1.0 200 OK\r\nServer: nginx\r\n" + fields + "\r\n", protocol);
}

TEST_CASE("HTTP answer that names a backend") {
  const Finding finding =
      JudgeFields("Auth-Status: OK\r\nAuth-Server: 192.0.2.2\r\nAuth-Port: 143\r\n");
  CHECK(finding.answer.kind == Kind::kFound);
  CHECK(finding.answer.pool == 0);
  CHECK(finding.answer.backend == 1);
  CHECK(finding.answer.vouched);
  CHECK(finding.answer.user.empty());
  CHECK_FALSE(finding.answer.has_password);
}

TEST_CASE("HTTP answer may name another user and password and IPv6") {
  const Finding finding = JudgeFields(
      "auth-status: OK\r\nAUTH-SERVER: 2001:db8::1\r\nauth-port: 110\r\nAuth-User: box 7\r\n"
      "Auth-Pass: p%20w\r\n",
      Protocol::kPop3);
  CHECK(finding.answer.kind == Kind::kFound);
  CHECK(finding.answer.backend == 2);
  CHECK(finding.answer.user == "box 7");
  CHECK(finding.answer.has_password);
  CHECK(finding.answer.password.Reveal() == "p%20w");
}

TEST_CASE("HTTP answer without a server vouches and knows no place") {
  const Finding finding = JudgeFields("Auth-Status: OK\r\n");
  CHECK(finding.answer.kind == Kind::kUnknown);
  CHECK(finding.answer.vouched);
  CHECK(finding.trouble == Trouble::kNone);
  CHECK(JudgeFields("Auth-Status: OK\r\nAuth-Server:\r\n").answer.vouched);
}

TEST_CASE("HTTP answer that names what is not configured") {
  const char* fields[] = {"Auth-Server: 192.0.2.77\r\nAuth-Port: 143\r\n",
                          "Auth-Server: 192.0.2.1\r\nAuth-Port: 110\r\n",  // POP3's
                          "Auth-Server: 192.0.2.9\r\nAuth-Port: 143\r\n",  // gone
                          "Auth-Server: mail1\r\nAuth-Port: 143\r\n",
                          "Auth-Server: 192.0.2.1\r\n",
                          "Auth-Server: 192.0.2.1\r\nAuth-Port: 0\r\n",
                          "Auth-Server: 192.0.2.1\r\nAuth-Port: 65679\r\n",
                          "Auth-Server: 192.0.2.1\r\nAuth-Port: x\r\n"};
  for (const char* each : fields) {
    INFO(each);
    const Finding finding = JudgeFields(std::string("Auth-Status: OK\r\n") + each);
    CHECK(finding.answer.kind == Kind::kUnavailable);
    CHECK(finding.trouble == Trouble::kWrong);
    CHECK_FALSE(finding.answer.vouched);
    CHECK_FALSE(finding.reason.empty());
  }
}

TEST_CASE("HTTP answer that refuses") {
  Finding finding = JudgeFields("Auth-Status: Invalid login or password\r\nAuth-Wait: 3\r\n");
  CHECK(finding.answer.kind == Kind::kRefused);
  CHECK(finding.answer.text == "Invalid login or password");
  CHECK(finding.answer.wait == std::chrono::seconds(3));
  CHECK(JudgeFields("Auth-Status: no\r\n").answer.wait == Duration::zero());
  CHECK(JudgeFields("Auth-Status: no\r\nAuth-Wait: x\r\n").answer.wait == Duration::zero());
  CHECK(JudgeFields("Auth-Status: no\r\nAuth-Wait: 3600\r\n").answer.wait ==
        std::chrono::seconds(30));
  CHECK(JudgeFields("Auth-Status:\r\n").answer.kind == Kind::kRefused);
  CHECK(JudgeFields("Auth-Status: ok\r\n").answer.kind == Kind::kRefused);
  // A place beside a refusal changes nothing.
  finding = JudgeFields("Auth-Status: no\r\nAuth-Server: 192.0.2.2\r\nAuth-Port: 143\r\n");
  CHECK(finding.answer.kind == Kind::kRefused);
  CHECK_FALSE(finding.answer.vouched);
}

TEST_CASE("HTTP answer that asks for patience") {
  const Finding temporary =
      JudgeFields("Auth-Status: Temporary server problem\r\nAuth-Error-Code: 451 4.3.0\r\n");
  CHECK(temporary.answer.kind == Kind::kTemporary);
  CHECK(temporary.answer.text == "Temporary server problem");
  CHECK(JudgeFields("Auth-Status: no\r\nAuth-Error-Code: 535 5.7.8\r\n").answer.kind ==
        Kind::kRefused);
  const Finding wait = JudgeFields("Auth-Status: WAIT\r\nAuth-Wait: 1\r\n");
  CHECK(wait.answer.kind == Kind::kTemporary);
  CHECK(wait.answer.wait == std::chrono::seconds(1));
}

TEST_CASE("HTTP answer gives its text no code and no odd octet") {
  const auto text = [](const std::string& status) {
    return JudgeFields("Auth-Status: " + status + "\r\n").answer.text;
  };
  CHECK(text("[ALERT] come here") == "come here");
  CHECK(text("[ALERT]") == "Authentication failed");
  CHECK(text("[ALERT come") == "Authentication failed");
  CHECK(text("gr\xfc\xdf") == "gr??");
  CHECK(text(std::string(5000, 'x')).size() == 400);
}

TEST_CASE("HTTP answer of a service in trouble") {
  const char* answers[] = {
      "HTTP/1.1 500 Internal Server Error\r\nAuth-Status: OK\r\n\r\n",
      "HTTP/1.1 502 Bad Gateway\r\n\r\n",
      "HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\nno\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
      "HTTP/1.1 200 OK\r\nAuth-Status: OK\r\nAuth-Status: OK\r\n\r\n",
      "HTTP/1.1 200 OK\r\nAuth-Status: OK\r\nAuth-Server: 192.0.2.1\r\nAuth-Server: "
      "192.0.2.2\r\n\r\n",
      "* OK IMAP4rev1\r\n\r\n",
      "HTTP/1.1 200 OK\r\nAuth-Status OK\r\n\r\n",
  };
  for (const char* each : answers) {
    INFO(each);
    const Finding finding = Judge(each);
    CHECK(finding.answer.kind == Kind::kUnavailable);
    CHECK(finding.trouble == Trouble::kAway);
    CHECK(finding.reason != "more");
    CHECK_FALSE(finding.reason.empty());
  }
  CHECK(Judge("HTTP/1.1 200 OK\r\nAuth-Status: OK\r\n").reason == "more");
}

TEST_CASE("HTTP answer of any other code counts when it says Auth Status") {
  CHECK(Judge("HTTP/1.1 403 Forbidden\r\nAuth-Status: no\r\n\r\n").answer.kind == Kind::kRefused);
}

TEST_CASE("HTTP answer keeps no more than its limit") {
  HttpAnswerReader reader;
  HttpAnswer answer;
  REQUIRE(reader.Read("HTTP/1.1 200 OK\r\nX: ", answer) == Verdict::kMore);
  const std::string piece(1000, 'x');
  Verdict verdict = Verdict::kMore;
  for (int i = 0; i < 20 && verdict == Verdict::kMore; ++i) verdict = reader.Read(piece, answer);
  CHECK(verdict == Verdict::kBad);
}

}  // namespace
}  // namespace postern
