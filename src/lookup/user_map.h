// UserMap: the users of a `file` lookup (DESIGN 1.2, [[lookup]]): one arena of names and one table
// of 8 octets an entry. Read once, immutable, shared by all threads; a reload makes another one.
//
// A line is `user<TAB>pool` or `user<TAB>pool/backend`; `@domain<TAB>...` is for all of a domain's
// users that have no line of their own. Blank lines and lines that begin with `#` are skipped.
// Users compare with ASCII letters in lower case.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lookup/keyed_hash.h"
#include "lookup/places.h"
#include "postern/base/status.h"

namespace postern {

// The longest user of a line; longer ones are an error of the file.
inline constexpr std::size_t kMaxMapUser = 255;

class UserMap {
 public:
  // Told now and then how many lines were read.
  using Progress = std::function<void(std::size_t lines)>;

  // The error names the file, the first ten lines that are wrong, and how many there are.
  static Result<UserMap> Load(const std::string& path, const Places& places,
                              const Progress& progress);
  // The same from text; name is what messages call it.
  static Result<UserMap> Parse(std::string_view text, std::string_view name, const Places& places,
                               const Progress& progress);

  // The user's own line, else the domain's.
  std::optional<Place> Find(std::string_view user) const;
  std::size_t size() const { return size_; }
  // Octets held, all in all.
  std::size_t memory() const;

 private:
  class Builder;
  // An offset of 0 is an empty place: the arena's first octet is nobody's.
  struct Entry {
    std::uint32_t offset = 0;
    std::uint16_t tag = 0;  // of the hash: most strangers are told apart without the arena
    std::uint16_t place = 0;
  };
  static_assert(sizeof(Entry) == 8);

  UserMap() = default;
  std::string_view NameAt(std::uint32_t offset) const;
  const Entry& Probe(std::string_view lower) const;

  KeyedHash hash_;
  std::string arena_;  // each name behind one octet of its length
  std::vector<Entry> table_;
  std::vector<Place> places_;
  std::size_t size_ = 0;
};

}  // namespace postern
