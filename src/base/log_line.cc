#include <fmt/format.h>
#include <time.h>

#include <chrono>

#include "postern/base/log.h"
#include "postern/base/text.h"

namespace postern {
namespace {

// Wall clock time, RFC 3339 with milliseconds, UTC.
std::string TimeText() {
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  const auto milliseconds =
      std::chrono::duration_cast<std::chrono::milliseconds>(since_epoch).count();
  const std::time_t seconds = milliseconds / 1000;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", utc.tm_year + 1900,
                     utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec,
                     milliseconds % 1000);
}

}  // namespace

LogLine::LogLine(std::string_view event)
    : line_(fmt::format("{{\"time\":\"{}\",\"event\":{}", TimeText(), JsonQuote(event))) {}

LogLine& LogLine::Text(std::string_view key, std::string_view value) {
  return Json(key, JsonQuote(value));
}

LogLine& LogLine::Number(std::string_view key, std::int64_t value) {
  return Json(key, fmt::format("{}", value));
}

LogLine& LogLine::Seconds(std::string_view key, double value) {
  return Json(key, fmt::format("{:.6f}", value));
}

LogLine& LogLine::Flag(std::string_view key, bool value) {
  return Json(key, value ? "true" : "false");
}

LogLine& LogLine::Json(std::string_view key, std::string_view json) {
  line_ += ",\"";
  line_ += key;
  line_ += "\":";
  line_ += json;
  return *this;
}

std::string LogLine::Take() {
  line_ += "}\n";
  return std::move(line_);
}

}  // namespace postern
