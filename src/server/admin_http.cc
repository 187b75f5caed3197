#include "server/admin_http.h"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <boost/beast/http/serializer.hpp>
#include <boost/beast/http/string_body.hpp>
#include <optional>

namespace postern {
namespace {

namespace http = boost::beast::http;

constexpr std::uint32_t kMaxRequest = 4 * 1024;

HttpRequest::Method MethodOf(http::verb verb) {
  if (verb == http::verb::get) return HttpRequest::Method::kGet;
  if (verb == http::verb::head) return HttpRequest::Method::kHead;
  return HttpRequest::Method::kOther;
}

HttpRequest ToRequest(const http::request<http::empty_body>& message) {
  HttpRequest request;
  request.method = MethodOf(message.method());
  const auto target = message.target();
  request.path.assign(target.data(), std::min(target.find('?'), target.size()));
  // A body is not read, so nothing behind it could be told from it.
  const bool has_body = message.count(http::field::content_length) > 0 ||
                        message.count(http::field::transfer_encoding) > 0;
  request.keep_alive =
      !has_body && http::token_list(message[http::field::connection]).exists("keep-alive");
  return request;
}

}  // namespace

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
  if (response.status == 405) message.set(http::field::allow, "GET, HEAD");
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
