#include "postern/pop3/capability.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>
#include <vector>

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

// The mechanisms of a SASL line that Postern knows, in its order.
std::vector<Mechanism> ListedMechanisms(std::string_view words) {
  std::vector<Mechanism> listed;
  while (!words.empty()) {
    const std::optional<Mechanism> mechanism = SaslMechanismOf(TakeWord(words));
    if (mechanism && std::find(listed.begin(), listed.end(), *mechanism) == listed.end()) {
      listed.push_back(*mechanism);
    }
  }
  return listed;
}

// "SASL PLAIN LOGIN\r\n", of those that are taken; nothing when that is none.
std::string SaslLine(const std::vector<Mechanism>& listed, MechanismSet taken) {
  std::string line;
  for (const Mechanism mechanism : listed) {
    if (taken.Has(mechanism)) line.append(" ").append(MechanismName(mechanism));
  }
  return line.empty() ? line : "SASL" + line + "\r\n";
}

}  // namespace

Capabilities ParseCapabilities(std::string_view body) {
  Capabilities found;
  while (!body.empty()) {
    std::string_view line = TakeLine(body);
    const std::string_view name = TakeWord(line);
    if (EqualsNoCase(name, "PIPELINING")) found.pipelining = true;
    if (EqualsNoCase(name, "USER")) found.user = true;
    if (EqualsNoCase(name, "STLS")) found.stls = true;
    if (EqualsNoCase(name, "UTF8")) found.utf8 = true;
    if (EqualsNoCase(name, "XCLIENT")) found.xclient = true;
    if (!EqualsNoCase(name, "SASL")) continue;
    for (const Mechanism mechanism : ListedMechanisms(line)) found.sasl.Add(mechanism);
  }
  return found;
}

std::string FilterCapabilities(std::string_view body, MechanismSet taken) {
  std::array<bool, kPassed.size()> listed{};
  bool sasl = false;
  std::string filtered;
  while (!body.empty()) {
    const std::string_view line = TakeLine(body);
    if (!IsPrintable(line)) continue;
    std::string_view rest = line;
    const std::string_view name = TakeWord(rest);
    if (EqualsNoCase(name, "SASL") && !sasl) {
      const std::string mechanisms = SaslLine(ListedMechanisms(rest), taken);
      sasl = !mechanisms.empty();
      filtered.append(mechanisms);
    }
    if (EqualsNoCase(name, "USER") && !taken.passwords()) continue;
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

std::string OwnCapabilities(const Offer& offer) {
  std::string list;
  if (offer.stls) list.append("STLS\r\n");
  if (offer.mechanisms.passwords()) list.append("USER\r\n");
  list.append(SaslLine({std::begin(kSaslMechanisms), std::end(kSaslMechanisms)}, offer.mechanisms));
  list.append("TOP\r\nUIDL\r\nPIPELINING\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\n");
  return list.append("IMPLEMENTATION Postern\r\n").append(kEnd);
}

std::string MechanismList(MechanismSet mechanisms) {
  std::string list;
  for (const Mechanism mechanism : kSaslMechanisms) {
    if (mechanisms.Has(mechanism)) list.append(MechanismName(mechanism)).append("\r\n");
  }
  return list.append(kEnd);
}

}  // namespace postern::pop3
