// TLS over streams in memory: handshakes, data, pauses. Sockets and time have no part in it.
#include <catch2/catch.hpp>
#include <memory>
#include <string>

#include "unit/net/tls_world.h"

namespace postern {
namespace {

TEST_CASE("a handshake opens the stream once and tells its facts", "[net][tls]") {
  const bool tls13 = GENERATE(true, false);
  const KeyKind kind = GENERATE(KeyKind::kP256, KeyKind::kP384, KeyKind::kRsa2048);
  const auto context = MakeContext(MakeSettings({MakeIdentity(kind)}));
  World world(Version(tls13 ? TLS1_3_VERSION : TLS1_2_VERSION), context.get());
  CHECK(world.stream->tls().version.empty());
  world.Shake();
  CHECK(world.client->open());
  CHECK(world.server.opened == 1);
  CHECK(world.server.ends.empty());
  const TlsFacts facts = world.stream->tls();
  CHECK(facts.version == (tls13 ? "1.3" : "1.2"));
  CHECK(facts.cipher == SSL_CIPHER_standard_name(SSL_get_current_cipher(world.client->ssl())));
  CHECK_FALSE(facts.resumed);
}

TEST_CASE("one other name in ALPN ends the handshake with alert 120", "[net][tls]") {
  struct Case {
    const char* offered;
    bool welcome;
  };
  const auto one =
      GENERATE(Case{"", true}, Case{"imap", true}, Case{"h2,imap", true}, Case{"pop3", false},
               Case{"h2,http/1.1", false}, Case{"imaps", false}, Case{"IMAP", false});
  INFO(one.offered);
  TlsClientOptions options;
  options.alpn = one.offered;
  World world(options);
  world.Shake();
  CHECK(world.client->open() == one.welcome);
  CHECK(world.server.opened == (one.welcome ? 1 : 0));
  if (one.welcome) {
    CHECK(world.server.ends.empty());
  } else {
    CHECK(world.client->alert() == 120);
    CHECK(world.server.error() == "tls: no_application_protocol");
  }
}

TEST_CASE("a minimum of TLS 1_3 refuses 1_2", "[net][tls]") {
  ServerTlsSettings settings = MakeSettings({P256()});
  settings.minimum = ServerTlsSettings::Version::k13;
  const auto context = MakeContext(settings);
  World old_client(Version(TLS1_2_VERSION), context.get());
  old_client.Shake();
  CHECK_FALSE(old_client.client->open());
  CHECK(old_client.server.error() == "tls: unsupported_protocol");
  CHECK(old_client.client->alert() == SSL_AD_PROTOCOL_VERSION);
  World new_client(Version(TLS1_3_VERSION), context.get());
  new_client.Shake();
  CHECK(new_client.client->open());
}

TEST_CASE("TLS 1_1 and 1_2 suites without forward secrecy are refused", "[net][tls]") {
  SECTION("version") {
    World world(Version(TLS1_1_VERSION));
    world.Shake();
    CHECK_FALSE(world.client->open());
    CHECK(world.server.error() == "tls: unsupported_protocol");
  }
  SECTION("suite") {
    const auto context = MakeContext(MakeSettings({MakeIdentity(KeyKind::kRsa2048)}));
    World world(Version(TLS1_2_VERSION), context.get());
    REQUIRE(SSL_set_strict_cipher_list(world.client->ssl(),
                                       "AES128-GCM-SHA256:ECDHE-RSA-AES128-SHA") == 1);
    world.Shake();
    CHECK_FALSE(world.client->open());
    CHECK(world.server.error() == "tls: no_shared_cipher");
  }
}

TEST_CASE("what is not TLS ends the stream and is told apart", "[net][tls]") {
  World world;
  world.stream->Start(world.server);
  Recorder client;
  world.client->lower().Start(client);
  world.client->lower().Write(GENERATE(as<std::string>(), "GET / HTTP/1.1\r\n\r\n",
                                       "a LOGIN user password\r\n", "\x80\x2e\x01\x03\x01"));
  world.Settle();
  CHECK(world.server.opened == 0);
  CHECK(world.server.error() == "tls: plaintext where a handshake was expected");
  CHECK(world.stream->tls().plaintext);
  CHECK(world.stream->tls().version.empty());
  world.stream->Write("nothing of this is sent");
  world.stream->Close(Stream::How::kFlush);
  world.Settle();
  CHECK(client.received.empty());
  CHECK(client.ended_well());
}

TEST_CASE("a broken handshake is no plaintext", "[net][tls]") {
  World world;
  world.stream->Start(world.server);
  Recorder client;
  world.client->lower().Start(client);
  world.client->lower().Write(std::string("\x16\x03\x01\x00\x04", 5) + "nope");
  world.Settle();
  CHECK(world.server.ends.size() == 1);
  CHECK_FALSE(world.stream->tls().plaintext);
}

TEST_CASE("obsolete versions are spoken only where asked for", "[net][tls]") {
  const int version = GENERATE(TLS1_VERSION, TLS1_1_VERSION);
  const KeyKind kind = GENERATE(KeyKind::kP256, KeyKind::kRsa2048);
  ServerTlsSettings settings = MakeSettings({MakeIdentity(kind)});
  settings.minimum = ServerTlsSettings::Version::k10;
  const auto context = MakeContext(settings);
  World world(Version(version), context.get());
  world.Shake();
  CHECK(world.client->open());
  CHECK(world.stream->tls().version == (version == TLS1_VERSION ? "1.0" : "1.1"));
  settings.minimum = ServerTlsSettings::Version::k11;
  const auto above = MakeContext(settings);
  World other(Version(version), above.get());
  other.Shake();
  CHECK(other.client->open() == (version == TLS1_1_VERSION));
}

// Client and server exchange so many bytes each way, in pieces of that size on the wire.
void Exchange(int version, std::size_t size, std::size_t piece) {
  World world(Version(version));
  world.lower->set_piece(piece);
  world.Shake();
  REQUIRE(world.client->open());
  const std::string bytes = Pattern(size);
  world.client->Write(bytes);
  world.Settle();
  world.stream->Write(bytes);
  world.Settle();
  CHECK(world.server.received == bytes);
  CHECK(world.client->received() == bytes);
  CHECK(world.stream->backlog() == 0);
  world.client->SendCloseNotify();
  world.Settle();
  CHECK(world.server.ended_well());
}

TEST_CASE("bytes of every size pass in both directions", "[net][tls]") {
  const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  const std::size_t size =
      GENERATE(1u, 2u, 16383u, 16384u, 16385u, 65535u, 65536u, 65537u, 1u << 20);
  INFO(size);
  Exchange(version, size, 64 * 1024);
}

TEST_CASE("the pieces in which ciphertext arrives change nothing", "[net][tls]") {
  const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  for (std::size_t piece = 1; piece < 80; ++piece) {
    INFO(piece);
    Exchange(version, 3000, piece);
  }
}

TEST_CASE("records of one arrival come in one piece", "[net][tls]") {
  World world;
  world.Shake();
  for (int i = 0; i < 20; ++i) world.client->Write("a NOOP\r\n");
  world.Settle();
  CHECK(world.server.arrivals.size() == 1);
  world.client->Write(Pattern(200'000));
  world.Settle();
  for (const std::size_t arrival : world.server.arrivals) CHECK(arrival <= 64 * 1024);
}

TEST_CASE("64 KiB leave in one write", "[net][tls]") {
  World world;
  world.Shake();
  const int before = world.lower->writes();
  world.stream->Write(Pattern(64 * 1024));
  CHECK(world.lower->writes() == before + 1);
}

TEST_CASE("a paused stream is silent and goes on later where it stopped", "[net][tls]") {
  World world;
  world.Shake();
  const std::string bytes = Pattern(300'000);
  world.server.on_bytes = [&](std::string_view) { world.stream->SetReading(false); };
  world.client->Write(bytes);
  world.Settle();
  CHECK(world.server.arrivals.size() == 1);
  std::size_t expected = 1;
  while (world.server.received.size() < bytes.size()) {
    world.stream->SetReading(true);
    CHECK(world.server.arrivals.size() == expected);  // not from inside the call
    world.Settle();
    ++expected;
    REQUIRE(world.server.arrivals.size() == expected);
  }
  CHECK(world.server.received == bytes);
}

TEST_CASE("an end behind a pause comes after the bytes", "[net][tls]") {
  World world;
  world.Shake();
  world.server.on_bytes = [&](std::string_view) { world.stream->SetReading(false); };
  const std::string bytes = Pattern(100'000);
  world.client->Write(bytes);
  const bool orderly = GENERATE(true, false);
  if (orderly) world.client->SendCloseNotify();
  world.CutWithoutNotify();
  world.Settle();
  CHECK(world.server.ends.empty());
  world.server.on_bytes = nullptr;
  world.stream->SetReading(true);
  world.Settle();
  CHECK(world.server.received == bytes);
  REQUIRE(world.server.ends.size() == 1);
  CHECK(world.server.ends[0].ok() == orderly);
}

TEST_CASE("reading may be paused and resumed within one arrival", "[net][tls]") {
  World world;
  world.Shake();
  world.server.on_bytes = [&](std::string_view) {
    world.stream->SetReading(false);
    world.stream->SetReading(true);
  };
  world.client->Write(Pattern(150'000));
  world.Settle();
  CHECK(world.server.received == Pattern(150'000));
}

}  // namespace
}  // namespace postern
