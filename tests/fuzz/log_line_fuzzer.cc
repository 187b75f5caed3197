// F-12: what we write for machines, made of any bytes: lines of the log and the page of metrics.
// Input: one byte that chooses a limit, eight bytes for numbers, then values, each ended by 0xFF.
//
// A violation aborts. Log: whatever the values, a line is exactly one JSON object and one newline,
// its members are those that were put in, and a value that is UTF-8 and not too long comes out as
// it went in. Metrics: each sample is one line of the exposition format (version 0.0.4) and its
// labels are read back as they were; names of labels are configured ones, which TOML keeps UTF-8,
// so that is not judged here.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "metrics/exposition.h"
#include "postern/base/check.h"
#include "postern/base/log.h"
#include "postern/base/text.h"
#include "support/strict_json.h"

namespace postern::testing {
namespace {

constexpr std::size_t kLimit = 512;  // of a log line's values

struct Input {
  std::size_t limit = 0;
  std::int64_t number = 0;
  std::vector<std::string> values;
};

// What a value of a log line must be read back as; nothing where that cannot be said in one line.
std::optional<std::string> Expected(const std::string& value, std::size_t limit) {
  if (value.size() > limit || !IsUtf8(value)) return std::nullopt;
  return value;
}

void CheckQuote(const std::string& value, std::size_t limit) {
  const std::optional<std::string> read = ReadJsonString(JsonQuote(value, limit));
  POSTERN_CHECK(read);
  const std::optional<std::string> expected = Expected(value, limit);
  if (expected) POSTERN_CHECK(*read == *expected);
  if (value.size() > limit) POSTERN_CHECK(read->ends_with("..."));
  // An octet that is no UTF-8 becomes a character of two.
  POSTERN_CHECK(read->size() <= 2 * limit + 3);
}

void CheckLine(const Input& input) {
  LogLine line(input.values[0]);
  for (std::size_t i = 1; i < input.values.size(); ++i) {
    line.Text("t" + std::to_string(i), input.values[i]);
  }
  const double seconds = static_cast<double>(input.number) / 1e9;
  const std::string text =
      line.Number("n", input.number).Flag("f", true).Seconds("s", seconds).Take();
  POSTERN_CHECK(text.find('\n') == text.size() - 1);
  const auto members = ReadFlatJson(std::string_view(text).substr(0, text.size() - 1));
  POSTERN_CHECK(members && members->size() == input.values.size() + 4);
  POSTERN_CHECK(members->at("n") == std::to_string(input.number) && members->at("f") == "true");
  for (std::size_t i = 0; i < input.values.size(); ++i) {
    const auto expected = Expected(input.values[i], kLimit);
    const std::string key = i == 0 ? "event" : "t" + std::to_string(i);
    if (expected) POSTERN_CHECK(members->at(key) == *expected);
  }
}

bool Skip(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

// A label's value behind its opening quote, with the closing one.
std::string TakeLabel(std::string_view& text) {
  std::string value;
  while (true) {
    POSTERN_CHECK(!text.empty() && text.front() != '\n');
    char c = text.front();
    text.remove_prefix(1);
    if (c == '"') return value;
    if (c == '\\') {
      POSTERN_CHECK(!text.empty());
      c = text.front() == 'n' ? '\n' : text.front();
      POSTERN_CHECK(c == '\n' || c == '"' || c == '\\');
      text.remove_prefix(1);
    }
    value += c;
  }
}

void CheckExposition(const Input& input) {
  Exposition exposition(input.limit + 1);
  const std::size_t most = input.limit + 1;
  exposition.Counters("postern_fuzz_total", "Things.");
  for (const std::string& value : input.values)
    exposition.Sample({{"a", value}, {"b", value}}, 7.0);
  const std::size_t shown = std::min(most, input.values.size());
  POSTERN_CHECK(exposition.dropped() == input.values.size() - shown);
  const std::string page = exposition.Text();
  std::string_view rest = page;
  POSTERN_CHECK(Skip(rest, "# HELP postern_fuzz_total Things.\n"));
  POSTERN_CHECK(Skip(rest, "# TYPE postern_fuzz_total counter\n"));
  for (std::size_t i = 0; i < shown; ++i) {
    POSTERN_CHECK(Skip(rest, "postern_fuzz_total{a=\""));
    POSTERN_CHECK(TakeLabel(rest) == input.values[i]);
    POSTERN_CHECK(Skip(rest, ",b=\""));
    POSTERN_CHECK(TakeLabel(rest) == input.values[i]);
    POSTERN_CHECK(Skip(rest, "} 7\n"));
  }
  POSTERN_CHECK(rest.empty());
}

Input Read(const std::uint8_t* data, std::size_t size) {
  Input input;
  input.limit = data[0];
  std::memcpy(&input.number, data + 1, sizeof input.number);
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  bytes.remove_prefix(9);
  while (true) {
    const std::size_t end = bytes.find('\xff');
    input.values.emplace_back(bytes.substr(0, end));
    if (end == bytes.npos) return input;
    bytes.remove_prefix(end + 1);
  }
}

}  // namespace
}  // namespace postern::testing

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 9 || size > 4096) return 0;
  const postern::testing::Input input = postern::testing::Read(data, size);
  for (const std::string& value : input.values) {
    postern::testing::CheckQuote(value, input.limit);
  }
  postern::testing::CheckLine(input);
  postern::testing::CheckExposition(input);
  return 0;
}
