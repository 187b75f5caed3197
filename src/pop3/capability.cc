#include "postern/pop3/capability.h"

#include <algorithm>
#include <array>

#include "postern/base/text.h"

namespace postern::pop3 {
namespace {

constexpr std::string_view kEnd = ".\r\n";

struct Passed {
  std::string_view name;
  bool always;  // listed whatever the backend says
};
constexpr std::array<Passed, 9> kPassed{{
    {"TOP", false},
    {"UIDL", false},
    {"USER", false},
    {"EXPIRE", false},
    {"LOGIN-DELAY", false},
    {"IMPLEMENTATION", false},
    {"PIPELINING", true},
    {"RESP-CODES", true},
    {"AUTH-RESP-CODE", true},
}};

// Takes the first line off the body, without its CRLF.
std::string_view TakeLine(std::string_view& body) {
  const std::size_t end = body.find("\r\n");
  const std::string_view line = body.substr(0, end);
  body.remove_prefix(end == body.npos ? body.size() : end + 2);
  return line;
}

// Takes the first word off the line, and the spaces behind it.
std::string_view TakeWord(std::string_view& line) {
  const std::string_view word = line.substr(0, line.find(' '));
  line.remove_prefix(std::min(line.find_first_not_of(' ', word.size()), line.size()));
  return word;
}

bool IsPrintable(std::string_view line) {
  return std::all_of(line.begin(), line.end(), [](char c) { return c >= ' ' && c < '\x7f'; });
}

bool ListsPlain(std::string_view mechanisms) {
  while (!mechanisms.empty()) {
    if (EqualsNoCase(TakeWord(mechanisms), "PLAIN")) return true;
  }
  return false;
}

}  // namespace

Capabilities ParseCapabilities(std::string_view body) {
  Capabilities found;
  while (!body.empty()) {
    std::string_view line = TakeLine(body);
    const std::string_view name = TakeWord(line);
    if (EqualsNoCase(name, "PIPELINING")) found.pipelining = true;
    if (EqualsNoCase(name, "SASL")) found.sasl_plain = found.sasl_plain || ListsPlain(line);
  }
  return found;
}

std::string FilterCapabilities(std::string_view body) {
  std::array<bool, kPassed.size()> listed{};
  bool sasl = false;
  std::string filtered;
  while (!body.empty()) {
    const std::string_view line = TakeLine(body);
    if (!IsPrintable(line)) continue;
    std::string_view rest = line;
    const std::string_view name = TakeWord(rest);
    if (EqualsNoCase(name, "SASL") && !sasl && ListsPlain(rest)) {
      sasl = true;
      filtered.append("SASL PLAIN\r\n");
    }
    for (std::size_t i = 0; i < kPassed.size(); ++i) {
      if (listed[i] || !EqualsNoCase(name, kPassed[i].name)) continue;
      listed[i] = true;
      filtered.append(line).append("\r\n");
    }
  }
  for (std::size_t i = 0; i < kPassed.size(); ++i) {
    if (kPassed[i].always && !listed[i]) filtered.append(kPassed[i].name).append("\r\n");
  }
  return filtered.append(kEnd);
}

std::string_view OwnCapabilities() {
  return "USER\r\nSASL PLAIN\r\nTOP\r\nUIDL\r\nPIPELINING\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\n"
         "IMPLEMENTATION Postern\r\n.\r\n";
}

}  // namespace postern::pop3
