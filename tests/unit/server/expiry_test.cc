#include "server/expiry.h"

#include <catch2/catch.hpp>

#include "support/lines_log.h"

namespace postern {
namespace {

constexpr std::int64_t kDay = 24 * 60 * 60;

TEST_CASE("each threshold is told once on the way to the end of a certificate") {
  testing::LinesLog log;
  Expiry expiry(log);
  expiry.Reset(1);
  for (std::int64_t now = 0; now <= 50 * kDay; now += kDay / 4) {
    expiry.Look(0, "chain.pem", 40 * kDay, now);
  }
  REQUIRE(log.lines.size() == 5);
  for (const auto& [line, days] : {std::pair{0, "30"}, {1, "14"}, {2, "7"}, {3, "1"}}) {
    CHECK(log.lines[static_cast<std::size_t>(line)].find("certificate_expires") !=
          std::string::npos);
    CHECK(log.lines[static_cast<std::size_t>(line)].find("\"days_left\":" + std::string(days)) !=
          std::string::npos);
  }
  CHECK(log.lines[4].find("certificate_expired") != std::string::npos);
}

TEST_CASE("a certificate read anew is looked at anew") {
  testing::LinesLog log;
  Expiry expiry(log);
  expiry.Reset(1);
  expiry.Look(0, "chain.pem", 2 * kDay, 0);
  expiry.Reset(1);
  expiry.Look(0, "chain.pem", 90 * kDay, 0);
  CHECK(log.lines.size() == 1);
}

}  // namespace
}  // namespace postern
