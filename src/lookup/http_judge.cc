// What an answer of the auth_http protocol means.
#include <algorithm>
#include <utility>

#include "lookup/http_answer.h"
#include "postern/base/text.h"

namespace postern {
namespace {

constexpr std::uint64_t kMaxWaitSeconds = 30;
constexpr std::size_t kMaxText = 400;

// A text for the client: no code of its own, for those are ours to give (DESIGN 2.12), and nothing
// that a line may not have.
std::string CleanText(std::string_view text) {
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    text = end == text.npos ? std::string_view() : text.substr(end + 1);
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  }
  std::string clean(text.substr(0, kMaxText));
  for (char& c : clean) {
    if (c < 0x20 || c == 0x7F) c = '?';
  }
  return clean.empty() ? "Authentication failed" : clean;
}

Duration WaitOf(const HttpAnswer& answer) {
  const auto seconds = ParseNumber(answer.wait).value_or(0);
  return std::chrono::seconds(std::min(seconds, kMaxWaitSeconds));
}

Finding JudgeGood(HttpAnswer answer, Protocol protocol, const Places& places) {
  Finding finding;
  finding.answer.vouched = true;
  finding.answer.user = std::move(answer.user);
  finding.answer.has_password = !answer.password.empty();
  finding.answer.password = std::move(answer.password);
  if (answer.server.empty()) return finding;
  const auto port = ParseNumber(answer.port);
  if (!port || *port == 0 || *port > 65535) {
    return Finding::Wrong("Auth-Port " + JsonQuote(answer.port, 32) + " is not a port");
  }
  const Result<Address> address =
      Address::FromParts(answer.server, static_cast<std::uint16_t>(*port));
  if (!address.ok()) return Finding::Wrong("Auth-Server: " + address.error().message());
  const auto place = places.At(protocol, address.value());
  if (!place) {
    return Finding::Wrong("Auth-Server " + address.value().Text() + " is no " +
                          (protocol == Protocol::kImap ? "IMAP" : "POP3") +
                          " address of a configured pool");
  }
  finding.answer.kind = LookupAnswer::Kind::kFound;
  finding.answer.pool = place->pool;
  finding.answer.backend = place->backend;
  return finding;
}

}  // namespace

Finding JudgeHttpAnswer(HttpAnswer answer, Protocol protocol, const Places& places) {
  const std::string code = "HTTP " + std::to_string(answer.code);
  if (answer.code >= 500) return Finding::Away(code);
  if (!answer.auth_status) return Finding::Away(code + " without Auth-Status");
  if (*answer.auth_status == "OK") return JudgeGood(std::move(answer), protocol, places);
  Finding finding;
  finding.answer.wait = WaitOf(answer);
  // nginx asks again by itself then; here it is the client who does.
  const bool again = *answer.auth_status == "WAIT";
  const bool temporary = again || answer.error_code.starts_with('4');
  finding.answer.kind = temporary ? LookupAnswer::Kind::kTemporary : LookupAnswer::Kind::kRefused;
  finding.answer.text = CleanText(again ? "Try again later" : *answer.auth_status);
  return finding;
}

}  // namespace postern
