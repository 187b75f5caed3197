// The rows of what says where a session goes and what it may do: [[lookup]], [rules].
#include <fmt/format.h>

#include <array>

#include "postern/base/text.h"
#include "server/config_schema.h"

namespace postern {
namespace {

using std::chrono::milliseconds;
using Type = LookupConfig::Type;

std::string_view TypeText(Type type) {
  switch (type) {
    case Type::kFile:
      return "file";
    case Type::kHttp:
      return "http";
    case Type::kRedis:
      return "redis";
  }
  return {};
}

// {user}, {local} and {domain} stand for parts of the login name; other braces are slips.
void ReadCommand(Value& value, std::string& out) {
  constexpr std::array<std::string_view, 3> kParts{"user", "local", "domain"};
  std::string text;
  value.Text(text);
  std::string_view rest = text;
  for (std::size_t open = 0; (open = rest.find_first_of("{}")) != rest.npos;) {
    const std::size_t close = rest.find('}', open);
    if (rest[open] == '}' || close == rest.npos) {
      return value.Reject("a brace stands alone; write {user}, {local} or {domain}");
    }
    const std::string_view part = rest.substr(open + 1, close - open - 1);
    if (std::find(kParts.begin(), kParts.end(), part) == kParts.end()) {
      return value.Reject(
          fmt::format("{{{}}} is not known; write {{user}}, {{local}} or {{domain}}", part));
    }
    rest.remove_prefix(close + 1);
  }
  if (!text.empty()) out = std::move(text);
}

// What lookups in files do not have is not printed for them.
std::string OfRemote(const LookupConfig& lookup, std::string text) {
  return lookup.type == Type::kFile ? std::string() : text;
}

void ReadFiles(Value& value, Config& config) {
  std::vector<std::string> files;
  const bool good = value.Each("a path", true, [&](const std::string& text) -> Status {
    if (text.empty()) return Status::Error("is empty; name a file or a pattern of files");
    files.push_back(FromFolderOf(value.file(), text));
    return {};
  });
  if (good) config.rule_files = std::move(files);
}

// clang-format off
constexpr Key kKeys[] = {
  {"lookup", "type", "file, http or redis", "", "who is asked", true,
   [](Value& v, Target& t) { v.Choice({"file", "http", "redis"}, t.lookup->type); },
   [](const Target& t) { return TomlQuote(TypeText(t.lookup->type)); }},
  {"lookup", "name", kName, "", "its name in metrics and logs; default: its type, with a number from the second on", false,
   [](Value& v, Target& t) { v.Name(t.lookup->name); },
   [](const Target& t) { return OptionalText(t.lookup->name); }},
  {"lookup", "path", kPath, "", "file: lines of user, tab, pool or pool/backend", false,
   [](Value& v, Target& t) { v.Path(t.lookup->path); },
   [](const Target& t) { return OptionalText(t.lookup->path); }},
  {"lookup", "url", "URL", "", "http, https: nginx's auth_http protocol; redis, rediss: redis://host:port/db", false,
   [](Value& v, Target& t) { v.Text(t.lookup->url); },
   [](const Target& t) { return OptionalText(t.lookup->url); }},
  {"lookup", "command", kText, "", "redis: what to ask, with {user}, {local} and {domain} of the login name", false,
   [](Value& v, Target& t) { ReadCommand(v, t.lookup->command); },
   [](const Target& t) { return OptionalText(t.lookup->command); }},
  {"lookup", "user", kText, "", "redis: AUTH with this name and the password", false,
   [](Value& v, Target& t) { v.Text(t.lookup->user); },
   [](const Target& t) { return OptionalText(t.lookup->user); }},
  {"lookup", "password_file", kPath, "", "redis: AUTH with the file's one line", false,
   [](Value& v, Target& t) { v.Path(t.lookup->password_file); },
   [](const Target& t) { return OptionalText(t.lookup->password_file); }},
  {"lookup", "ca", kPath, "", "https, rediss: PEM, the roots to trust; default: the system's bundle", false,
   [](Value& v, Target& t) { v.Path(t.lookup->ca); },
   [](const Target& t) { return OptionalText(t.lookup->ca); }},
  {"lookup", "timeout", kTime, "\"2s\"", "http, redis: how long one question may take", false,
   [](Value& v, Target& t) { v.Time(t.lookup->timeout, milliseconds(1)); },
   [](const Target& t) { return OfRemote(*t.lookup, TomlQuote(DurationText(t.lookup->timeout))); }},
  {"lookup", "ttl", kTime, "\"1m\"", "http, redis: how long an answer is remembered; \"0s\": not at all", false,
   [](Value& v, Target& t) { v.Time(t.lookup->ttl, milliseconds(0)); },
   [](const Target& t) { return OfRemote(*t.lookup, TomlQuote(DurationText(t.lookup->ttl))); }},
  {"lookup", "stale", kTime, "\"10m\"", "http, redis: how long an old answer serves while the other side is away", false,
   [](Value& v, Target& t) { v.Time(t.lookup->stale, milliseconds(0)); },
   [](const Target& t) { return OfRemote(*t.lookup, TomlQuote(DurationText(t.lookup->stale))); }},

  {"rules", "files", "path or list of paths", "[]",
   "rule files in the order of their names; * and ? stand for parts of a name", false,
   [](Value& v, Target& t) { ReadFiles(v, t.config); },
   [](const Target& t) { return ListText(t.config.rule_files); }},
};
// clang-format on

}  // namespace

std::span<const Key> LookupKeys() { return kKeys; }

}  // namespace postern
