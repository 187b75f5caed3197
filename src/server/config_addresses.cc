// Hosts and addresses among the values of config_values.h. Nothing is asked of a resolver here.
#include <fmt/format.h>

#include <algorithm>

#include "postern/base/text.h"
#include "server/config_values.h"

namespace postern {
namespace {

constexpr std::size_t kMaxHost = 253;  // RFC 1035 §2.3.4, without the dot at the end
constexpr std::size_t kMaxLabel = 63;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLabelCharacter(char c) {
  const char upper = AsciiUpper(c);
  return (upper >= 'A' && upper <= 'Z') || IsDigit(c) || c == '-' || c == '_';
}
bool IsLabel(std::string_view label) {
  return !label.empty() && label.size() <= kMaxLabel && label.front() != '-' &&
         label.back() != '-' && std::all_of(label.begin(), label.end(), IsLabelCharacter);
}

bool IsNumericHost(const std::string& text) {
  const bool brackets = text.find(':') != std::string::npos;
  return Address::Parse((brackets ? "[" + text + "]" : text) + ":0").ok();
}

// "name:143" whose name may be one and whose port is a port.
bool IsNamedEndpoint(std::string_view text) {
  const std::size_t colon = std::min(text.rfind(':'), text.size());
  const auto port = ParseNumber(text.substr(std::min(colon + 1, text.size())));
  return port && *port <= 65535 && IsHostName(text.substr(0, colon));
}

}  // namespace

bool IsHostName(std::string_view text) {
  if (text.size() > kMaxHost) return false;
  std::string_view rest = text;
  std::string_view label;
  do {
    const std::size_t size = std::min(rest.find('.'), rest.size());
    label = rest.substr(0, size);
    if (!IsLabel(label)) return false;
    rest.remove_prefix(size);
    if (rest.size() == 1) return false;  // a dot at the end
    if (!rest.empty()) rest.remove_prefix(1);
  } while (!rest.empty());
  // What ends in a number is meant as a numeric address.
  return !std::all_of(label.begin(), label.end(), IsDigit);
}

void Value::Endpoint(Address& out) {
  std::string text;
  if (!String("host:port", text)) return;
  const Result<Address> address = Address::Parse(text);
  if (!address.ok()) return Reject(address.error().message());
  out = address.value();
}

void Value::Remote(Address& out, std::string& out_text, bool& known) {
  std::string text;
  if (!String("host:port", text)) return;
  // Known even if it is wrong: one mistake, one message.
  known = true;
  const Result<Address> address = Address::Parse(text);
  if (!address.ok() && !IsNamedEndpoint(text)) return Reject(address.error().message());
  if (text.substr(text.rfind(':')) == ":0") {
    return Reject("port 0; name the port the backend listens on");
  }
  if (address.ok()) out = address.value();
  out_text = std::move(text);
}

void Value::Host(std::string& out) {
  std::string text;
  if (!String("a host name", text)) return;
  if (!IsHostName(text) && !IsNumericHost(text)) {
    return Reject("not a host; write a name such as \"mail.internal\", without port");
  }
  out = std::move(text);
}

void Value::Local(std::string& out) {
  constexpr std::string_view kUnix = "unix:";
  std::string text;
  if (!String("host:port or unix:PATH", text)) return;
  if (StartsWithNoCase(text, kUnix)) {
    const std::string path = text.substr(kUnix.size());
    if (path.empty()) return Reject("has no path; write \"unix:/run/postern/admin.sock\"");
    out = std::string(kUnix) + FromFolderOf(problems_.path(), path);
    return;
  }
  const Result<Address> address = Address::Parse(text);
  if (!address.ok()) return Reject(address.error().message());
  out = address.value().Text();
}

}  // namespace postern
