#include "lookup/http_answer.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <utility>

namespace postern {
namespace {

namespace http = boost::beast::http;

// What Beast keeps of a header may be a password.
template <typename T>
struct WipingAllocator {
  using value_type = T;
  WipingAllocator() = default;
  template <typename U>
  WipingAllocator(const WipingAllocator<U>&) {}  // NOLINT: allocators convert
  T* allocate(std::size_t count) { return std::allocator<T>().allocate(count); }
  void deallocate(T* memory, std::size_t count) {
    Wipe(static_cast<void*>(memory), count * sizeof(T));
    std::allocator<T>().deallocate(memory, count);
  }
  bool operator==(const WipingAllocator&) const { return true; }
  bool operator!=(const WipingAllocator&) const { return false; }
};

using Fields = http::basic_fields<WipingAllocator<char>>;

std::string_view ValueOf(const Fields& fields, const char* name) {
  const auto value = fields[name];
  return {value.data(), value.size()};
}

constexpr const char* kSaidOnce[] = {"Auth-Status", "Auth-Server", "Auth-Port",      "Auth-User",
                                     "Auth-Pass",   "Auth-Wait",   "Auth-Error-Code"};

const char* SaidTwice(const Fields& fields) {
  for (const char* name : kSaidOnce) {
    if (fields.count(name) > 1) return name;
  }
  return nullptr;
}

HttpAnswer Extract(unsigned code, const Fields& fields) {
  HttpAnswer answer;
  answer.code = code;
  if (fields.count("Auth-Status") == 1) answer.auth_status = ValueOf(fields, "Auth-Status");
  answer.server = ValueOf(fields, "Auth-Server");
  answer.port = ValueOf(fields, "Auth-Port");
  answer.user = ValueOf(fields, "Auth-User");
  answer.password = Secret(ValueOf(fields, "Auth-Pass"));
  answer.wait = ValueOf(fields, "Auth-Wait");
  answer.error_code = ValueOf(fields, "Auth-Error-Code");
  return answer;
}

}  // namespace

struct HttpAnswerReader::Parser {
  http::parser<false, http::empty_body, WipingAllocator<char>> parser;
};

HttpAnswerReader::HttpAnswerReader() : parser_(std::make_unique<Parser>()) {
  parser_->parser.header_limit(kMaxHttpAnswer);
  parser_->parser.eager(false);
}

HttpAnswerReader::~HttpAnswerReader() { Wipe(bytes_); }

HttpAnswerReader::Verdict HttpAnswerReader::Bad(std::string problem) {
  problem_ = std::move(problem);
  return Verdict::kBad;
}

HttpAnswerReader::Verdict HttpAnswerReader::Read(std::string_view bytes, HttpAnswer& answer) {
  // Not more than may be used is kept.
  const std::size_t room = kMaxHttpAnswer - taken_;
  const bool too_much = bytes.size() > room;
  AppendSecret(bytes_, bytes.substr(0, room));
  taken_ += std::min(bytes.size(), room);
  boost::system::error_code error;
  bytes_.erase(0, parser_->parser.put(boost::asio::buffer(bytes_), error));
  const bool unfinished = error == http::error::need_more;
  if (error && !unfinished) return Bad("no HTTP answer: " + error.message());
  if (unfinished || !parser_->parser.is_header_done()) {
    return too_much ? Bad("an HTTP answer of more than 16 KiB") : Verdict::kMore;
  }
  const auto& message = parser_->parser.get();
  if (const char* twice = SaidTwice(message))
    return Bad(std::string(twice) + " stands there twice");
  answer = Extract(message.result_int(), message);
  return Verdict::kAnswer;
}

}  // namespace postern
