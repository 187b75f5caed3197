// Sessions resumed by tickets: where, how long, and where not.
#include <catch2/catch.hpp>
#include <memory>
#include <string>

#include "postern/net/ticket_keys.h"
#include "unit/net/tls_world.h"

namespace postern {
namespace {

constexpr std::int64_t kHour = 3600;
constexpr std::int64_t kDay = 24 * kHour;
constexpr std::int64_t kMorning = 20'000 * kDay + 6 * kHour;

struct WallClock {
  std::int64_t now = kMorning;
  TicketKeys::WallClock function() {
    return [this] { return now; };
  }
};

// The ticket of a session with that context.
bssl::UniquePtr<SSL_SESSION> TicketOf(TlsContext& context, int version) {
  World world(Version(version), &context);
  world.Shake();
  world.stream->Write("* OK\r\n");  // tickets of 1.3 leave with the first write
  world.Settle();
  return world.client->TakeSession();
}

bool Resumes(TlsContext& context, SSL_SESSION* ticket, int version) {
  REQUIRE(ticket != nullptr);
  TlsClientOptions options = Version(version);
  options.session = ticket;
  World next(options, &context);
  next.Shake();
  REQUIRE(next.client->open());
  CHECK(next.stream->tls().resumed == (SSL_session_reused(next.client->ssl()) == 1));
  return next.stream->tls().resumed;
}

std::unique_ptr<TlsContext> ContextWith(std::shared_ptr<TicketKeys> keys,
                                        const std::string& alpn = "imap", bool strict = false) {
  ServerTlsSettings settings = MakeSettings({P256()});
  settings.ticket_keys = std::move(keys);
  settings.alpn = alpn;
  settings.strict_sni = strict;
  return MakeContext(settings);
}

TEST_CASE("a session resumes with every context that has the same keys", "[net][tls][ticket]") {
  const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  const auto keys = std::make_shared<TicketKeys>();
  auto one = ContextWith(keys);
  const auto ticket = TicketOf(*one, version);
  CHECK(Resumes(*one, ticket.get(), version));
  one.reset();  // a reload, with another certificate of the same name
  ServerTlsSettings renewed = MakeSettings({MakeIdentity(KeyKind::kP256)});
  renewed.ticket_keys = keys;
  CHECK(Resumes(*MakeContext(renewed), ticket.get(), version));
  CHECK_FALSE(Resumes(*ContextWith(std::make_shared<TicketKeys>()), ticket.get(), version));
}

TEST_CASE("a ticket is worth nothing under another policy", "[net][tls][ticket]") {
  const int version = TLS1_3_VERSION;
  const auto keys = std::make_shared<TicketKeys>();
  const auto ticket = TicketOf(*ContextWith(keys), version);
  CHECK_FALSE(Resumes(*ContextWith(keys, "pop3"), ticket.get(), version));
  CHECK_FALSE(Resumes(*ContextWith(keys, "imap", true), ticket.get(), version));
  ServerTlsSettings strict = MakeSettings({P256()});
  strict.ticket_keys = keys;
  strict.minimum = ServerTlsSettings::Version::k13;
  CHECK_FALSE(Resumes(*MakeContext(strict), ticket.get(), version));
  CHECK(Resumes(*ContextWith(keys), ticket.get(), version));
}

TEST_CASE("a ticket ends with the day after that of its key", "[net][tls][ticket]") {
  const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  WallClock clock;
  const bool shared = GENERATE(false, true);
  const auto keys = shared ? std::make_shared<TicketKeys>(
                                 std::vector<std::string>{std::string(48, 's')}, clock.function())
                           : std::make_shared<TicketKeys>(clock.function());
  const auto context = ContextWith(keys);
  const auto ticket = TicketOf(*context, version);
  clock.now = kMorning + kDay + 17 * kHour;
  CHECK(Resumes(*context, ticket.get(), version));
  clock.now = kMorning + kDay + 18 * kHour;
  CHECK_FALSE(Resumes(*context, ticket.get(), version));
}

TEST_CASE("a ticket of the day before is replaced", "[net][tls][ticket]") {
  const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  WallClock clock;
  const auto context = ContextWith(std::make_shared<TicketKeys>(clock.function()));
  const auto ticket = TicketOf(*context, version);
  clock.now += kDay;
  TlsClientOptions options = Version(version);
  options.session = ticket.get();
  World world(options, context.get());
  world.Shake();
  world.stream->Write("* OK\r\n");
  world.Settle();
  REQUIRE(world.stream->tls().resumed);
  const bssl::UniquePtr<SSL_SESSION> fresh = world.client->TakeSession();
  REQUIRE(fresh != nullptr);
  clock.now += kDay;
  CHECK_FALSE(Resumes(*context, ticket.get(), version));
  CHECK(Resumes(*context, fresh.get(), version));
}

TEST_CASE("machines with the same secret open each other's tickets", "[net][tls][ticket]") {
  const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  const std::string old_secret(48, 'o');
  const std::string new_secret(32, 'n');
  using Secrets = std::vector<std::string>;
  const auto here = ContextWith(std::make_shared<TicketKeys>(Secrets{old_secret}));
  const auto there = ContextWith(std::make_shared<TicketKeys>(Secrets{old_secret}));
  const auto replaced = ContextWith(std::make_shared<TicketKeys>(Secrets{new_secret, old_secret}));
  const auto later = ContextWith(std::make_shared<TicketKeys>(Secrets{new_secret}));
  const auto ticket = TicketOf(*here, version);
  CHECK(Resumes(*there, ticket.get(), version));
  CHECK(Resumes(*replaced, ticket.get(), version));
  CHECK_FALSE(Resumes(*later, ticket.get(), version));
  const auto fresh = TicketOf(*replaced, version);
  CHECK(Resumes(*later, fresh.get(), version));
  CHECK_FALSE(Resumes(*here, fresh.get(), version));
}

TEST_CASE("a ticket lives twelve hours at most", "[net][tls][ticket]") {
  const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  const auto ticket = TicketOf(*ContextWith(std::make_shared<TicketKeys>()), version);
  REQUIRE(ticket != nullptr);
  CHECK(SSL_SESSION_get_timeout(ticket.get()) <= 12 * kHour);
}

}  // namespace
}  // namespace postern
