// How TLS streams end: orderly, cut, forged, flooded, and by their observer.
#include <catch2/catch.hpp>
#include <memory>
#include <string>

#include "unit/net/tls_world.h"

namespace postern {
namespace {

TEST_CASE("close_notify is an orderly end and leaves writing open", "[net][tls]") {
  World world(Version(GENERATE(TLS1_2_VERSION, TLS1_3_VERSION)));
  world.Shake();
  world.client->Write("a LOGOUT\r\n");
  world.client->SendCloseNotify();
  world.CutWithoutNotify();
  world.Settle();
  CHECK(world.server.received == "a LOGOUT\r\n");
  CHECK(world.server.ended_well());
  const std::string before = world.client->received();
  world.stream->Write("* BYE\r\n");
  world.stream->Close(Stream::How::kFlush);
  world.Settle();
  CHECK(world.client->received() == before + "* BYE\r\n");
  CHECK(world.client->got_close_notify());
}

TEST_CASE("the end of TCP without close_notify is a truncation", "[net][tls]") {
  World world;
  world.Shake();
  world.client->Write("a APP");
  world.CutWithoutNotify();
  world.Settle();
  CHECK(world.server.received == "a APP");
  CHECK(world.server.ends.size() == 1);
  CHECK(world.server.error() == "connection closed without TLS close_notify");
}

TEST_CASE("the end of TCP in the handshake is an error", "[net][tls]") {
  World world;
  world.stream->Start(world.server);
  Recorder client;
  world.client->lower().Start(client);
  world.CutWithoutNotify();
  world.Settle();
  CHECK(world.server.error() == "tls: connection closed during the handshake");
}

TEST_CASE("a forged record ends the stream after the true bytes", "[net][tls]") {
  World world;
  world.Shake();
  world.client->Write("true");
  world.client->lower().Write(std::string("\x17\x03\x03\x00\x20", 5) + std::string(32, 'x'));
  world.Settle();
  CHECK(world.server.received == "true");
  CHECK(world.server.error() == "tls: decryption_failed_or_bad_record_mac");
  CHECK(world.client->alert() == SSL_AD_BAD_RECORD_MAC);
}

TEST_CASE("an abort sends no close_notify", "[net][tls]") {
  World world;
  world.Shake();
  world.stream->Write("* 1 FETCH (BODY[] {100}\r\n");
  world.Settle();
  world.stream->Close(Stream::How::kAbort);
  world.Settle();
  CHECK_FALSE(world.client->got_close_notify());
  CHECK(world.client->lower_error() == "connection reset by peer");
}

TEST_CASE("an error of the stream below is passed on", "[net][tls]") {
  World world;
  world.Shake();
  world.lower->Break(Status::Error("broken pipe"));
  world.Settle();
  CHECK(world.server.error() == "broken pipe");
  world.stream->Write("into the void");
  world.stream->Close(Stream::How::kFlush);
  CHECK(world.lower->closed());
}

TEST_CASE("the observer may end the stream from inside its calls", "[net][tls]") {
  World world;
  SECTION("close in OnOpen") {
    world.server.on_open = [&] { world.stream->Close(Stream::How::kFlush); };
    world.Shake();
    CHECK(world.client->got_close_notify());
  }
  SECTION("destroy in OnOpen") {
    world.server.on_open = [&] { world.stream.reset(); };
    world.Shake();
    CHECK(world.client->lower_error() == "connection reset by peer");
  }
  SECTION("close in OnBytes") {
    world.Shake();
    world.server.on_bytes = [&](std::string_view) { world.stream->Close(Stream::How::kFlush); };
    world.client->Write(Pattern(200'000));
    world.Settle();
    CHECK(world.server.arrivals.size() == 1);
    CHECK(world.client->got_close_notify());
  }
  SECTION("destroy in OnBytes") {
    world.Shake();
    world.server.on_bytes = [&](std::string_view) { world.stream.reset(); };
    world.client->Write(Pattern(200'000));
    world.Settle();
    CHECK(world.server.arrivals.size() == 1);
  }
  SECTION("destroy in OnEnd") {
    world.server.on_end = [&] { world.stream.reset(); };
    world.Shake();
    world.CutWithoutNotify();
    world.Settle();
    CHECK(world.server.ends.size() == 1);
  }
}

TEST_CASE("the backlog of TLS is that of the stream below", "[net][tls]") {
  World world;
  world.Shake();
  world.client->lower().SetReading(false);
  world.lower->set_window(1000);
  world.stream->Write(Pattern(300'000));
  CHECK(world.stream->backlog() > 299'000);
  world.Settle();
  CHECK(world.server.drained == 0);
  world.client->lower().SetReading(true);
  world.Settle();
  CHECK(world.server.drained == 1);
  CHECK(world.client->received() == Pattern(300'000));
}

TEST_CASE("a flood of key updates ends the stream", "[net][tls]") {
  World world;
  world.Shake();
  for (int i = 0; i < 40; ++i) {
    REQUIRE(SSL_key_update(world.client->ssl(), SSL_KEY_UPDATE_NOT_REQUESTED) == 1);
    world.client->Write("");  // sends the update alone
  }
  world.client->Write("a NOOP\r\n");
  world.Settle();
  CHECK(world.server.received.empty());
  CHECK(world.server.error() == "tls: too_many_key_updates");
}

TEST_CASE("a few key updates change nothing", "[net][tls]") {
  World world;
  world.Shake();
  for (int i = 0; i < 10; ++i) {
    REQUIRE(SSL_key_update(world.client->ssl(), SSL_KEY_UPDATE_REQUESTED) == 1);
    world.client->Write("a NOOP\r\n");
    world.Settle();
    world.stream->Write("a OK\r\n");
    world.Settle();
  }
  CHECK(world.server.received.size() == 80);
  CHECK(world.client->received().size() == 60);
  CHECK(world.server.ends.empty());
}

}  // namespace
}  // namespace postern
