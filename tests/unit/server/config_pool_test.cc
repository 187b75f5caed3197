#include "unit/server/config_fixture.h"

namespace postern {
namespace {

using Verify = ClientTlsSettings::Verify;

constexpr std::string_view kPin = "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

PoolConfig PoolOf(std::string_view lines) {
  const Parsed parsed = ParseGood(PoolWith(lines));
  CHECK(parsed.errors.warnings.empty());
  return parsed.config.pools[0];
}

std::string Pinned(std::string_view pins) {
  return "tls = \"implicit\"\nverify = \"pin\"\npin = " + std::string(pins);
}

std::string Backend(std::string_view address) {
  return Replaced("\"127.0.0.1:143\"", "\"" + std::string(address) + "\"");
}

TEST_CASE("Backends are verified in full unless told otherwise") {
  CHECK(PoolOf("").tls == PoolTls::kNone);
  const PoolConfig pool = PoolOf("tls = \"starttls\"");
  CHECK(pool.tls == PoolTls::kStarttls);
  CHECK(pool.verification.verify == Verify::kFull);
  CHECK(pool.verification.ca_file.empty());
  CHECK(pool.verify_name.empty());
  const PoolConfig named =
      PoolOf("tls = \"implicit\"\nca = \"ca.pem\"\nverify_name = \"mail.internal\"");
  CHECK(named.tls == PoolTls::kImplicit);
  CHECK(named.verification.ca_file == "/etc/postern/ca.pem");
  CHECK(named.verify_name == "mail.internal");
  CHECK(PoolOf("tls = \"implicit\"\nverify_name = \"2001:db8::1\"").verify_name == "2001:db8::1");
  CHECK_THAT(OnlyErrorOf(PoolWith("tls = \"implicit\"\nverify_name = \"mail.internal:993\"")),
             Catch::Contains("without port"));
}

TEST_CASE("Pins are one or several and go with verify pin only") {
  const std::string one = "\"" + std::string(kPin) + "\"";
  CHECK(PoolOf(Pinned(one)).verification.pins == std::vector<std::string>{std::string(32, '\0')});
  CHECK(PoolOf(Pinned("[" + one + ", " + one + "]")).verification.pins.size() == 2);
  CHECK_THAT(OnlyErrorOf(PoolWith(Pinned("[" + one + ", \"sha256//AAA\"]"))),
             Catch::StartsWith("/etc/postern/p.toml:12:64: pin = \"sha256//AAA\": "));
  CHECK(OnlyErrorOf(PoolWith("tls = \"implicit\"\nverify = \"pin\"")) ==
        "/etc/postern/p.toml:11:10: verify = \"pin\": there is no pin; add pin = "
        "\"sha256//...\"");
  CHECK_THAT(OnlyErrorOf(PoolWith(Pinned("[]"))), Catch::Contains("is empty; name a pin"));
  CHECK(OnlyErrorOf(PoolWith("tls = \"implicit\"\npin = " + one)) ==
        "/etc/postern/p.toml:11:7: pin is looked at with verify = \"pin\" only; say so or leave "
        "the key out");
}

TEST_CASE("No verification needs a second word and is warned of") {
  CHECK_THAT(OnlyErrorOf(PoolWith("tls = \"implicit\"\nverify = \"none\"")),
             Catch::StartsWith("/etc/postern/p.toml:11:10: verify = \"none\": ") &&
                 Catch::Contains("insecure = true"));
  CHECK_THAT(OnlyWarningOf(PoolWith("tls = \"implicit\"\nverify = \"none\"\ninsecure = true")),
             Catch::StartsWith("/etc/postern/p.toml:11:10: verify = \"none\": ") &&
                 Catch::Contains("pool \"legacy\""));
}

TEST_CASE("What verifies does nothing without TLS and says so") {
  CHECK(OnlyWarningOf(PoolWith("verify = \"full\"")) ==
        "/etc/postern/p.toml:10:10: verify does nothing without TLS; say tls = \"starttls\" or "
        "\"implicit\", or leave the key out");
  for (const char* line : {"ca = \"ca.pem\"", "verify_name = \"mail\""}) {
    CHECK_THAT(OnlyWarningOf(PoolWith(line)), Catch::Contains("does nothing without TLS"));
  }
  const Parsed pinned =
      ParseGood(PoolWith("verify = \"pin\"\npin = \"" + std::string(kPin) + "\""));
  CHECK(pinned.errors.warnings.size() == 2);
}

TEST_CASE("The client's address is forwarded in the ways that are named") {
  const PoolConfig preset = PoolOf("");
  CHECK((preset.forward_id && !preset.forward_xclient && !preset.forward_proxy2));
  const PoolConfig none = PoolOf("forward = []");
  CHECK_FALSE((none.forward_id || none.forward_xclient || none.forward_proxy2));
  const PoolConfig proxy = PoolOf("forward = [\"proxy2\"]");
  CHECK((!proxy.forward_id && !proxy.forward_xclient && proxy.forward_proxy2));
  CHECK(OnlyErrorOf(PoolWith("forward = [\"id\", \"proxy\"]")) ==
        "/etc/postern/p.toml:10:18: forward = \"proxy\": not known; must be \"id\", \"xclient\" or "
        "\"proxy2\"");
}

TEST_CASE("XCLIENT on a pool that serves IMAP only is warned of") {
  CHECK_THAT(OnlyWarningOf(PoolWith("forward = [\"xclient\"]")),
             Catch::StartsWith("/etc/postern/p.toml:10:11: \"xclient\" is POP3's"));
  const std::string both =
      Replaced("imap = \"127.0.0.1:143\"", "imap = \"127.0.0.1:143\"\npop3 = \"127.0.0.1:110\"") +
      "[[listener]]\nname = \"pop3s\"\nprotocol = \"pop3\"\naddress = \"127.0.0.1:995\"\n";
  std::string forwarded = both;
  forwarded.insert(forwarded.find("[[pool."), "forward = [\"id\", \"xclient\"]\n");
  CHECK(ParseGood(forwarded).errors.warnings.empty());
}

TEST_CASE("A backend's address may be a name that is resolved later") {
  Parsed parsed = ParseGood(Backend("localhost:143"));
  BackendConfig& backend = parsed.config.backends[0];
  CHECK(backend.has_imap);
  CHECK(backend.imap_text == "localhost:143");
  CHECK(backend.imap.family() == AF_UNSPEC);
  CHECK(PrintConfig(parsed.config).find("imap = \"localhost:143\"") != std::string::npos);
  ResolveBackends(parsed.config, parsed.errors);
  CHECK(parsed.errors.warnings.empty());
  CHECK(backend.imap.family() != AF_UNSPEC);
  CHECK(backend.imap.port() == 143);
}

TEST_CASE("A name that nobody knows is a warning") {
  Parsed parsed = ParseGood(kMinimal);
  BackendConfig& backend = parsed.config.backends[0];
  backend.imap = Address();
  // No resolver is asked for what cannot be a name, so the test needs no network.
  backend.imap_text = std::string(300, 'x') + ":143";
  ResolveBackends(parsed.config, parsed.errors);
  CHECK(parsed.errors.errors.empty());
  REQUIRE(parsed.errors.warnings.size() == 1);
  CHECK_THAT(parsed.errors.warnings[0], Catch::StartsWith("/etc/postern/p.toml:10:1: ") &&
                                            Catch::Contains("cannot be resolved") &&
                                            Catch::EndsWith("looked up again when it is needed"));
  CHECK(backend.imap.family() == AF_UNSPEC);
}

TEST_CASE("Names of hosts are told from slips of the pen") {
  for (const char* good : {"localhost", "mail.example", "a", "mail-1.x_y.example", "1and1.example",
                           "xn--bcher-kva.example"}) {
    CAPTURE(good);
    ParseGood(Backend(std::string(good) + ":143"));
  }
  for (const std::string& bad :
       {std::string("10.0.0.256:143"), std::string("10.0.0:143"), std::string("mail..example:143"),
        std::string("mail.example.:143"), std::string(":143"), std::string("mail"),
        std::string("mail:"), std::string("mail:0"), std::string("127.0.0.1:0"),
        std::string("mail:65536"), std::string("-mail:143"), std::string("mail-.x:143"),
        std::string("ma il:143"), std::string("[mail]:143"), std::string("::1:143"),
        std::string(64, 'a') + ":143"}) {
    CAPTURE(bad);
    CHECK_THAT(OnlyErrorOf(Backend(bad)), Catch::StartsWith("/etc/postern/p.toml:12:8: imap = "));
  }
}

}  // namespace
}  // namespace postern
