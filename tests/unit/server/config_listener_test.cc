#include "unit/server/config_fixture.h"

namespace postern {
namespace {

std::string WithTls(std::string_view lines) {
  return "[tls]\n" + std::string(lines) + "\n" + std::string(kMinimal);
}

TEST_CASE("A listener comes to TLS in four ways") {
  CHECK(ParseGood(kMinimal).config.listeners[0].tls == ListenerTls::kImplicit);
  CHECK(ParseGood(ListenerWith("tls = \"starttls\"")).config.listeners[0].tls ==
        ListenerTls::kStarttls);
  CHECK(ParseGood(ListenerWith("tls = \"refuse\"")).config.listeners[0].tls ==
        ListenerTls::kRefuse);
  const ListenerConfig plain =
      ParseGood(ListenerWith("tls = \"none\"\ntrusted = [\"10.0.0.0/8\"]")).config.listeners[0];
  CHECK(plain.tls == ListenerTls::kNone);
  REQUIRE(plain.trusted.size() == 1);
  CHECK(plain.trusted[0].Contains(Address::Parse("10.1.2.3:1").value()));
  CHECK_FALSE(plain.trusted[0].Contains(Address::Parse("11.1.2.3:1").value()));
}

TEST_CASE("Plain text needs somebody who is trusted with it") {
  const std::string sentence =
      "/etc/postern/p.toml:3:7: tls = \"none\": nobody is trusted with plain text; add trusted = "
      "[\"10.0.0.0/8\"], or write \"implicit\" or \"starttls\"";
  CHECK(OnlyErrorOf(ListenerWith("tls = \"none\"")) == sentence);
  CHECK(OnlyErrorOf(ListenerWith("tls = \"none\"\ntrusted = []")) == sentence);
}

TEST_CASE("Networks are a list and each is looked at") {
  const Config config =
      ParseGood(ListenerWith("proxy = [\"192.0.2.0/24\", \"2001:db8::1\"]")).config;
  REQUIRE(config.listeners[0].proxy.size() == 2);
  CHECK(ContainedInAny(config.listeners[0].proxy, Address::Parse("[2001:db8::1]:1").value()));

  const std::vector<std::string> errors =
      Parse(ListenerWith("trusted = [\"10.0.0.0/8\", \"10.0.0.1/8\", 7, \"nonsense\"]"))
          .errors.errors;
  REQUIRE(errors.size() == 3);
  CHECK_THAT(errors[0], Catch::StartsWith("/etc/postern/p.toml:3:26: trusted = \"10.0.0.1/8\": "));
  CHECK(errors[1] ==
        "/etc/postern/p.toml:3:40: trusted = 7: is an integer; must be a network in quotes");
  CHECK_THAT(errors[2], Catch::StartsWith("/etc/postern/p.toml:3:43: trusted = \"nonsense\": "));
  CHECK(OnlyErrorOf(ListenerWith("proxy = \"10.0.0.0/8\"")) ==
        "/etc/postern/p.toml:3:9: proxy = \"10.0.0.0/8\": is text; must be a list, [...], and each "
        "in it a network in quotes");
  CHECK_THAT(OnlyErrorOf(ListenerWith("proxy = [[\"10.0.0.0/8\"]]")),
             Catch::Contains("proxy: is a list; must be a network in quotes"));
}

TEST_CASE("A listener offers the mechanisms it names") {
  CHECK(ParseGood(kMinimal).config.listeners[0].mechanisms == kAllMechanisms);
  const MechanismSet two{Mechanism::kPlain, Mechanism::kOauthbearer};
  CHECK(ParseGood(ListenerWith("mechanisms = [\"oauthbearer\", \"PLAIN\"]"))
            .config.listeners[0]
            .mechanisms == two);
  CHECK(OnlyErrorOf(ListenerWith("mechanisms = []")) ==
        "/etc/postern/p.toml:3:14: mechanisms: is empty, and nobody could log in; name some or "
        "leave the key out");
  CHECK(OnlyErrorOf(ListenerWith("mechanisms = [\"PLAIN\", \"XOAUTH\"]")) ==
        "/etc/postern/p.toml:3:24: mechanisms = \"XOAUTH\": not a mechanism; did you mean "
        "\"XOAUTH2\"?");
  CHECK_THAT(OnlyErrorOf(ListenerWith("mechanisms = [\"SCRAM-SHA-256\"]")),
             Catch::Contains("known are PLAIN, LOGIN, XOAUTH2, OAUTHBEARER"));
}

TEST_CASE("Strict SNI needs TLS to be strict about") {
  CHECK(ParseGood(ListenerWith("strict_sni = true")).config.listeners[0].strict_sni);
  CHECK_THAT(OnlyWarningOf(ListenerWith("tls = \"refuse\"\nstrict_sni = true")),
             Catch::StartsWith("/etc/postern/p.toml:4:14: strict_sni does nothing"));
}

TEST_CASE("A certificate is needed where TLS is spoken only") {
  const std::string_view table =
      "[[certificate]]\nchain = \"tls/chain.pem\"\nkey = \"/etc/key.pem\"\n";
  const auto without = [&](std::string text) { return text.erase(text.find(table), table.size()); };
  CHECK(OnlyErrorOf(without(std::string(kMinimal))) ==
        "/etc/postern/p.toml:1:1: no certificate, but listener \"imaps\" speaks TLS; add a "
        "[[certificate]] with chain and key");
  CHECK_THAT(OnlyErrorOf(without(ListenerWith("tls = \"starttls\""))),
             Catch::Contains("no certificate"));
  ParseGood(without(ListenerWith("tls = \"refuse\"")));
  ParseGood(without(ListenerWith("tls = \"none\"\ntrusted = [\"10.0.0.0/8\"]")));
}

TEST_CASE("There may be several certificates and staples") {
  const Config config =
      ParseGood(std::string(kMinimal) +
                "[[certificate]]\nchain = \"b.pem\"\nkey = \"b.key\"\nocsp = \"b.der\"\n")
          .config;
  REQUIRE(config.certificates.size() == 2);
  CHECK(config.certificates[0].ocsp.empty());
  CHECK(config.certificates[1].ocsp == "/etc/postern/b.der");
  CHECK(config.certificates[1].place == "/etc/postern/p.toml:15:1");
}

TEST_CASE("Obsolete versions need a second word and are warned of") {
  CHECK(OnlyErrorOf(WithTls("minimum = \"1.1\"")) ==
        "/etc/postern/p.toml:2:11: minimum = \"1.1\": obsolete; write \"1.2\", or say "
        "allow_obsolete = true to measure who still needs it");
  CHECK_THAT(OnlyErrorOf(WithTls("minimum = \"1.0\"\nallow_obsolete = false")),
             Catch::Contains("obsolete"));
  CHECK(OnlyWarningOf(WithTls("minimum = \"1.0\"\nallow_obsolete = true")) ==
        "/etc/postern/p.toml:2:11: minimum = \"1.0\": clients may speak obsolete TLS; go back to "
        "\"1.2\" once they are counted");
  CHECK(ParseGood(WithTls("minimum = \"1.1\"\nallow_obsolete = true")).config.minimum_tls ==
        ServerTlsSettings::Version::k11);
  CHECK(ParseGood(WithTls("allow_obsolete = true")).errors.warnings.empty());
}

}  // namespace
}  // namespace postern
