#include "engine/pop3_text.h"

#include <algorithm>

#include "postern/base/text.h"
#include "postern/engine/limits.h"

namespace postern::pop3 {
namespace {

constexpr std::string_view kOk = "+OK";
constexpr std::string_view kErr = "-ERR";

bool IsControl(char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }

}  // namespace

bool IsOk(std::string_view line) { return StartsWithNoCase(line, kOk); }
bool IsErr(std::string_view line) { return StartsWithNoCase(line, kErr); }

std::string_view StatusText(std::string_view line) {
  line.remove_prefix(IsOk(line) ? kOk.size() : kErr.size());
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  return line;
}

std::string_view ResponseCode(std::string_view text) {
  if (text.empty() || text[0] != '[') return {};
  const std::size_t end = text.find(']');
  return end == text.npos ? std::string_view{} : text.substr(1, end - 1);
}

std::string StatusLine(std::string_view start, std::string_view text) {
  std::string line(start);
  if (!text.empty()) line.append(" ").append(text);
  if (line.size() > kMaxRelayedText - 2) line.resize(kMaxRelayedText - 2);
  std::replace_if(line.begin(), line.end(), IsControl, ' ');
  return line.append("\r\n");
}

}  // namespace postern::pop3
