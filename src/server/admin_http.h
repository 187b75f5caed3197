// The HTTP/1 that the admin listener speaks: reading one request, writing one response. Pure: bytes
// in, values and bytes out. Knows Boost.Beast, no sockets and no routes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "postern/base/secret.h"

namespace postern {

struct HttpRequest {
  enum class Method : std::uint8_t { kGet, kHead, kPost, kOther };
  Method method = Method::kOther;
  std::string path;   // without its query
  std::string query;  // behind the '?'
  Secret bearer;      // the token of `Authorization: Bearer`; empty: there is none
  // A browser sends it for a page of somebody.
  bool has_origin = false;
  bool keep_alive = false;  // asked for in words; the connection is closed otherwise

  // A parameter of the query, its %XX decoded; empty: it is not there.
  std::string Parameter(std::string_view name) const;
};

struct HttpResponse {
  unsigned status = 200;
  std::string_view content_type = "text/plain; charset=utf-8";
  std::string body;
  std::string_view allow = "GET, HEAD";  // told with 405
};

// Reads requests one after the other. One per connection.
class HttpReader {
 public:
  enum class Verdict : std::uint8_t { kMore, kRequest, kBad, kTooLarge };

  HttpReader();
  ~HttpReader();
  HttpReader(const HttpReader&) = delete;
  HttpReader& operator=(const HttpReader&) = delete;

  // Takes what it can use from the front of the bytes. After kRequest the next one begins.
  Verdict Read(std::string& bytes, HttpRequest& request);

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
};

// The bytes of a response. The body's length is told to a HEAD too; the body itself is not sent.
std::string RenderResponse(const HttpResponse& response, bool head, bool keep_alive);

}  // namespace postern
