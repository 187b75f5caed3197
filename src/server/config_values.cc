#include "server/config_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <tuple>

#include "postern/base/text.h"

namespace postern {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t factor;
};
// Largest first.
constexpr std::array<Unit, 4> kTimeUnits{{{"h", 3'600'000}, {"m", 60'000}, {"s", 1000}, {"ms", 1}}};
constexpr std::array<Unit, 4> kSizeUnits{
    {{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}}};
// A year in milliseconds and a tebibyte: longer and larger ones are slips of the pen.
constexpr std::int64_t kMostTime = std::int64_t{366} * 24 * 3'600'000;
constexpr std::int64_t kMostSize = std::int64_t{1} << 40;

// digits and one of the units; nothing when it is not that, or beyond most.
template <typename Units>
std::optional<std::int64_t> ParseUnits(std::string_view text, const Units& units,
                                       std::int64_t most) {
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const std::optional<std::uint64_t> number = ParseNumber(text.substr(0, digits));
  if (!number) return std::nullopt;
  for (const Unit& unit : units) {
    if (text.substr(digits) != unit.name) continue;
    if (*number > static_cast<std::uint64_t>(most / unit.factor)) return std::nullopt;
    return static_cast<std::int64_t>(*number) * unit.factor;
  }
  return std::nullopt;
}

template <typename Units>
std::string UnitsText(std::int64_t value, const Units& units) {
  for (const Unit& unit : units) {
    if (value % unit.factor == 0) return fmt::format("{}{}", value / unit.factor, unit.name);
  }
  return fmt::format("{}{}", value, units.back().name);
}

// The parser quotes what it stumbled over; control characters of the file steer no terminal.
std::string Printable(std::string_view message) {
  std::string out;
  for (const char c : message) {
    const auto octet = static_cast<unsigned char>(c);
    if (octet >= 0x20 && octet != 0x7F) {
      out += c;
    } else {
      out += fmt::format("\\u{:04x}", octet);
    }
  }
  return out;
}

std::string_view TypeText(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::none:
      return "nothing";
    case toml::node_type::table:
      return "a table";
    case toml::node_type::array:
      return "a list";
    case toml::node_type::string:
      return "text";
    case toml::node_type::integer:
      return "an integer";
    case toml::node_type::floating_point:
      return "a fraction";
    case toml::node_type::boolean:
      return "true or false";
    case toml::node_type::date:
    case toml::node_type::time:
    case toml::node_type::date_time:
      return "a date";
  }
  return "something else";
}

}  // namespace

void Problems::Error(Place place, std::string message) {
  errors_.push_back({place, std::move(message)});
}

void Problems::Warn(Place place, std::string message) {
  warnings_.push_back({place, std::move(message)});
}

std::string Problems::Locate(Place place) const {
  return fmt::format("{}:{}:{}", path_, place.line, place.column);
}

void Problems::Move(std::vector<Entry>& entries, std::vector<std::string>& out) const {
  std::stable_sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::tie(a.place.line, a.place.column) < std::tie(b.place.line, b.place.column);
  });
  for (const Entry& entry : entries) {
    out.push_back(fmt::format("{}: {}", Locate(entry.place), Printable(entry.message)));
  }
  entries.clear();
}

void Problems::MoveTo(ConfigErrors& errors) {
  Move(errors_, errors.errors);
  Move(warnings_, errors.warnings);
}

Result<Duration> ParseDuration(std::string_view text) {
  const auto milliseconds = ParseUnits(text, kTimeUnits, kMostTime);
  if (milliseconds) return Duration(std::chrono::milliseconds(*milliseconds));
  return Status::Error("not a duration; write a whole number and ms, s, m or h, as in \"30s\"");
}

std::string DurationText(Duration duration) {
  const auto count = std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
  return count == 0 ? "0s" : UnitsText(count, kTimeUnits);
}

Result<std::uint64_t> ParseSize(std::string_view text) {
  if (text == "0") return std::uint64_t{0};
  const auto octets = ParseUnits(text, kSizeUnits, kMostSize);
  if (octets) return static_cast<std::uint64_t>(*octets);
  return Status::Error(
      "not a size; write a whole number and B, KiB, MiB or GiB, as in \"25MiB\", or \"0\"");
}

std::string SizeText(std::uint64_t octets) {
  return octets == 0 ? "0" : UnitsText(static_cast<std::int64_t>(octets), kSizeUnits);
}

// What JSON escapes in a string, TOML escapes alike.
std::string TomlQuote(std::string_view text) { return JsonQuote(text, text.size()); }

std::string OptionalText(std::string_view text) {
  return text.empty() ? std::string() : TomlQuote(text);
}

std::string FlagText(bool flag) { return flag ? "true" : "false"; }

std::string ListText(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) {
    if (!out.empty()) out += ", ";
    out += TomlQuote(text);
  }
  return "[" + out + "]";
}

