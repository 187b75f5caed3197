// Which certificate a client is shown.
#include <catch2/catch.hpp>
#include <memory>
#include <string>

#include "unit/net/tls_world.h"

namespace postern {
namespace {

Identity Named(KeyKind kind, const std::string& names) {
  IdentitySpec spec;
  spec.kind = kind;
  spec.names = names;
  return MakeIdentity(spec);
}

// The certificates of a provider: two kinds of its own name, a customer's, and a wildcard.
struct Provider {
  Provider()
      : ecdsa(Named(KeyKind::kP256, "DNS:mail.example,DNS:imap.example")),
        rsa(Named(KeyKind::kRsa2048, "DNS:mail.example")),
        customer(Named(KeyKind::kP256, "DNS:mail.customer.example")),
        wildcard(Named(KeyKind::kP256, "DNS:*.wild.example")),
        settings(MakeSettings({rsa, ecdsa, customer, wildcard})) {}
  const Identity ecdsa, rsa, customer, wildcard;
  ServerTlsSettings settings;
};

const Provider& TheProvider() {
  static const Provider provider;
  return provider;
}

std::unique_ptr<World> Visit(TlsContext& context, const TlsClientOptions& options) {
  auto world = std::make_unique<World>(options, &context);
  world->Shake();
  return world;
}

bool Shown(World& world, const Identity& identity) {
  const bssl::UniquePtr<X509> shown(SSL_get_peer_certificate(world.client->ssl()));
  return shown != nullptr && X509_cmp(shown.get(), LeafOf(identity).get()) == 0;
}

TlsClientOptions Asking(const std::string& name, int version) {
  TlsClientOptions options = Version(version);
  options.name = name;
  return options;
}

TEST_CASE("a client gets the certificate of the name it asks for", "[net][tls]") {
  const Provider& provider = TheProvider();
  const auto context = MakeContext(provider.settings);
  const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  const auto shows = [&](const std::string& name, const Identity& identity) {
    INFO(name);
    const auto world = Visit(*context, Asking(name, version));
    CHECK(world->client->open());
    CHECK(Shown(*world, identity));
  };
  shows("mail.customer.example", provider.customer);
  shows("MAIL.Customer.EXAMPLE", provider.customer);
  shows("a.wild.example", provider.wildcard);
  shows("imap.example", provider.ecdsa);
  shows("a.b.wild.example", provider.ecdsa);  // unknown: the default name's
  shows("wild.example", provider.ecdsa);
  shows("unknown.example", provider.ecdsa);
  shows("", provider.ecdsa);
}

TEST_CASE("of one name the client gets the key that it can verify", "[net][tls]") {
  const Provider& provider = TheProvider();
  const auto context = MakeContext(provider.settings);
  SECTION("TLS 1_3 without ECDSA") {
    TlsClientOptions options = Asking("mail.example", TLS1_3_VERSION);
    options.configure = [](SSL* ssl) { SSL_set1_sigalgs_list(ssl, "rsa_pss_rsae_sha256"); };
    const auto world = Visit(*context, options);
    CHECK(world->client->open());
    CHECK(Shown(*world, provider.rsa));
  }
  SECTION("TLS 1_2 with suites of RSA only") {
    TlsClientOptions options = Asking("mail.example", TLS1_2_VERSION);
    options.configure = [](SSL* ssl) {
      SSL_set_strict_cipher_list(ssl, "ECDHE-RSA-AES128-GCM-SHA256");
    };
    const auto world = Visit(*context, options);
    CHECK(world->client->open());
    CHECK(Shown(*world, provider.rsa));
  }
  SECTION("TLS 1_2 with signatures of RSA only") {
    TlsClientOptions options = Asking("mail.example", TLS1_2_VERSION);
    options.configure = [](SSL* ssl) { SSL_set1_sigalgs_list(ssl, "RSA+SHA256"); };
    const auto world = Visit(*context, options);
    CHECK(world->client->open());
    CHECK(Shown(*world, provider.rsa));
  }
  SECTION("both") {
    const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
    CHECK(Shown(*Visit(*context, Asking("mail.example", version)), provider.ecdsa));
  }
  SECTION("none") {
    TlsClientOptions options = Asking("mail.customer.example", TLS1_3_VERSION);
    options.configure = [](SSL* ssl) { SSL_set1_sigalgs_list(ssl, "rsa_pss_rsae_sha256"); };
    const auto world = Visit(*context, options);
    CHECK_FALSE(world->client->open());
    CHECK(world->server.error() == "tls: no_common_signature_algorithms");
  }
}

TEST_CASE("strict names are refused with alert 112 when unknown", "[net][tls]") {
  const Provider& provider = TheProvider();
  ServerTlsSettings settings = provider.settings;
  settings.strict_sni = true;
  const auto context = MakeContext(settings);
  const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  const auto unknown = Visit(*context, Asking("unknown.example", version));
  CHECK_FALSE(unknown->client->open());
  CHECK(unknown->client->alert() == SSL_AD_UNRECOGNIZED_NAME);
  CHECK(unknown->server.ends.size() == 1);
  for (const char* name : {"", "mail.example", "x.wild.example", "Mail.Customer.example."}) {
    INFO(name);
    CHECK(Visit(*context, Asking(name, version))->client->open());
  }
}

TEST_CASE("keys of every kind serve", "[net][tls]") {
  const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  const KeyKind kind = GENERATE(KeyKind::kP384, KeyKind::kEd25519);
  const Identity identity = MakeIdentity(kind);
  const auto context = MakeContext(MakeSettings({identity}));
  TlsClientOptions options = Version(version);
  options.configure = [](SSL* ssl) {
    const std::uint16_t all[] = {SSL_SIGN_ED25519, SSL_SIGN_ECDSA_SECP384R1_SHA384};
    SSL_set_verify_algorithm_prefs(ssl, all, 2);
  };
  const auto world = Visit(*context, options);
  CHECK(world->client->open());
  CHECK(Shown(*world, identity));
}

TEST_CASE("the staple goes to those who ask for it", "[net][tls]") {
  const TemporaryFolder folder;
  const std::string der("\x30\x05\x0a\x01\x00\xa0\x00", 7);
  CertificateFiles files = WriteIdentity(folder, P256());
  files.ocsp = folder.Write("ocsp.der", der);
  ServerTlsSettings settings;
  settings.certificates = CertificateSet::Load({files}).value();
  const auto context = MakeContext(settings);
  const bool asks = GENERATE(true, false);
  TlsClientOptions options = Version(GENERATE(TLS1_2_VERSION, TLS1_3_VERSION));
  options.configure = [asks](SSL* ssl) {
    if (asks) SSL_enable_ocsp_stapling(ssl);
  };
  const auto world = Visit(*context, options);
  REQUIRE(world->client->open());
  const std::uint8_t* staple = nullptr;
  std::size_t size = 0;
  SSL_get0_ocsp_response(world->client->ssl(), &staple, &size);
  CHECK(std::string(reinterpret_cast<const char*>(staple), size) == (asks ? der : ""));
}

TEST_CASE("streams outlive their context", "[net][tls]") {
  auto context = MakeContext(TheProvider().settings);
  World world(Version(TLS1_3_VERSION), context.get());
  context.reset();
  world.Shake();
  CHECK(world.client->open());
}

}  // namespace
}  // namespace postern
