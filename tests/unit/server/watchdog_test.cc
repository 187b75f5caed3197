#include "server/watchdog.h"

#include <catch2/catch.hpp>
#include <string>

#include "support/lines_log.h"

namespace postern {
namespace {

using namespace std::chrono_literals;

using testing::LinesLog;

TEST_CASE("a stall of a worker is logged once until it is over") {
  LinesLog log;
  Watchdog watchdog(log, 2);
  watchdog.Look(0, 999ms);
  CHECK(log.lines.empty());
  watchdog.Look(1, 1s);
  watchdog.Look(1, 2s);
  REQUIRE(log.lines.size() == 1);
  CHECK(log.lines[0].find("\"worker\":1") != std::string::npos);
  watchdog.Look(1, 0ms);
  watchdog.Look(1, 1500ms);
  CHECK(log.lines.size() == 2);
}

TEST_CASE("a worker that stalls for a second makes the process not ready until it is back") {
  LinesLog log;
  Watchdog watchdog(log, 2);
  watchdog.Look(1, 999ms);
  CHECK(watchdog.not_ready().empty());
  watchdog.Look(1, 1s);
  watchdog.Look(0, 0ms);
  CHECK(watchdog.not_ready() == "worker 1 does not answer");
  watchdog.Look(1, 0ms);
  CHECK(watchdog.not_ready().empty());
}

}  // namespace
}  // namespace postern
