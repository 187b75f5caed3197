// How single values of the configuration and of rule files are read and printed, and how mistakes
// are collected. For config*.cc and rule*.cc only: beside them nothing knows toml++.
#pragma once

#include <toml++/toml.h>

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "postern/base/address.h"
#include "postern/base/clock.h"
#include "postern/base/status.h"
#include "postern/server/config.h"

namespace postern {

// A place in the file; both count from 1.
struct Place {
  std::uint32_t line = 1;
  std::uint32_t column = 1;
};
inline Place PlaceOf(const toml::source_region& source) {
  return {source.begin.line, source.begin.column};
}

// All that is wrong with one file. A message says what is wrong; what would be right.
class Problems {
 public:
  explicit Problems(std::string path) : path_(std::move(path)) {}
  const std::string& path() const { return path_; }
  void Error(Place place, std::string message);
  void Warn(Place place, std::string message);
  // How many errors there are so far.
  std::size_t errors() const { return errors_.size(); }
  // Appends all to errors, in order of place, each as path:line:column: message.
  void MoveTo(ConfigErrors& errors);
  std::string Locate(Place place) const;

 private:
  struct Entry {
    Place place;
    std::string message;
  };
  void Move(std::vector<Entry>& entries, std::vector<std::string>& out) const;

  const std::string path_;
  std::vector<Entry> errors_;
  std::vector<Entry> warnings_;
};

// "30s", "500ms", "10m", "2h": digits and one unit. The error says what would be right.
Result<Duration> ParseDuration(std::string_view text);
// The shortest such text: the largest unit that is exact.
std::string DurationText(Duration duration);
// "25MiB", "4KiB", "1GiB", "512B", "0".
Result<std::uint64_t> ParseSize(std::string_view text);
std::string SizeText(std::uint64_t octets);
// A TOML string with its quotes.
std::string TomlQuote(std::string_view text);
// The same; empty when there is none.
std::string OptionalText(std::string_view text);
std::string FlagText(bool flag);
// A list of texts as TOML.
std::string ListText(const std::vector<std::string>& texts);
// Letters, digits, '-' and '_' in labels; no numeric address.
bool IsHostName(std::string_view text);

// The value of one key, as the rows of the schema see it. Each reader stores the value or reports
// why not; then the target is unchanged.
class Value {
 public:
  Value(std::string_view key, const toml::node& node, Problems& problems)
      : key_(key), node_(node), problems_(problems) {}

  Place place() const { return PlaceOf(node_.source()); }
  // The file it stands in.
  const std::string& file() const { return problems_.path(); }
  void Text(std::string& out);
  // A name that becomes a label: letters, digits and . _ - only, at most 64.
  void Name(std::string& out);
  void Flag(bool& out);
  // An integer from least to most.
  template <typename T>
  void Count(T& out, std::int64_t least, std::int64_t most) {
    std::int64_t number = 0;
    if (Integer(number, least, most)) out = static_cast<T>(number);
  }
  void Time(Duration& out, Duration least);
  void Size(std::uint64_t& out);
  // The enumerator that has the number of the text among the choices.
  template <typename Enum>
  void Choice(std::initializer_list<std::string_view> choices, Enum& out) {
    std::size_t index = 0;
    if (Index(choices, index)) out = static_cast<Enum>(index);
  }
  // A file name; relative ones are taken from the configuration file's folder.
  void Path(std::string& out);
  // A numeric address to listen on.
  void Endpoint(Address& out);
  // An address to connect to. One whose host is a name is left unresolved: family() is AF_UNSPEC.
  void Remote(Address& out, std::string& text, bool& known);
  // A host name or a numeric address without port.
  void Host(std::string& out);
  // host:port to listen on, or unix:PATH.
  void Local(std::string& out);
  // A list of texts, or one text where that may stand alone: each is given to take, whose errors
  // are reported at their place. True when all were taken. item says what one of them is.
  using Take = std::function<Status(const std::string& text)>;
  bool Each(std::string_view item, bool one_alone, const Take& take);
  // The same with each one's place.
  using TakeAt = std::function<Status(const std::string& text, Place place)>;
  bool EachAt(std::string_view item, bool one_alone, const TakeAt& take);

  // Reports that the value is wrong: `key = value: what`.
  void Reject(const std::string& what);

 private:
  bool String(std::string_view expected, std::string& out);
  bool Integer(std::int64_t& out, std::int64_t least, std::int64_t most);
  bool Index(std::initializer_list<std::string_view> choices, std::size_t& out);

  const std::string_view key_;
  const toml::node& node_;
  Problems& problems_;
};

// path as seen from the folder of the configuration file: absolute and without dots.
std::string FromFolderOf(const std::string& file, const std::string& path);

}  // namespace postern
