#include "server/config_diff.h"

#include <catch2/catch.hpp>

namespace postern {
namespace {

TEST_CASE("What a reload can change needs no restart") {
  Config running;
  Config wanted;
  wanted.drain = std::chrono::seconds(1);
  wanted.plan.timeouts.login = std::chrono::seconds(1);
  wanted.plan.limits.append = 1;
  wanted.log_path = "/var/log/postern.log";
  wanted.listeners.emplace_back();
  wanted.certificates.emplace_back();
  wanted.pools.emplace_back();
  CHECK(NeedsRestart(running, wanted).empty());
  CHECK(NeedsRestart(running, running).empty());
}

TEST_CASE("What waits for a restart is named with both values") {
  Config running;
  running.workers = 2;
  running.user = "postern";
  Config wanted;
  wanted.workers = 4;
  wanted.admin_address = "unix:/run/postern/admin.sock";
  const std::vector<std::string> sentences = NeedsRestart(running, wanted);
  REQUIRE(sentences.size() == 3);
  CHECK(sentences[0] == "gateway.workers = 4 needs a restart; it stays 2");
  CHECK(sentences[1] == "gateway.user = unset needs a restart; it stays \"postern\"");
  CHECK(sentences[2] ==
        "admin.address = \"unix:/run/postern/admin.sock\" needs a restart; it stays "
        "\"127.0.0.1:9143\"");
  CHECK(NeedsRestart(wanted, wanted).empty());
}

}  // namespace
}  // namespace postern
