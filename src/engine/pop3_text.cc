#include "engine/pop3_text.h"

#include <algorithm>
#include <utility>

#include "postern/base/text.h"
#include "postern/engine/limits.h"

namespace postern::pop3 {
namespace {

constexpr std::string_view kOk = "+OK";
constexpr std::string_view kErr = "-ERR";

bool IsControl(char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }

// line: without CRLF.
std::string OneLine(std::string line, std::size_t most) {
  if (line.size() > most - 2) line.resize(most - 2);
  std::replace_if(line.begin(), line.end(), IsControl, ' ');
  return line.append("\r\n");
}

}  // namespace

bool IsOk(std::string_view line) { return StartsWithNoCase(line, kOk); }
bool IsErr(std::string_view line) { return StartsWithNoCase(line, kErr); }
bool IsContinuation(std::string_view line) { return line.starts_with('+') && !IsOk(line); }

std::string_view StatusText(std::string_view line) {
  const std::size_t mark = IsOk(line) ? kOk.size() : IsErr(line) ? kErr.size() : 1;
  line.remove_prefix(std::min(mark, line.size()));
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
  return OneLine(std::move(line), kMaxRelayedText);
}

std::string RefusalLine(std::string_view text) {
  if (!ResponseCode(text).empty()) return StatusLine(kErr, text);
  return DenialLine(Trouble::kCredentials, text.empty() ? "login failed" : text);
}

std::string DenialLine(Trouble trouble, std::string_view text) {
  std::string line = Pop3Line(trouble, text);
  line.resize(line.size() - 2);
  return OneLine(std::move(line), kMaxRelayedText);
}

std::string ChallengeLine(std::string_view text) {
  return OneLine("+ " + std::string(text), kMaxCapabilityLine + 4);
}

}  // namespace postern::pop3
