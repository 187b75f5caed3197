#include "server/admin_http.h"

#include <catch2/catch.hpp>
#include <vector>

#include "support/for_every_split.h"

namespace postern {
namespace {

using Verdict = HttpReader::Verdict;

// What a connection that reads the pieces one after the other sees.
struct Seen {
  std::vector<HttpRequest> requests;
  Verdict last = Verdict::kMore;
};

Seen ReadAll(const testing::Split& pieces) {
  HttpReader reader;
  Seen seen;
  std::string bytes;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    bytes += pieces[i];
    HttpRequest request;
    while ((seen.last = reader.Read(bytes, request)) == Verdict::kRequest) {
      seen.requests.push_back(std::move(request));
    }
    if (seen.last != Verdict::kMore) return seen;
  }
  return seen;
}

Seen ReadWhole(std::string_view bytes) { return ReadAll(testing::Split(bytes, {})); }

TEST_CASE("Requests are read however they are cut") {
  const std::string_view input =
      "GET /metrics?x=1 HTTP/1.1\r\nHost: a\r\nConnection: Keep-Alive\r\n\r\n"
      "HEAD / HTTP/1.0\r\n\r\n"
      "DELETE /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
  for (std::size_t first = 0; first <= input.size(); ++first) {
    const testing::Split split(input, {first, first + (input.size() - first) / 2});
    INFO(split.text());
    const Seen seen = ReadAll(split);
    REQUIRE(seen.requests.size() == 3);
    CHECK(seen.last == Verdict::kMore);
    CHECK(seen.requests[0].method == HttpRequest::Method::kGet);
    CHECK(seen.requests[0].path == "/metrics");
    CHECK(seen.requests[0].keep_alive);
    CHECK(seen.requests[1].method == HttpRequest::Method::kHead);
    CHECK(seen.requests[1].path == "/");
    CHECK_FALSE(seen.requests[1].keep_alive);
    CHECK(seen.requests[2].method == HttpRequest::Method::kOther);
    CHECK_FALSE(seen.requests[2].keep_alive);
  }
}

TEST_CASE("What is not HTTP is told from what is too large") {
  CHECK(ReadWhole("a LOGIN user password\r\n").last == Verdict::kBad);
  CHECK(ReadWhole("\x16\x03\x01\x02\r\n\r\n").last == Verdict::kBad);
  CHECK(ReadWhole("GET / HTTP/1.1\r\nbad header\r\n\r\n").last == Verdict::kBad);
  const std::string begin = "GET / HTTP/1.1\r\nX: ";
  CHECK(ReadWhole(begin + std::string(4000, 'x')).last == Verdict::kMore);
  CHECK(ReadWhole(begin + std::string(4000, 'x') + "\r\n\r\n").requests.size() == 1);
  CHECK(ReadWhole(begin + std::string(4100, 'x')).last == Verdict::kTooLarge);
  CHECK(ReadWhole(begin + std::string(1 << 20, 'x') + "\r\n\r\n").last == Verdict::kTooLarge);
}

TEST_CASE("A request with a body is the last one of its connection") {
  const Seen seen = ReadWhole(
      "GET / HTTP/1.1\r\nConnection: keep-alive\r\nContent-Length: 18\r\n\r\n"
      "GET / HTTP/1.1\r\n\r\n");
  REQUIRE(seen.requests.size() >= 1);
  CHECK_FALSE(seen.requests[0].keep_alive);
}

TEST_CASE("A response to HEAD tells the length and has no body") {
  const HttpResponse response{200, "text/plain", "hello\n"};
  CHECK(RenderResponse(response, false, false) ==
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nCache-Control: no-store\r\n"
        "Content-Length: 6\r\nConnection: close\r\n\r\nhello\n");
  CHECK(RenderResponse(response, true, true) ==
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nCache-Control: no-store\r\n"
        "Content-Length: 6\r\nConnection: keep-alive\r\n\r\n");
  CHECK(RenderResponse({405, "text/plain", ""}, false, false).find("Allow: GET, HEAD\r\n") !=
        std::string::npos);
}

}  // namespace
}  // namespace postern
