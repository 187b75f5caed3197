// The client's side: which certificates of a backend are accepted and what is said of the others.
#include <catch2/catch.hpp>
#include <ctime>
#include <memory>
#include <string>

#include "unit/net/tls_world.h"

namespace postern {
namespace {

using Verify = ClientTlsSettings::Verify;

const Identity& Root() {
  static const Identity root = [] {
    IdentitySpec spec;
    spec.common_name = "Test Root";
    spec.authority = true;
    return MakeIdentity(spec);
  }();
  return root;
}

IdentitySpec BackendSpec() {
  IdentitySpec spec;
  spec.names = "DNS:mail.internal,IP:127.0.0.1";
  spec.issuer = &Root();
  return spec;
}

// A backend with that identity and a stream of ours to it.
struct Leg {
  explicit Leg(const Identity& identity)
      : server_context(MakeContext(MakeSettings({identity}))),
        settings{Verify::kFull, folder.Write("ca.pem", Root().chain), {}} {}

  void Connect(const std::string& name) {
    const auto context = std::move(TlsContext::ForClient(settings).value());
    auto [near, far] = network.Connect();
    stream = context->Wrap(loop, std::move(near), name);
    backend = server_context->Wrap(loop, std::move(far));
    backend->Start(server);
    stream->Start(client);
    Settle();
  }
  void Settle() {
    bool moved = true;
    while (moved) {
      Turn(loop);
      moved = network.Step();
      network.Run();
    }
  }
  // What became of a connection to that name; empty: it opened.
  std::string Outcome(const std::string& name) {
    Connect(name);
    CHECK((client.opened == 1) == client.ends.empty());
    return client.ends.empty() ? "" : client.error();
  }

