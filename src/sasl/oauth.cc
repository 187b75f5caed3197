// XOAUTH2 and OAUTHBEARER of messages.h: pairs "key=value" that each end in ^A, and one ^A more.
#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "postern/base/text.h"
#include "sasl/messages.h"

namespace postern {
namespace {

constexpr char kSeparator = '\x01';
constexpr std::string_view kEnd = "\x01\x01";
constexpr std::string_view kForbidden{"\0\r\n", 3};
constexpr std::string_view kScheme = "Bearer ";

struct Pairs {
  std::optional<std::string_view> user;
  std::optional<std::string_view> auth;
};

// key = 1*ALPHA (RFC 7628 section 3.1).
bool IsKey(std::string_view key) {
  const auto is_alpha = [](char c) { return AsciiLower(c) >= 'a' && AsciiLower(c) <= 'z'; };
  return !key.empty() && std::all_of(key.begin(), key.end(), is_alpha);
}

// A key that comes twice could mean one thing here and another at the backend.
bool Take(std::optional<std::string_view>& slot, std::string_view value) {
  if (slot) return false;
  slot = value;
  return true;
}

// Other keys (host, port) are passed over: the client's are the gateway's.
Result<Pairs> ReadPairs(std::string_view text) {
  if (!text.ends_with(kSeparator)) return Status::Error("the message does not end in two 0x01");
  text.remove_suffix(1);
  Pairs pairs;
  while (!text.empty()) {
    const std::size_t end = text.find(kSeparator);
    if (end == text.npos) return Status::Error("the message does not end in two 0x01");
    const std::string_view pair = text.substr(0, end);
    text.remove_prefix(end + 1);
    const std::size_t equals = pair.find('=');
    if (equals == pair.npos || !IsKey(pair.substr(0, equals))) {
      return Status::Error("the message holds something else than key=value");
    }
    const std::string_view key = pair.substr(0, equals);
    const std::string_view value = pair.substr(equals + 1);
    if (key == "auth" && !Take(pairs.auth, value)) return Status::Error("auth= is there twice");
    if (key == "user" && !Take(pairs.user, value)) return Status::Error("user= is there twice");
  }
  return pairs;
}

Status CheckFraming(std::string_view message) {
  if (message.find_first_of(kForbidden) == message.npos) return {};
  return Status::Error("the message holds NUL, CR or LF");
}

Result<Credentials> Join(std::string user, const std::optional<std::string_view>& auth) {
  if (!auth) return Status::Error("the message has no auth=");
  if (auth->size() <= kScheme.size() || !StartsWithNoCase(*auth, kScheme)) {
    return Status::Error("auth= is not a bearer token");
  }
  Credentials credentials;
  credentials.user = std::move(user);
  credentials.password = Secret(*auth);
  const Status status = CheckCredentials(credentials);
  if (!status.ok()) return status;
  return credentials;
}

// saslname (RFC 5801 section 4): "=2C" is a comma, "=3D" an equals sign, neither stands for itself.
std::optional<std::string> Unescape(std::string_view name) {
  std::string out;
  for (std::size_t i = 0; i < name.size(); ++i) {
    char c = name[i];
    if (c == kSeparator) return std::nullopt;
    if (c == '=') {
      const std::string_view code = name.substr(i, 3);
      if (code != "=2C" && code != "=3D") return std::nullopt;
      c = code == "=2C" ? ',' : '=';
      i += 2;
    }
    out += c;
  }
  return out;
}

void AppendEscaped(Secret& out, std::string_view name) {
  for (const char& c : name) {
    if (c == ',') {
      out.Append("=2C");
    } else if (c == '=') {
      out.Append("=3D");
    } else {
      out.Append({&c, 1});
    }
  }
}

// Takes "n,a=USER," off the front and gives the user. A client that says "y" could bind channels
// and saw no mechanism that does (RFC 5801 section 5): true of us too.
Result<std::string> TakeGs2User(std::string_view& message) {
  if (message.starts_with("p=")) return Status::Error("channel binding is not supported");
  if (!message.starts_with("n,") && !message.starts_with("y,")) {
    return Status::Error("the message does not begin with a GS2 header");
  }
  message.remove_prefix(2);
  const std::size_t comma = message.find(',');
  if (comma == message.npos) return Status::Error("the GS2 header does not end");
  const std::string_view authzid = message.substr(0, comma);
  message.remove_prefix(comma + 1);
  if (authzid.empty()) return Status::Error("the message names no user: its GS2 header needs a=");
  if (!authzid.starts_with("a=")) return Status::Error("the GS2 header is malformed");
  std::optional<std::string> user = Unescape(authzid.substr(2));
  if (!user) return Status::Error("the user name in the GS2 header is malformed");
  return *std::move(user);
}

}  // namespace

Result<Credentials> ParseXoauth2(std::string_view message) {
  const Status framing = CheckFraming(message);
  if (!framing.ok()) return framing;
  const Result<Pairs> pairs = ReadPairs(message);
  if (!pairs.ok()) return pairs.error();
  if (!pairs.value().user) return Status::Error("the message has no user=");
  return Join(std::string(*pairs.value().user), pairs.value().auth);
}

Secret MakeXoauth2(const Credentials& credentials) {
  Secret message("user=");
  message.Append(credentials.user);
  message.Append(
      "\x01"
      "auth=");
  message.Append(credentials.password.Reveal());
  message.Append(kEnd);
  return message;
}

Result<Credentials> ParseOauthbearer(std::string_view message) {
  const Status framing = CheckFraming(message);
  if (!framing.ok()) return framing;
  Result<std::string> user = TakeGs2User(message);
  if (!user.ok()) return user.error();
  if (!message.starts_with(kSeparator)) {
    return Status::Error("the GS2 header is not followed by 0x01");
  }
  const Result<Pairs> pairs = ReadPairs(message.substr(1));
  if (!pairs.ok()) return pairs.error();
  return Join(std::move(user.value()), pairs.value().auth);
}

Secret MakeOauthbearer(const Credentials& credentials) {
  Secret message("n,a=");
  AppendEscaped(message, credentials.user);
  message.Append(
      ",\x01"
      "auth=");
  message.Append(credentials.password.Reveal());
  message.Append(kEnd);
  return message;
}

}  // namespace postern