std::string FromFolderOf(const std::string& file, const std::string& path) {
  const std::filesystem::path folder = std::filesystem::path(file).parent_path();
  std::error_code ignored;
  const auto whole = std::filesystem::absolute(folder / path, ignored);
  return (ignored ? folder / path : whole).lexically_normal().string();
}

void Value::Reject(const std::string& what) {
  std::string shown;
  if (const auto* text = node_.as_string()) {
    shown = " = " + JsonQuote(text->get(), 64);
  } else if (const auto* number = node_.as_integer()) {
    shown = fmt::format(" = {}", number->get());
  }
  problems_.Error(place(), fmt::format("{}{}: {}", key_, shown, what));
}

bool Value::String(std::string_view expected, std::string& out) {
  const auto* text = node_.as_string();
  if (text == nullptr) {
    Reject(fmt::format("is {}; must be {} in quotes", TypeText(node_), expected));
    return false;
  }
  if (text->get().find('\0') != std::string::npos) {
    Reject("holds a NUL character; leave it out");
    return false;
  }
  out = text->get();
  return true;
}

bool Value::Integer(std::int64_t& out, std::int64_t least, std::int64_t most) {
  const auto* number = node_.as_integer();
  if (number == nullptr) {
    Reject(fmt::format("is {}; must be an integer without quotes", TypeText(node_)));
    return false;
  }
  if (number->get() < least || number->get() > most) {
    Reject(fmt::format("out of range; must be from {} to {}", least, most));
    return false;
  }
  out = number->get();
  return true;
}

void Value::Text(std::string& out) {
  std::string text;
  if (!String("text", text)) return;
  if (text.empty()) return Reject("is empty; leave the key out or say something");
  out = std::move(text);
}

void Value::Name(std::string& out) {
  constexpr std::string_view kRest = "._-";
  std::string text;
  if (!String("a name", text)) return;
  const bool good =
      !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [&](char c) {
        const char upper = AsciiUpper(c);
        return (upper >= 'A' && upper <= 'Z') || (c >= '0' && c <= '9') ||
               kRest.find(c) != std::string_view::npos;
      });
  if (!good) return Reject("not a name; use 1 to 64 letters, digits, '.', '_' and '-'");
  out = std::move(text);
}

void Value::Flag(bool& out) {
  const auto* flag = node_.as_boolean();
  if (flag == nullptr) {
    return Reject(fmt::format("is {}; must be true or false without quotes", TypeText(node_)));
  }
  out = flag->get();
}

void Value::Time(Duration& out, Duration least) {
  std::string text;
  if (!String("a duration", text)) return;
  const Result<Duration> duration = ParseDuration(text);
  if (!duration.ok()) return Reject(duration.error().message());
  if (duration.value() < least) {
    return Reject(fmt::format("too short; must be at least \"{}\"", DurationText(least)));
  }
  out = duration.value();
}

void Value::Size(std::uint64_t& out) {
  std::string text;
  if (!String("a size", text)) return;
  const Result<std::uint64_t> size = ParseSize(text);
  if (!size.ok()) return Reject(size.error().message());
  out = size.value();
}

bool Value::Index(std::initializer_list<std::string_view> choices, std::size_t& out) {
  std::string text;
  if (!String("text", text)) return false;
  const auto* const found = std::find(choices.begin(), choices.end(), text);
  if (found != choices.end()) {
    out = static_cast<std::size_t>(found - choices.begin());
    return true;
  }
  Reject(fmt::format("not known; must be \"{}\"", fmt::join(choices, "\" or \"")));
  return false;
}

bool Value::Each(std::string_view item, bool one_alone, const Take& take) {
  return EachAt(item, one_alone, [&](const std::string& text, Place) { return take(text); });
}

bool Value::EachAt(std::string_view item, bool one_alone, const TakeAt& take) {
  const auto take_one = [&](Value one) {
    std::string text;
    if (!one.String(item, text)) return false;
    const Status status = take(text, one.place());
    if (!status.ok()) one.Reject(status.message());
    return status.ok();
  };
  if (one_alone && node_.is_string()) return take_one(*this);
  const toml::array* list = node_.as_array();
  if (list == nullptr) {
    Reject(one_alone ? fmt::format("is {}; must be {} in quotes, or a list, [...], of such",
                                   TypeText(node_), item)
                     : fmt::format("is {}; must be a list, [...], and each in it {} in quotes",
                                   TypeText(node_), item));
    return false;
  }
  bool good = true;
  for (const toml::node& node : *list) good &= take_one(Value(key_, node, problems_));
  return good;
}

void Value::Path(std::string& out) {
  std::string text;
  Text(text);
  if (!text.empty()) out = text == "-" ? text : FromFolderOf(problems_.path(), text);
}

}  // namespace postern