  Loop loop;
  MemoryNetwork network;
  TemporaryFolder folder;
  std::unique_ptr<TlsContext> server_context;
  ClientTlsSettings settings;
  Recorder client;
  Recorder server;
  std::unique_ptr<Stream> stream;
  std::unique_ptr<Stream> backend;
};

std::string FullOutcome(const IdentitySpec& spec, const std::string& name = "mail.internal") {
  return Leg(MakeIdentity(spec)).Outcome(name);
}

TEST_CASE("a right certificate opens the backend's stream", "[net][tls][client]") {
  Leg leg(MakeIdentity(BackendSpec()));
  leg.Connect("mail.internal");
  REQUIRE(leg.client.opened == 1);
  CHECK(leg.stream->tls().version == "1.3");
  CHECK(leg.stream->tls().cipher == "TLS_AES_128_GCM_SHA256");
  leg.backend->Write("* OK ready\r\n");
  leg.stream->Write("a NOOP\r\n");
  leg.Settle();
  CHECK(leg.client.received == "* OK ready\r\n");
  CHECK(leg.server.received == "a NOOP\r\n");
  leg.stream->Close(Stream::How::kFlush);
  leg.Settle();
  CHECK(leg.server.ended_well());
}

TEST_CASE("names are looked for in the subjectAltName only", "[net][tls][client]") {
  CHECK(FullOutcome(BackendSpec(), "127.0.0.1").empty());
  CHECK(FullOutcome(BackendSpec(), "127.0.0.2") ==
        "tls: certificate is for mail.internal, not 127.0.0.2");
  CHECK(FullOutcome(BackendSpec(), "mail.other") ==
        "tls: certificate is for mail.internal, not mail.other");
  CHECK(FullOutcome(BackendSpec(), "") == "tls: no name is known that the certificate must be for");
  IdentitySpec spec = BackendSpec();
  spec.names = "DNS:*.mail.internal";
  CHECK(FullOutcome(spec, "a.mail.internal").empty());
  CHECK(FullOutcome(spec, "a.b.mail.internal") ==
        "tls: certificate is for *.mail.internal, not a.b.mail.internal");
  spec.names.clear();
  spec.common_name = "mail.internal";
  CHECK(FullOutcome(spec) ==
        "tls: certificate is for that name only by its common name, without subjectAltName, not "
        "mail.internal");
  spec.names = "IP:127.0.0.1";
  spec.common_name = "";
  CHECK(FullOutcome(spec) == "tls: certificate is for no name, not mail.internal");
}

TEST_CASE("dates and purpose of a backend's certificate count", "[net][tls][client]") {
  IdentitySpec spec = BackendSpec();
  SECTION("expired") {
    spec.not_after = std::time(nullptr) - 3600;
    CHECK(FullOutcome(spec) == "tls: certificate has expired");
  }
  SECTION("not yet valid") {
    spec.not_before = std::time(nullptr) + 3600;
    CHECK(FullOutcome(spec) == "tls: certificate is not yet valid");
  }
  SECTION("for clients only") {
    spec.usage = "clientAuth";
    CHECK(FullOutcome(spec) == "tls: certificate is not one for servers (extended key usage)");
  }
  SECTION("for servers") {
    spec.usage = "serverAuth";
    CHECK(FullOutcome(spec).empty());
  }
}

TEST_CASE("chains must lead to a trusted root", "[net][tls][client]") {
  IdentitySpec spec = BackendSpec();
  SECTION("self-signed") {
    spec.issuer = nullptr;
    CHECK(FullOutcome(spec) == "tls: certificate is self-signed and neither trusted nor pinned");
  }
  SECTION("self-signed and trusted itself") {
    spec.issuer = nullptr;
    Leg leg(MakeIdentity(spec));
    const Identity identity = MakeIdentity(spec);
    leg.server_context = MakeContext(MakeSettings({identity}));
    leg.settings.ca_file = leg.folder.Write("own.pem", identity.chain);
    CHECK(leg.Outcome("mail.internal").empty());
  }
  SECTION("issued by nobody we know") {
    Leg leg(MakeIdentity(spec));
    leg.settings.ca_file = leg.folder.Write("other.pem", P256().chain);
    CHECK(leg.Outcome("mail.internal") ==
          "tls: certificate's issuer is not trusted, or an intermediate certificate is missing");
  }
  SECTION("by an intermediate certificate") {
    IdentitySpec middle_spec;
    middle_spec.common_name = "Test Middle";
    middle_spec.authority = true;
    middle_spec.issuer = &Root();
    const Identity middle = MakeIdentity(middle_spec);
    spec.issuer = &middle;
    Identity leaf = MakeIdentity(spec);
    CHECK(Leg(leaf).Outcome("mail.internal") ==
          "tls: certificate's issuer is not trusted, or an intermediate certificate is missing");
    leaf.chain += middle.chain;
    CHECK(Leg(leaf).Outcome("mail.internal").empty());
  }
}

TEST_CASE("the system's roots do not know a test's", "[net][tls][client]") {
  Leg leg(MakeIdentity(BackendSpec()));
  leg.settings.ca_file.clear();
  if (!TlsContext::ForClient(leg.settings).ok()) {
    WARN("no bundle of roots on this machine");
    return;
  }
  CHECK(leg.Outcome("mail.internal") ==
        "tls: certificate's issuer is not trusted, or an intermediate certificate is missing");
}

TEST_CASE("a refused backend is told by an alert", "[net][tls][client]") {
  IdentitySpec spec = BackendSpec();
  spec.not_after = 1;
  Leg leg(MakeIdentity(spec));
  leg.Connect("mail.internal");
  CHECK(leg.server.opened == 0);
  CHECK(leg.server.error() == "tls: sslv3_alert_certificate_expired");
}

std::string Digest(const std::uint8_t* bytes, int size) {
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(bytes, static_cast<std::size_t>(size), reinterpret_cast<std::uint8_t*>(digest.data()));
  return digest;
}

TEST_CASE("a pin is enough and nothing else counts", "[net][tls][client]") {
  IdentitySpec spec;
  spec.not_after = 1;
  const Identity identity = MakeIdentity(spec);
  const bssl::UniquePtr<X509> leaf = LeafOf(identity);
  std::uint8_t* der = nullptr;
  const int size = GENERATE(true, false) ? i2d_X509(leaf.get(), &der)
                                         : i2d_X509_PUBKEY(X509_get_X509_PUBKEY(leaf.get()), &der);
  const std::string pin = Digest(der, size);
  OPENSSL_free(der);
  Leg leg(identity);
  leg.settings.verify = Verify::kPin;
  SECTION("the right one among others") {
    leg.settings.pins = {std::string(32, 'x'), pin};
    CHECK(leg.Outcome("anything").empty());
  }
  SECTION("a wrong one") {
    leg.settings.pins = {std::string(32, 'x')};
    CHECK(leg.Outcome("anything")
              .rfind("tls: certificate has none of the pins; that of its key "
                     "is sha256//",
                     0) == 0);
  }
}

TEST_CASE("without verification any certificate opens", "[net][tls][client]") {
  IdentitySpec spec;
  spec.not_after = 1;
  Leg leg(MakeIdentity(spec));
  leg.settings.verify = Verify::kNone;
  CHECK(leg.Outcome("").empty());
}

TEST_CASE("settings of a client that cannot work are refused", "[net][tls][client]") {
  const TemporaryFolder folder;
  ClientTlsSettings settings;
  settings.verify = Verify::kPin;
  CHECK_FALSE(TlsContext::ForClient(settings).ok());
  settings.verify = Verify::kFull;
  settings.ca_file = folder.Path("missing.pem");
  CHECK(TlsContext::ForClient(settings).error().message().find(
            "trusted certificates '" + settings.ca_file + "' cannot be read: No such file") == 0);
  settings.ca_file = folder.Write("nonsense.pem", "nonsense\n");
  CHECK(TlsContext::ForClient(settings).error().message().find("nonsense.pem' are not usable") !=
        std::string::npos);
}

TEST_CASE("a changed file of roots is read again", "[net][tls][client]") {
  Leg leg(MakeIdentity(BackendSpec()));
  leg.settings.ca_file = leg.folder.Write("roots.pem", P256().chain);
  const auto kept = std::move(TlsContext::ForClient(leg.settings).value());
  leg.folder.Write("roots.pem", P256().chain + Root().chain);
  CHECK(leg.Outcome("mail.internal").empty());
}

TEST_CASE("a backend that speaks plaintext is found out", "[net][tls][client]") {
  Leg leg(MakeIdentity(BackendSpec()));
  const auto context = std::move(TlsContext::ForClient(leg.settings).value());
  auto [near, far] = leg.network.Connect();
  leg.stream = context->Wrap(leg.loop, std::move(near), "mail.internal");
  far->Start(leg.server);
  leg.stream->Start(leg.client);
  far->Write("* OK ready\r\n");
  leg.Settle();
  CHECK(leg.client.error() == "tls: plaintext where a handshake was expected");
  CHECK(leg.stream->tls().plaintext);
  CHECK(leg.server.received.substr(0, 1) == "\x16");
}

TEST_CASE("a backend without TLS 1_2 is refused", "[net][tls][client]") {
  Leg leg(P256());
  leg.settings.verify = Verify::kNone;
  const auto context = std::move(TlsContext::ForClient(leg.settings).value());
  auto [near, far] = leg.network.Connect();
  leg.stream = context->Wrap(leg.loop, std::move(near), "mail.internal");
  leg.stream->Start(leg.client);
  far->Start(leg.server);
  // A ServerHello of TLS 1.1.
  far->Write(std::string("\x16\x03\x02\x00\x2a\x02\x00\x00\x26\x03\x02", 11) +
             std::string(32, 'r') + std::string("\x00\xc0\x13\x00", 4));
  leg.Settle();
  CHECK(leg.client.error() == "tls: unsupported_protocol");
}

TEST_CASE("numeric hosts are not named in the ClientHello", "[net][tls][client]") {
  const auto hello = [](const std::string& name) {
    Leg leg(P256());
    const auto context = std::move(TlsContext::ForClient(leg.settings).value());
    auto [near, far] = leg.network.Connect();
    leg.stream = context->Wrap(leg.loop, std::move(near), name);
    far->Start(leg.server);
    leg.stream->Start(leg.client);
    leg.Settle();
    return leg.server.received;
  };
  CHECK(hello("mail.internal").find("mail.internal") != std::string::npos);
  CHECK(hello("127.0.0.1").find("127.0.0.1") == std::string::npos);
  CHECK(hello("::1").find("::1") == std::string::npos);
}

TEST_CASE("pins are read in every usual form", "[net][tls][client]") {
  const std::string digest(32, '\xaa');
  const std::string hex(64, 'a');
  const std::string base64 = std::string(42, 'q') + "o=";
  std::string colons;
  for (int i = 0; i < 32; ++i) colons += i == 0 ? "AA" : ":AA";
  for (const std::string& text :
       {"sha256//" + base64, "sha256:" + hex, base64, hex, colons, "SHA256:" + colons}) {
    INFO(text);
    REQUIRE(ParsePin(text).ok());
    CHECK(ParsePin(text).value() == digest);
  }
  for (const std::string& text : {std::string(), std::string("sha256//"), hex.substr(2),
                                  "sha1:" + hex, base64 + "=", "sha256//" + base64.substr(4)}) {
    INFO(text);
    REQUIRE_FALSE(ParsePin(text).ok());
    CHECK(ParsePin(text).error().message().find("is no pin") != std::string::npos);
  }
}

}  // namespace
}  // namespace postern
