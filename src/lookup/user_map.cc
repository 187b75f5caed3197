#include "lookup/user_map.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <limits>
#include <utility>

#include "postern/base/text.h"

namespace postern {
namespace {

constexpr std::size_t kToldMistakes = 10;
constexpr std::size_t kProgressLines = 1 << 16;

// The lines of a text, without their ends.
class Lines {
 public:
  explicit Lines(std::string_view text) : rest_(text) {}
  bool Next(std::string_view& line) {
    if (rest_.empty()) return false;
    const std::size_t end = rest_.find('\n');
    line = rest_.substr(0, end);
    rest_.remove_prefix(end == rest_.npos ? rest_.size() : end + 1);
    const std::size_t last = line.find_last_not_of(" \t\r");
    line = line.substr(0, last == line.npos ? 0 : last + 1);
    ++number_;
    return true;
  }
  std::size_t number() const { return number_; }

 private:
  std::string_view rest_;
  std::size_t number_ = 0;
};

bool IsComment(std::string_view line) {
  const std::size_t first = line.find_first_not_of(" \t");
  return first == line.npos || line[first] == '#';
}

struct Mistakes {
  std::size_t count = 0;
  std::string told;

  void Add(std::size_t line, std::string_view what) {
    if (++count > kToldMistakes) return;
    if (!told.empty()) told += "; ";
    told += "line " + std::to_string(line) + ": ";
    told += what;
  }
  Status AsStatus(std::string_view name) const {
    std::string message(name);
    message +=
        ": " + std::to_string(count) + (count == 1 ? " line is wrong: " : " lines are wrong: ");
    message += told;
    if (count > kToldMistakes) message += "; and so on";
    return Status::Error(std::move(message));
  }
};

std::string_view DomainOf(std::string_view user) {
  const std::size_t at = user.rfind('@');
  return at == user.npos ? std::string_view() : user.substr(at);
}

}  // namespace

class UserMap::Builder {
 public:
  Builder(std::string_view text, const Places& places) : text_(text), named_(places) {}

  Result<UserMap> Build(std::string_view name, const Progress& progress) {
    if (text_.size() >= std::numeric_limits<std::uint32_t>::max()) {
      return Status::Error(std::string(name) + ": a file of 4 GiB and more is too large");
    }
    Reserve();
    Lines lines(text_);
    for (std::string_view line; lines.Next(line);) {
      if (lines.number() % kProgressLines == 0 && progress) progress(lines.number());
      if (IsComment(line)) continue;
      const Status status = Take(line);
      if (!status.ok()) mistakes_.Add(lines.number(), status.message());
    }
    if (mistakes_.count > 0) return mistakes_.AsStatus(name);
    return std::move(map_);
  }

 private:
  // Room for all, so that nothing is moved and nothing left over.
  void Reserve() {
    std::size_t users = 0, octets = 1;
    Lines lines(text_);
    for (std::string_view line; lines.Next(line);) {
      if (IsComment(line)) continue;
      ++users;
      octets += 1 + std::min(line.find('\t'), line.size());
    }
    map_.arena_.reserve(octets);
    map_.arena_.push_back('\0');
    map_.table_.resize(users + users / 3 + 1);
  }

  Status Take(std::string_view line) {
    const std::size_t tab = line.find('\t');
    if (tab == line.npos) return Status::Error("no tab between user and pool");
    const std::string_view user = line.substr(0, tab);
    if (user.empty()) return Status::Error("no user before the tab");
    if (user.size() > kMaxMapUser) return Status::Error("a user of more than 255 octets");
    if (std::any_of(user.begin(), user.end(),
                    [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; })) {
      return Status::Error("a control character in the user");
    }
    const Result<std::uint16_t> place = PlaceOf(line.substr(tab + 1));
    if (!place.ok()) return place.error();
    return Insert(ToLower(user), place.value());
  }

  Result<std::uint16_t> PlaceOf(std::string_view text) {
    if (text == last_text_ && !text.empty()) return last_place_;
    const auto known = place_index_.find(std::string(text));
    if (known != place_index_.end()) {
      last_text_ = text;
      return last_place_ = known->second;
    }
    if (text.empty()) return Status::Error("no pool behind the tab");
    const Result<Place> place = named_.Named(text);
    if (!place.ok()) return place.error();
    const auto index = static_cast<std::uint16_t>(map_.places_.size());
    if (map_.places_.size() > std::numeric_limits<std::uint16_t>::max()) {
      return Status::Error("more than 65,536 different pools and backends");
    }
    map_.places_.push_back(place.value());
    place_index_.emplace(text, index);
    return index;
  }

  Status Insert(const std::string& user, std::uint16_t place) {
    const std::size_t index = static_cast<std::size_t>(&map_.Probe(user) - map_.table_.data());
    Entry& entry = map_.table_[index];
    if (entry.offset != 0) {
      return Status::Error("user " + JsonQuote(user, 64) + " has a line already");
    }
    entry.offset = static_cast<std::uint32_t>(map_.arena_.size());
    entry.tag = static_cast<std::uint16_t>(map_.hash_.Of(user).high);
    entry.place = place;
    map_.arena_.push_back(static_cast<char>(static_cast<unsigned char>(user.size())));
    map_.arena_.append(user);
    ++map_.size_;
    return {};
  }

  const std::string_view text_;
  const Places& named_;
  UserMap map_;
  std::unordered_map<std::string, std::uint16_t> place_index_;
  std::string_view last_text_;  // most lines say what the line before said
  std::uint16_t last_place_ = 0;
  Mistakes mistakes_;
};

Result<UserMap> UserMap::Load(const std::string& path, const Places& places,
                              const Progress& progress) {
  std::ifstream file(path, std::ios::binary);
  std::string text;
  if (file) text.assign(std::istreambuf_iterator<char>(file), {});
  if (!file || file.bad()) return Status::Error(path + ": the file cannot be read");
  return Parse(text, path, places, progress);
}

Result<UserMap> UserMap::Parse(std::string_view text, std::string_view name, const Places& places,
                               const Progress& progress) {
  // Some editors begin a file with a mark that is nobody's name.
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  return Builder(text, places).Build(name, progress);
}

std::string_view UserMap::NameAt(std::uint32_t offset) const {
  const auto size = static_cast<unsigned char>(arena_[offset]);
  return std::string_view(arena_).substr(offset + 1, size);
}

// The entry of the name, or the empty one where it would stand. There is always an empty one.
const UserMap::Entry& UserMap::Probe(std::string_view lower) const {
  const Hash128 hash = hash_.Of(lower);
  const auto tag = static_cast<std::uint16_t>(hash.high);
  std::size_t index = ((hash.low & 0xFFFFFFFF) * table_.size()) >> 32;
  while (table_[index].offset != 0) {
    if (table_[index].tag == tag && NameAt(table_[index].offset) == lower) break;
    if (++index == table_.size()) index = 0;
  }
  return table_[index];
}

std::optional<Place> UserMap::Find(std::string_view user) const {
  const std::string lower = ToLower(user);
  const Entry* entry = &Probe(lower);
  if (entry->offset == 0 && !DomainOf(lower).empty()) entry = &Probe(DomainOf(lower));
  if (entry->offset == 0) return std::nullopt;
  return places_[entry->place];
}

std::size_t UserMap::memory() const {
  return arena_.capacity() + table_.capacity() * sizeof(Entry) + places_.capacity() * sizeof(Place);
}

}  // namespace postern
