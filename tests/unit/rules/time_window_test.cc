#include "postern/rules/time_window.h"

#include <catch2/catch.hpp>
#include <string>
#include <string_view>

namespace postern {
namespace {

constexpr std::int64_t kHour = 3600;
constexpr std::int64_t kDay = 24 * kHour;
constexpr std::int64_t kMonday = 1'795'392'000;  // 2026-11-23 00:00 UTC

TimeWindow Window(std::string_view text) {
  Result<TimeWindow> window = TimeWindow::Parse(text);
  INFO(text << ": " << window.error().message());
  REQUIRE(window.ok());
  return window.value();
}

std::string ErrorOf(std::string_view text) {
  const Result<TimeWindow> window = TimeWindow::Parse(text);
  return window.ok() ? "" : window.error().message();
}

TEST_CASE("Hours end before their last minute and days are those of the zone") {
  const TimeWindow office = Window("Mon-Fri 08:00-18:00");
  CHECK_FALSE(office.Contains(kMonday + 8 * kHour - 1));
  CHECK(office.Contains(kMonday + 8 * kHour));
  CHECK(office.Contains(kMonday + 18 * kHour - 1));
  CHECK_FALSE(office.Contains(kMonday + 18 * kHour));
  CHECK(office.Contains(kMonday + 4 * kDay + 12 * kHour));
  CHECK_FALSE(office.Contains(kMonday + 5 * kDay + 12 * kHour));
  CHECK_FALSE(office.Contains(kMonday - kDay + 12 * kHour));
}

TEST_CASE("Hours over midnight belong to the day on which they begin") {
  const TimeWindow night = Window("Fri 22:00-06:00");
  const std::int64_t friday = kMonday + 4 * kDay;
  CHECK_FALSE(night.Contains(friday + 5 * kHour));
  CHECK(night.Contains(friday + 22 * kHour));
  CHECK(night.Contains(friday + kDay + 5 * kHour));
  CHECK_FALSE(night.Contains(friday + kDay + 6 * kHour));
  CHECK_FALSE(night.Contains(friday + kDay + 22 * kHour));
}

TEST_CASE("Days alone, hours alone, lists and ranges over the week's end") {
  CHECK(Window("Sat,Sun").Contains(kMonday - 1));
  CHECK_FALSE(Window("Sat,Sun").Contains(kMonday));
  CHECK(Window("Fri-Mon").Contains(kMonday + kHour));
  CHECK(Window("fri-mon").Contains(kMonday + 6 * kDay));
  CHECK_FALSE(Window("Fri-Mon").Contains(kMonday + kDay));
  CHECK(Window("00:00-24:00").Contains(kMonday));
  CHECK(Window("23:00-24:00").Contains(kMonday - 1));
  CHECK(Window("Mon UTC").Contains(kMonday));
}

TEST_CASE("A zone's summer time is followed") {
  const TimeWindow berlin = Window("08:00-09:00 Europe/Berlin");
  CHECK(berlin.Contains(kMonday + 7 * kHour));  // winter: UTC+1
  CHECK_FALSE(berlin.Contains(kMonday + 8 * kHour));
  const std::int64_t july = kMonday - 140 * kDay;
  CHECK(berlin.Contains(july + 6 * kHour));  // summer: UTC+2
  CHECK_FALSE(berlin.Contains(july + 7 * kHour));
  // Both again, as what is remembered of the zone changes.
  CHECK(berlin.Contains(kMonday + 7 * kHour));
  // Local days: Monday begins in Auckland before it does in UTC.
  CHECK(Window("Mon Pacific/Auckland").Contains(kMonday - 10 * kHour));
}

TEST_CASE("Instants before 1970 have a day too") {
  CHECK(Window("Wed").Contains(-1));
  CHECK(Window("Thu").Contains(1));
  CHECK(Window("23:00-24:00").Contains(-1));
}

TEST_CASE("A time that is not known is in no window") {
  CHECK_FALSE(Window("Mon-Sun").Contains(0));
  CHECK_FALSE(Window("00:00-24:00 Europe/Berlin").Contains(0));
}

TEST_CASE("What is no part of a week is refused with a hint") {
  for (const std::string_view wrong :
       {"", "Europe/Berlin", "Mon-", "8:00-18:00", "08:00", "08:00-08:00", "25:00-26:00",
        "08:60-09:00", "24:00-01:00", "Mon 08:00-18:00 UTC x", "08:00-18:00 Mon", "Mon,,Tue"}) {
    CAPTURE(wrong);
    CHECK_FALSE(ErrorOf(wrong).empty());
  }
  CHECK(ErrorOf("Mon Europe/Berln").find("Europe/Berlin") != std::string::npos);
}

}  // namespace
}  // namespace postern
