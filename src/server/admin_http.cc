#include "server/admin_http.h"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <boost/beast/http/serializer.hpp>
#include <boost/beast/http/string_body.hpp>
#include <optional>

#include "postern/base/text.h"

namespace postern {
namespace {

namespace http = boost::beast::http;

constexpr std::uint32_t kMaxRequest = 4 * 1024;

HttpRequest::Method MethodOf(http::verb verb) {
  if (verb == http::verb::get) return HttpRequest::Method::kGet;
  if (verb == http::verb::head) return HttpRequest::Method::kHead;
  if (verb == http::verb::post) return HttpRequest::Method::kPost;
  return HttpRequest::Method::kOther;
}

bool HasBody(const http::request<http::empty_body>& message) {
  const auto length = message[http::field::content_length];
  return message.count(http::field::transfer_encoding) > 0 || (!length.empty() && length != "0");
}

Secret BearerOf(boost::beast::string_view authorization) {
  constexpr std::string_view kScheme = "Bearer ";
  const std::string_view value(authorization.data(), authorization.size());
  return Secret(StartsWithNoCase(value, kScheme) ? value.substr(kScheme.size())
                                                 : std::string_view());
}

// Nothing when this is no %XX.
std::optional<char> Unescaped(std::string_view text) {
  const auto digit = [](char c) {
    const std::size_t at = std::string_view("0123456789abcdef").find(AsciiLower(c));
    return at == std::string_view::npos ? -1 : static_cast<int>(at);
  };
  if (text.size() < 3 || text[0] != '%' || digit(text[1]) < 0 || digit(text[2]) < 0) return {};
  return static_cast<char>(digit(text[1]) * 16 + digit(text[2]));
}

std::string Decode(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::optional<char> unescaped = Unescaped(text);
    out += unescaped ? *unescaped : text[0];
    text.remove_prefix(unescaped ? 3 : 1);
  }
  return out;
}

HttpRequest ToRequest(const http::request<http::empty_body>& message) {
  HttpRequest request;
  request.method = MethodOf(message.method());
  const auto target = message.target();
  const std::size_t mark = std::min(target.find('?'), target.size());
  request.path.assign(target.data(), mark);
  if (mark < target.size())
    request.query.assign(target.data() + mark + 1, target.size() - mark - 1);
  request.bearer = BearerOf(message[http::field::authorization]);
  request.has_origin = message.count(http::field::origin) > 0;
  // A body is not read, so nothing behind it could be told from it.
  request.keep_alive =
      !HasBody(message) && http::token_list(message[http::field::connection]).exists("keep-alive");
  return request;
}

}  // namespace

std::string HttpRequest::Parameter(std::string_view name) const {
  std::string_view rest = query;
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
    const std::size_t equals = pair.find('=');
    if (equals != std::string_view::npos && pair.substr(0, equals) == name) {
      return Decode(pair.substr(equals + 1));
    }
  }
  return {};
}

struct HttpReader::Parser {
  std::optional<http::request_parser<http::empty_body>> request;

  void Begin() {
    request.emplace();
    request->header_limit(kMaxRequest);
    request->skip(true);
  }
};

HttpReader::HttpReader() : parser_(std::make_unique<Parser>()) { parser_->Begin(); }
HttpReader::~HttpReader() = default;

HttpReader::Verdict HttpReader::Read(std::string& bytes, HttpRequest& request) {
  boost::system::error_code error;
  const std::size_t used = parser_->request->put(boost::asio::buffer(bytes), error);
  bytes.erase(0, used);
  if (error == http::error::header_limit) return Verdict::kTooLarge;
  if (error == http::error::need_more) {
    // The parser keeps nothing of an unfinished header, so all of it is still here.
    return bytes.size() > kMaxRequest ? Verdict::kTooLarge : Verdict::kMore;
  }
  if (error) return Verdict::kBad;
  if (!parser_->request->is_done()) return Verdict::kMore;
  request = ToRequest(parser_->request->get());
  parser_->Begin();
  return Verdict::kRequest;
}

std::string RenderResponse(const HttpResponse& response, bool head, bool keep_alive) {
  http::response<http::string_body> message;
  message.version(11);
  message.result(response.status);
  message.set(http::field::content_type, boost::beast::string_view(response.content_type.data(),
                                                                   response.content_type.size()));
  message.set(http::field::cache_control, "no-store");
  if (response.status == 405) {
    message.set(http::field::allow,
                boost::beast::string_view(response.allow.data(), response.allow.size()));
  }
  if (response.status == 401) message.set(http::field::www_authenticate, "Bearer");
  message.content_length(response.body.size());
  // Said in both cases: HTTP/1.0 and 1.1 differ in what silence means.
  message.set(http::field::connection, keep_alive ? "keep-alive" : "close");
  if (!head) message.body() = response.body;

  std::string out;
  http::response_serializer<http::string_body> serializer(message);
  serializer.split(true);
  boost::system::error_code error;
  while (!error && !serializer.is_done() && !(head && serializer.is_header_done())) {
    serializer.next(error, [&](boost::system::error_code&, const auto& buffers) {
      for (auto at = boost::asio::buffer_sequence_begin(buffers);
           at != boost::asio::buffer_sequence_end(buffers); ++at) {
        const boost::asio::const_buffer piece = *at;
        out.append(static_cast<const char*>(piece.data()), piece.size());
      }
      serializer.consume(boost::asio::buffer_size(buffers));
    });
  }
  return out;
}

}  // namespace postern
