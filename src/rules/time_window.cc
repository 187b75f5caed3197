#include "postern/rules/time_window.h"

#include <date/tz.h>

#include <algorithm>
#include <array>
#include <exception>
#include <optional>
#include <vector>

#include "postern/base/text.h"

namespace postern {
namespace {

constexpr std::array<std::string_view, 7> kDays{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
constexpr std::int64_t kDay = 24 * 60 * 60;
constexpr std::uint16_t kMinutesOfDay = 24 * 60;

Status Malformed(std::string_view text, std::string_view word) {
  return Status::Error("'" + std::string(text) + "': '" + std::string(word) +
                       "' is none of days (Mon-Fri), hours (08:00-18:00) and a time zone "
                       "(Europe/Berlin); write them in this order");
}

std::string_view TakeWord(std::string_view& text) {
  const std::size_t end = std::min(text.find(' '), text.size());
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(end);
  while (text.starts_with(' ')) text.remove_prefix(1);
  return word;
}

std::optional<unsigned> DayOf(std::string_view text) {
  for (unsigned i = 0; i < kDays.size(); ++i) {
    if (EqualsNoCase(text, kDays[i])) return i;
  }
  return {};
}

// "Fri-Mon" goes over the week's end.
std::optional<unsigned> DayRange(std::string_view text) {
  const std::size_t dash = text.find('-');
  const std::optional<unsigned> from = DayOf(text.substr(0, dash));
  const std::optional<unsigned> to = dash == text.npos ? from : DayOf(text.substr(dash + 1));
  if (!from || !to) return {};
  unsigned bits = 0;
  for (unsigned day = *from;; day = (day + 1) % 7) {
    bits |= 1u << day;
    if (day == *to) return bits;
  }
}

std::optional<std::uint8_t> Days(std::string_view text) {
  unsigned bits = 0;
  while (true) {
    const std::size_t comma = text.find(',');
    const std::optional<unsigned> range = DayRange(text.substr(0, comma));
    if (!range) return {};
    bits |= *range;
    if (comma == text.npos) return static_cast<std::uint8_t>(bits);
    text.remove_prefix(comma + 1);
  }
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// "08:00" as minutes; 24:00 only as an end.
std::optional<std::uint16_t> Minutes(std::string_view text) {
  if (text.size() != 5 || text[2] != ':') return {};
  for (const std::size_t i : {0u, 1u, 3u, 4u}) {
    if (!IsDigit(text[i])) return {};
  }
  const int hours = (text[0] - '0') * 10 + text[1] - '0';
  const int minutes = (text[3] - '0') * 10 + text[4] - '0';
  const int all = hours * 60 + minutes;
  if (minutes > 59 || all > kMinutesOfDay) return {};
  return static_cast<std::uint16_t>(all);
}

// The zone of this name; null when there is none.
const date::time_zone* FindZone(std::string_view name) {
  try {
    return date::locate_zone(std::string(name));
  } catch (const std::exception&) {
    return nullptr;
  }
}

Status NoZone(std::string_view name) {
  std::vector<std::string_view> names;
  try {
    for (const date::time_zone& zone : date::get_tzdb().zones) names.push_back(zone.name());
  } catch (const std::exception&) {
    return Status::Error("this system has no time zones: install tzdata, or leave out the zone");
  }
  const std::string_view nearest = NearestName(name, names);
  return Status::Error("there is no time zone '" + std::string(name) + "'" +
                       (nearest.empty() ? "" : "; did you mean " + std::string(nearest) + "?"));
}

// The offset from UTC that a zone has between two instants. A thread remembers the last ones, since
// to look one up takes microseconds.
struct Period {
  const void* zone = nullptr;
  std::int64_t begin = 0;
  std::int64_t end = 0;
  std::int64_t offset = 0;
};

Period LookUp(const void* zone, std::int64_t time) {
  const auto* known = static_cast<const date::time_zone*>(zone);
  const date::sys_info info = known->get_info(date::sys_seconds{std::chrono::seconds{time}});
  return {zone, info.begin.time_since_epoch().count(), info.end.time_since_epoch().count(),
          info.offset.count()};
}

std::int64_t OffsetOf(const void* zone, std::int64_t time) {
  thread_local std::array<Period, 8> remembered;
  Period& period = remembered[(reinterpret_cast<std::uintptr_t>(zone) / 64) % remembered.size()];
  if (period.zone != zone || time < period.begin || time >= period.end) {
    period = LookUp(zone, time);
  }
  return period.offset;
}

}  // namespace

Result<TimeWindow> TimeWindow::Parse(std::string_view text) {
  TimeWindow window;
  std::string_view rest = text;
  std::string_view word = TakeWord(rest);
  const std::optional<std::uint8_t> days = Days(word);
  if (days) {
    window.days_ = *days;
    word = TakeWord(rest);
  }
  const std::size_t dash = std::min(word.find('-'), word.size());
  const std::optional<std::uint16_t> from = Minutes(word.substr(0, dash));
  if (from && dash < word.size()) {
    const std::optional<std::uint16_t> to = Minutes(word.substr(dash + 1));
    if (!to || *from == *to || *from == kMinutesOfDay) return Malformed(text, word);
    window.from_ = *from;
    window.to_ = *to;
    word = TakeWord(rest);
  } else if (!days) {
    return Malformed(text, word);
  }
  if (!rest.empty()) return Malformed(text, rest);
  if (word.empty() || word == "UTC") return window;
  if (IsDigit(word.front())) return Malformed(text, word);
  window.zone_ = FindZone(word);
  if (window.zone_ == nullptr) return NoZone(word);
  return window;
}

bool TimeWindow::Contains(std::int64_t time) const {
  if (time == 0) return false;
  const std::int64_t local = zone_ == nullptr ? time : time + OffsetOf(zone_, time);
  const std::int64_t day = local >= 0 ? local / kDay : (local - kDay + 1) / kDay;
  const std::int64_t minute = (local - day * kDay) / 60;
  // 1970 began on a Thursday.
  const auto weekday = static_cast<unsigned>(((day + 3) % 7 + 7) % 7);
  const auto has = [this](unsigned of) { return (days_ >> of & 1) != 0; };
  if (from_ < to_) return has(weekday) && minute >= from_ && minute < to_;
  // Over midnight: what is after it belongs to the day before.
  return minute >= from_ ? has(weekday) : minute < to_ && has((weekday + 6) % 7);
}

}  // namespace postern
