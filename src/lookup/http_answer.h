// The answer of nginx's auth_http protocol (ngx_mail_auth_http_module): a header read by
// Boost.Beast, and what it means. Pure: bytes in, values out. A body is never looked at, as nginx
// does not. Stricter than nginx in this: an answer without Auth-Status is none, and so is one that
// says a thing twice.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "lookup/finding.h"
#include "lookup/places.h"
#include "postern/base/ids.h"
#include "postern/base/secret.h"

namespace postern {

// A header over this is no answer.
inline constexpr std::size_t kMaxHttpAnswer = 16 * 1024;

struct HttpAnswer {
  unsigned code = 0;                       // HTTP
  std::optional<std::string> auth_status;  // Auth-Status
  std::string server, port, user;          // Auth-Server, Auth-Port, Auth-User
  Secret password;                         // Auth-Pass
  std::string wait, error_code;            // Auth-Wait, Auth-Error-Code
};

class HttpAnswerReader {
 public:
  HttpAnswerReader();
  ~HttpAnswerReader();
  HttpAnswerReader(const HttpAnswerReader&) = delete;
  HttpAnswerReader& operator=(const HttpAnswerReader&) = delete;

  enum class Verdict : std::uint8_t { kMore, kAnswer, kBad };
  // Takes all of the bytes. kAnswer once, with the answer filled; kBad for ever, see problem().
  // Neither is called again.
  Verdict Read(std::string_view bytes, HttpAnswer& answer);
  const std::string& problem() const { return problem_; }

 private:
  struct Parser;
  Verdict Bad(std::string problem);

  std::unique_ptr<Parser> parser_;
  std::string bytes_;  // not used yet; may hold a password
  std::size_t taken_ = 0;
  std::string problem_;
};

// What the answer means for the question's protocol.
Finding JudgeHttpAnswer(HttpAnswer answer, Protocol protocol, const Places& places);

}  // namespace postern
