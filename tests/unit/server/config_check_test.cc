#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <ctime>

#include "postern/server/config.h"
#include "unit/net/identity_fixture.h"
#include "unit/net/tls_fixture.h"

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

// Files in a folder of their own and a configuration that names them.
struct Desk {
  TemporaryFolder folder;
  Config config;
  ConfigErrors errors;

  // The place is that of line 7, 8, and so on.
  void Certificate(const Identity& identity, const std::string& name) {
    const CertificateFiles files = WriteIdentity(folder, identity, name);
    REQUIRE(chmod(files.key.c_str(), 0600) == 0);
    Files(files.chain, files.key);
  }
  void Files(const std::string& chain, const std::string& key, const std::string& ocsp = {}) {
    const std::size_t line = 7 + config.certificates.size();
    config.certificates.push_back({chain, key, ocsp, "p.toml:" + std::to_string(line) + ":1"});
  }
  void Check() { CheckFiles(config, errors); }
  std::string OnlyError() {
    Check();
    REQUIRE(errors.errors.size() == 1);
    return errors.errors[0];
  }
  std::string OnlyWarning() {
    Check();
    CHECK(errors.errors.empty());
    REQUIRE(errors.warnings.size() == 1);
    return errors.warnings[0];
  }
};

IdentitySpec Expiring(std::int64_t not_after) {
  IdentitySpec spec;
  spec.not_after = not_after;
  return spec;
}

TEST_CASE("Good certificates side by side are no matter") {
  Desk desk;
  desk.Certificate(MakeIdentity(KeyKind::kP256), "ecdsa");
  desk.Certificate(MakeIdentity(KeyKind::kRsa2048), "rsa");
  desk.Check();
  CHECK(desk.errors.errors.empty());
  CHECK(desk.errors.warnings.empty());
}

TEST_CASE("A certificate that cannot be read is an error at its table") {
  Desk desk;
  desk.Files("/nonexistent/chain.pem", "/nonexistent/key.pem");
  CHECK_THAT(desk.OnlyError(),
             Catch::StartsWith("p.toml:7:1: ") && Catch::Contains("/nonexistent/chain.pem"));
  CHECK(desk.errors.warnings.empty());
}

TEST_CASE("Every broken certificate is an error of its own") {
  Desk desk;
  desk.Files("/nonexistent/a.pem", "/nonexistent/a.key");
  desk.Certificate(MakeIdentity(KeyKind::kP256), "good");
  desk.Files("/nonexistent/b.pem", "/nonexistent/b.key");
  desk.Check();
  REQUIRE(desk.errors.errors.size() == 2);
  CHECK_THAT(desk.errors.errors[0], Catch::StartsWith("p.toml:7:1: "));
  CHECK_THAT(desk.errors.errors[1], Catch::StartsWith("p.toml:9:1: "));
}

TEST_CASE("A key of another certificate is an error") {
  Desk desk;
  const CertificateFiles one = WriteIdentity(desk.folder, MakeIdentity(KeyKind::kP256), "one");
  const CertificateFiles two = WriteIdentity(desk.folder, MakeIdentity(KeyKind::kP256), "two");
  desk.Files(one.chain, two.key);
  CHECK_THAT(desk.OnlyError(), Catch::StartsWith("p.toml:7:1: ") && Catch::Contains(two.key));
}

TEST_CASE("A staple that is none is an error") {
  Desk desk;
  const CertificateFiles files = WriteIdentity(desk.folder, MakeIdentity(KeyKind::kP256), "one");
  desk.Files(files.chain, files.key, desk.folder.Write("ocsp.der", "no OCSP response"));
  CHECK_THAT(desk.OnlyError(), Catch::StartsWith("p.toml:7:1: ") && Catch::Contains("ocsp.der"));
}

TEST_CASE("A certificate that ends soon or has ended is a warning") {
  constexpr std::int64_t kDay = 24 * 3600;
  Desk soon;
  soon.Certificate(MakeIdentity(Expiring(std::time(nullptr) + 5 * kDay + 60)), "soon");
  CHECK(soon.OnlyWarning() == "p.toml:7:1: the certificate expires in 5 days; renew it");
  Desk late;
  late.Certificate(MakeIdentity(Expiring(std::time(nullptr) - 5 * kDay - 60)), "late");
  CHECK(late.OnlyWarning() == "p.toml:7:1: the certificate expired 5 days ago; renew it");
}

TEST_CASE("A key that everybody can read is a warning") {
  Desk desk;
  desk.Certificate(MakeIdentity(KeyKind::kP256), "open");
  REQUIRE(chmod(desk.config.certificates[0].key.c_str(), 0644) == 0);
  CHECK_THAT(desk.OnlyWarning(),
             Catch::StartsWith("p.toml:7:1: ") && Catch::EndsWith("open.key; chmod 0600"));
}

TEST_CASE("Ticket keys are read and should be secret") {
  Desk desk;
  desk.config.ticket_keys_place = "p.toml:9:15";
  desk.config.ticket_keys = desk.folder.Write("ticket.keys", std::string(80, 'k'));
  REQUIRE(chmod(desk.config.ticket_keys.c_str(), 0644) == 0);
  CHECK_THAT(desk.OnlyWarning(),
             Catch::StartsWith("p.toml:9:15: ") && Catch::EndsWith("ticket.keys; chmod 0600"));
  Desk broken;
  broken.config.ticket_keys_place = "p.toml:9:15";
  broken.config.ticket_keys = broken.folder.Write("ticket.keys", "short");
  CHECK_THAT(broken.OnlyError(),
             Catch::StartsWith("p.toml:9:15: ") && Catch::Contains("ticket.keys"));
}

TEST_CASE("The roots of a pool are read where it speaks TLS") {
  Desk desk;
  PoolConfig pool;
  pool.verification.ca_file = "/nonexistent/ca.pem";
  pool.place = "p.toml:20:1";
  desk.config.pools.push_back(pool);
  desk.Check();
  CHECK(desk.errors.errors.empty());
  desk.config.pools[0].tls = PoolTls::kStarttls;
  CHECK_THAT(desk.OnlyError(),
             Catch::StartsWith("p.toml:20:1: ") && Catch::Contains("/nonexistent/ca.pem"));
}

}  // namespace
}  // namespace postern
