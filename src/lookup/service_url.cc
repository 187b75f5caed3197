#include "lookup/service_url.h"

#include <algorithm>
#include <optional>

#include "postern/base/text.h"

namespace postern {
namespace {

struct Scheme {
  std::string_view name;
  bool tls;
  std::uint16_t port;
};

Status Wrong(std::string_view url, std::string_view what) {
  return Status::Error("url " + JsonQuote(url, 128) + ": " + std::string(what));
}

bool IsPlainText(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7F; });
}

// "host", "host:port", "[2001:db8::1]:port".
bool TakeAuthority(std::string_view text, ServiceUrl& url) {
  std::size_t end = text.find(':');
  if (text.starts_with('[')) {
    end = text.find(']');
    if (end == text.npos) return false;
    url.host = text.substr(1, end - 1);
    ++end;
  } else {
    url.host = text.substr(0, end);
  }
  if (url.host.empty()) return false;
  if (end == text.npos || end == text.size()) return true;
  const std::optional<std::uint64_t> port = ParseNumber(text.substr(end + 1));
  if (text[end] != ':' || !port || *port == 0 || *port > 65535) return false;
  url.port = static_cast<std::uint16_t>(*port);
  return true;
}

Result<ServiceUrl> ParseUrl(std::string_view text, const Scheme (&schemes)[2]) {
  for (const Scheme& scheme : schemes) {
    const std::string prefix = std::string(scheme.name) + "://";
    if (!StartsWithNoCase(text, prefix)) continue;
    if (!IsPlainText(text)) return Wrong(text, "it has a character that no URL has");
    if (text.find('#') != text.npos) return Wrong(text, "it has a fragment");
    ServiceUrl url;
    url.tls = scheme.tls;
    url.port = scheme.port;
    const std::string_view rest = text.substr(prefix.size());
    const std::size_t slash = std::min(rest.find_first_of("/?"), rest.size());
    const std::string_view authority = rest.substr(0, slash);
    if (authority.find('@') != authority.npos) {
      return Status::Error("url: a user and a password do not belong here; use password_file");
    }
    if (!TakeAuthority(authority, url)) return Wrong(text, "it has no host, or a wrong port");
    url.path = rest.substr(slash);
    if (!url.path.starts_with('/')) url.path.insert(0, "/");
    return url;
  }
  return Wrong(text, "it should begin with " + std::string(schemes[0].name) + ":// or " +
                         std::string(schemes[1].name) + "://");
}

}  // namespace

Result<ServiceUrl> ServiceUrl::Http(std::string_view url) {
  return ParseUrl(url, {{"http", false, 80}, {"https", true, 443}});
}

Result<ServiceUrl> ServiceUrl::Redis(std::string_view text) {
  Result<ServiceUrl> url = ParseUrl(text, {{"redis", false, 6379}, {"rediss", true, 6379}});
  if (!url.ok()) return url;
  const std::string_view db = std::string_view(url.value().path).substr(1);
  const std::optional<std::uint64_t> number = ParseNumber(db);
  if (!db.empty() && (!number || *number > 65535)) {
    return Wrong(text, "what stands behind the host is the number of a database");
  }
  return url;
}

std::string ServiceUrl::HostPort() const {
  const bool brackets = host.find(':') != std::string::npos;
  return (brackets ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

}  // namespace postern
