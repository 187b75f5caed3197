#include <unistd.h>

#include <catch2/catch.hpp>

#include "postern/server/config.h"

namespace postern {
namespace {

Config WithUser(const std::string& user) {
  Config config;
  config.user = user;
  return config;
}

TEST_CASE("Root must name an account and others need not") {
  const Status nobody_named = CheckUser(WithUser(""));
  if (geteuid() == 0) {
    REQUIRE_FALSE(nobody_named.ok());
    CHECK_THAT(nobody_named.message(), Catch::Contains("user = \"root\""));
    CHECK(CheckUser(WithUser("root")).ok());
  } else {
    CHECK(nobody_named.ok());
    CHECK_FALSE(CheckUser(WithUser("root")).ok());
  }
}

TEST_CASE("An account that does not exist is an error") {
  const Status status = CheckUser(WithUser("no-such-account"));
  REQUIRE_FALSE(status.ok());
  CHECK_THAT(status.message(), Catch::Contains("there is no such account"));
}

TEST_CASE("A certificate that cannot be read is an error at its table") {
  Config config;
  config.certificates.push_back({"/nonexistent/chain.pem", "/nonexistent/key.pem", "p.toml:7:1"});
  ConfigErrors errors;
  CheckCertificates(config, errors);
  REQUIRE(errors.errors.size() == 1);
  CHECK_THAT(errors.errors[0],
             Catch::StartsWith("p.toml:7:1: ") && Catch::Contains("/nonexistent/chain.pem"));
  CHECK(errors.warnings.empty());
}

}  // namespace
}  // namespace postern
