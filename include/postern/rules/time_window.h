// TimeWindow: a part of the week in a time zone: "Mon-Fri 08:00-18:00 Europe/Berlin" (DESIGN 1.3).
// A value; reads the system's time zones when parsed; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "postern/base/status.h"

namespace postern {

class TimeWindow {
 public:
  // Days ("Mon", "Mon-Fri", "Sat,Sun"), hours ("08:00-18:00", "22:00-06:00" over midnight), zone;
  // days, hours, or zone (UTC) may be left out, not both days and hours.
  static Result<TimeWindow> Parse(std::string_view text);
  // time: seconds since 1970; 0: not known, and in no window.
  bool Contains(std::int64_t time) const;

 private:
  std::uint8_t days_ = 0x7F;    // bit 0: Monday
  std::uint16_t from_ = 0;      // minutes of the day
  std::uint16_t to_ = 24 * 60;  // exclusive; less than from_: over midnight
  const void* zone_ = nullptr;  // date::time_zone, which lives as long as the process; null: UTC
};

}  // namespace postern
