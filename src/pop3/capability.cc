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

bool Contains(Names names, std::string_view name) {
  return std::any_of(names.begin(), names.end(),
                     [name](const std::string& one) { return EqualsNoCase(one, name); });
}

// A client's CAPA reply, line by line.
struct Listing {
  const Filter& filter;
  std::string text;
  std::vector<std::string> names;  // that have had their say, upper case

  // Each name once, and never a hidden one.
  bool Takes(std::string_view name) {
    if (Contains(filter.hidden, name) || Contains(names, name)) return false;
    names.push_back(ToUpper(name));
    return true;
  }
  bool MayPass(std::string_view name) const {
    if (EqualsNoCase(name, "STLS") || EqualsNoCase(name, "XCLIENT")) return false;
    if (EqualsNoCase(name, "USER")) return filter.taken.passwords();
    const bool known = std::any_of(kPassed.begin(), kPassed.end(), [name](const Passed& passed) {
      return EqualsNoCase(passed.name, name);
    });
    return known || Contains(filter.passed, name);
  }
  void AddBackends(std::string_view line) {
    if (!IsPrintable(line)) return;
    std::string_view rest = line;
    const std::string_view name = TakeWord(rest);
    if (EqualsNoCase(name, "SASL")) {
      const std::string sasl = SaslLine(ListedMechanisms(rest), Shown(filter.taken, filter.hidden));
      if (!sasl.empty() && Takes(name)) text.append(sasl);
    } else if (MayPass(name) && Takes(name)) {
      text.append(line).append("\r\n");
    }
  }
  std::string Finish() {
    for (const Passed& passed : kPassed) {
      if (passed.always && Takes(passed.name)) text.append(passed.name).append("\r\n");
    }
    return text.append(kEnd);
  }
};

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

std::string FilterCapabilities(std::string_view body, const Filter& filter) {
  Listing listing{filter, {}, {}};
  while (!body.empty()) listing.AddBackends(TakeLine(body));
  return listing.Finish();
}

std::string OwnCapabilities(const Offer& offer) {
  std::string list;
  const auto add = [&](std::string_view name) {
    if (!Contains(offer.hidden, name)) list.append(name).append("\r\n");
  };
  if (offer.stls) add("STLS");
  if (offer.mechanisms.passwords()) add("USER");
  if (!Contains(offer.hidden, "SASL")) {
    list.append(SaslLine({std::begin(kSaslMechanisms), std::end(kSaslMechanisms)},
                         Shown(offer.mechanisms, offer.hidden)));
  }
  add("TOP");
  add("UIDL");
  if (offer.utf8) add("UTF8");
  for (const Passed& passed : kPassed) {
    if (passed.always) add(passed.name);
  }
  if (!Contains(offer.hidden, "IMPLEMENTATION")) list.append("IMPLEMENTATION Postern\r\n");
  return list.append(kEnd);
}

std::string MechanismList(MechanismSet mechanisms) {
  std::string list;
  for (const Mechanism mechanism : kSaslMechanisms) {
    if (mechanisms.Has(mechanism)) list.append(MechanismName(mechanism)).append("\r\n");
  }
  return list.append(kEnd);
}

MechanismSet Shown(MechanismSet mechanisms, Names hidden) {
  if (hidden.empty()) return mechanisms;
  MechanismSet shown;
  for (const Mechanism mechanism : kSaslMechanisms) {
    const bool is_hidden = Contains(hidden, "AUTH=" + std::string(MechanismName(mechanism)));
    if (mechanisms.Has(mechanism) && !is_hidden) shown.Add(mechanism);
  }
  return shown;
}

}  // namespace postern::pop3
