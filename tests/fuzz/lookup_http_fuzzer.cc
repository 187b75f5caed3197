// F-13: nginx's auth_http protocol. Input: one byte that seeds the cuts and picks the protocol, the
// answer's bytes; the same bytes also make a user and a password to ask for.
//
// A violation aborts: an answer reads the same however it is cut, and beyond the limit it is none;
// only an OK of a configured address finds a place, and only an OK vouches; a text for the client
// is one printable line without a code; a wait is bounded; a request has the lines it should have,
// and the user and the password come out of it as they went in.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lookup/http_answer.h"
#include "lookup/http_request.h"
#include "postern/base/check.h"
#include "support/for_every_split.h"
#include "unit/lookup/targets_fixture.h"

namespace postern::testing {
namespace {

using Kind = LookupAnswer::Kind;
using Verdict = HttpAnswerReader::Verdict;

struct Outcome {
  Verdict verdict = Verdict::kMore;
  Finding finding;
};

Outcome Read(std::string_view bytes, const std::vector<std::size_t>& cuts, Protocol protocol) {
  static const Places places(Targets());
  const Split split(bytes, cuts);
  HttpAnswerReader reader;
  HttpAnswer answer;
  Outcome outcome;
  for (std::size_t i = 0; i < split.size() && outcome.verdict == Verdict::kMore; ++i) {
    outcome.verdict = reader.Read(split[i], answer);
  }
  if (outcome.verdict == Verdict::kBad) POSTERN_CHECK(!reader.problem().empty());
  if (outcome.verdict != Verdict::kAnswer) return outcome;
  const bool good = answer.code < 500 && answer.auth_status == "OK";
  outcome.finding = JudgeHttpAnswer(std::move(answer), protocol, places);
  POSTERN_CHECK(good || !outcome.finding.answer.vouched);
  return outcome;
}

void CheckFinding(const Finding& finding) {
  const LookupAnswer& answer = finding.answer;
  const bool found = answer.kind == Kind::kFound;
  POSTERN_CHECK(found == (answer.pool != kNoPool) && found == (answer.backend != kNoBackend));
  POSTERN_CHECK(!found || (answer.vouched && answer.backend < 3 && answer.pool < 2));
  const bool troubled = finding.trouble != Finding::Trouble::kNone;
  POSTERN_CHECK(troubled == (answer.kind == Kind::kUnavailable));
  POSTERN_CHECK(troubled == !finding.reason.empty());
  const bool refused = answer.kind == Kind::kRefused || answer.kind == Kind::kTemporary;
  POSTERN_CHECK(refused == !answer.text.empty());
  POSTERN_CHECK(answer.text.size() <= 400 && !answer.text.starts_with('['));
  for (const char c : answer.text) POSTERN_CHECK(c >= 0x20 && c < 0x7F);
  POSTERN_CHECK(answer.wait >= Duration::zero() && answer.wait <= std::chrono::seconds(30));
}

std::string Unescaped(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      plain += text[i];
      continue;
    }
    POSTERN_CHECK(i + 2 < text.size());
    plain += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
    i += 2;
  }
  return plain;
}

void CheckRequest(std::string_view user, std::string_view password) {
  static const ServiceUrl url = ServiceUrl::Http("http://localhost/auth").value();
  const std::string text = MailAuthRequest(url, QuestionOf(std::string(user), password));
  POSTERN_CHECK(std::count(text.begin(), text.end(), '\n') == 9);
  POSTERN_CHECK(std::count(text.begin(), text.end(), '\r') == 9 && text.ends_with("\r\n\r\n"));
  POSTERN_CHECK(text.find('\0') == text.npos);
  for (const auto& [name, value] : {std::pair(std::string("\r\nAuth-User: "), user),
                                    std::pair(std::string("\r\nAuth-Pass: "), password)}) {
    const std::size_t begin = text.find(name);
    POSTERN_CHECK(begin != text.npos);
    const std::size_t at = begin + name.size();
    POSTERN_CHECK(Unescaped(text.substr(at, text.find("\r\n", at) - at)) == value);
  }
}

void Check(std::uint8_t seed, std::string_view bytes) {
  const Protocol protocol = (seed & 1) != 0 ? Protocol::kPop3 : Protocol::kImap;
  const Outcome whole = Read(bytes, {}, protocol);
  if (bytes.size() > 2 * kMaxHttpAnswer) POSTERN_CHECK(whole.verdict != Verdict::kMore);
  if (whole.verdict == Verdict::kAnswer) CheckFinding(whole.finding);
  SplitRandom random(seed);
  std::vector<std::size_t> cuts;
  for (std::size_t cut = 1 + random.Next(8); cut < bytes.size(); cut += 1 + random.Next(64)) {
    cuts.push_back(cut);
  }
  const Outcome cut = Read(bytes, cuts, protocol);
  // Nonsense may be noticed before it is whole, and too much a little later: never as an answer.
  const bool answered = whole.verdict == Verdict::kAnswer;
  POSTERN_CHECK(answered == (cut.verdict == Verdict::kAnswer));
  POSTERN_CHECK(whole.finding.answer.kind == cut.finding.answer.kind);
  POSTERN_CHECK(whole.finding.answer.text == cut.finding.answer.text);
  POSTERN_CHECK(whole.finding.answer.user == cut.finding.answer.user);
  const std::size_t middle = bytes.size() / 2;
  CheckRequest(bytes.substr(0, middle), bytes.substr(middle));
}

}  // namespace
}  // namespace postern::testing

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1 || size > 40'000) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  postern::testing::Check(data[0], bytes.substr(1));
  return 0;
}
