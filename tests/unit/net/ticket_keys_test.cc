#include "postern/net/ticket_keys.h"

#include <catch2/catch.hpp>
#include <string>

#include "unit/net/tls_fixture.h"

namespace postern {
namespace {

constexpr std::int64_t kDay = 86'400;
using Secrets = std::vector<std::string>;

struct WallClock {
  std::int64_t now = 20'000 * kDay;
  TicketKeys::WallClock function() {
    return [this] { return now; };
  }
};

bool Opens(TicketKeys& keys, const TicketKeys::Key& key, bool* renew = nullptr,
           std::string_view policy = "imap") {
  TicketKeys::Key found;
  bool again = false;
  if (!keys.Find(policy, key.name, found, again)) return false;
  CHECK(found.name == key.name);
  CHECK(found.aes == key.aes);
  CHECK(found.hmac == key.hmac);
  if (renew != nullptr) *renew = again;
  return true;
}

TEST_CASE("a ticket key has its sizes and is bound to its policy", "[net][ticket]") {
  TicketKeys keys;
  const TicketKeys::Key key = keys.Current("imap");
  CHECK(key.name.size() == 16);
  CHECK(key.aes.size() == 16);
  CHECK(key.hmac.size() == 32);
  CHECK(keys.Current("imap").name == key.name);
  CHECK(keys.Current("pop3").name != key.name);
  CHECK(keys.Current("pop3").aes != key.aes);
  CHECK(Opens(keys, key));
  CHECK_FALSE(Opens(keys, key, nullptr, "pop3"));
  TicketKeys others;
  CHECK(others.Current("imap").aes != key.aes);
  CHECK_FALSE(Opens(others, key));
}

TEST_CASE("keys change daily and the one before still opens", "[net][ticket]") {
  WallClock clock;
  const bool shared = GENERATE(false, true);
  TicketKeys random(clock.function());
  TicketKeys common(Secrets{std::string(32, 'x')}, clock.function());
  TicketKeys& keys = shared ? common : random;
  const TicketKeys::Key first = keys.Current("imap");
  bool renew = true;
  clock.now += kDay - 1;
  CHECK(keys.Current("imap").name == first.name);
  CHECK(Opens(keys, first, &renew));
  CHECK_FALSE(renew);
  clock.now += 1;
  const TicketKeys::Key second = keys.Current("imap");
  CHECK(second.name != first.name);
  CHECK(second.aes != first.aes);
  CHECK(Opens(keys, first, &renew));
  CHECK(renew);
  clock.now += kDay;
  CHECK_FALSE(Opens(keys, first));
  CHECK(Opens(keys, second));
}

TEST_CASE("a pause of days leaves no old random key", "[net][ticket]") {
  WallClock clock;
  TicketKeys keys(clock.function());
  const TicketKeys::Key old = keys.Current("imap");
  clock.now += 10 * kDay;
  CHECK_FALSE(Opens(keys, old));
}

TEST_CASE("a random key outlives a clock that is set back", "[net][ticket]") {
  WallClock clock;
  TicketKeys keys(clock.function());
  const TicketKeys::Key key = keys.Current("imap");
  clock.now -= 5 * kDay;
  CHECK(keys.Current("imap").name == key.name);
  CHECK(Opens(keys, key));
}

TEST_CASE("a machine whose clock is ahead by a day is understood", "[net][ticket]") {
  WallClock here;
  WallClock ahead;
  ahead.now += kDay;
  const Secrets secrets{std::string(80, 'x')};
  TicketKeys ours(secrets, here.function());
  TicketKeys theirs(secrets, ahead.function());
  CHECK(Opens(ours, theirs.Current("imap")));
  CHECK(Opens(theirs, ours.Current("imap")));
  ahead.now += kDay;
  CHECK_FALSE(Opens(ours, theirs.Current("imap")));
}

TEST_CASE("only the first secret seals", "[net][ticket]") {
  TicketKeys old_keys(Secrets{std::string(32, 'o')});
  TicketKeys new_keys(Secrets{std::string(32, 'n'), std::string(32, 'o')});
  bool renew = false;
  CHECK(Opens(new_keys, old_keys.Current("imap"), &renew));
  CHECK(renew);
  CHECK_FALSE(Opens(old_keys, new_keys.Current("imap")));
}

TEST_CASE("secrets are read from a file", "[net][ticket]") {
  const TemporaryFolder folder;
  const std::string hex(64, 'a');
  const std::string octets(32, '\xaa');
  const auto read = [&](const std::string& content) {
    return TicketKeys::ReadFile(folder.Write("ticket.keys", content));
  };
  CHECK(read(std::string(48, '\xff')).value() == Secrets{std::string(48, '\xff')});
  CHECK(read(std::string(80, '\n')).value() == Secrets{std::string(80, '\n')});
  CHECK(read(hex + "\n").value() == Secrets{octets});
  CHECK(read("\n  " + hex + "\r\n\nqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqo=").value() ==
        Secrets{octets, octets});
}

TEST_CASE("a file without good secrets is refused by name and line", "[net][ticket]") {
  const TemporaryFolder folder;
  const auto error = [&](const std::string& content) {
    return TicketKeys::ReadFile(folder.Write("ticket.keys", content)).error().message();
  };
  const std::string hex(64, 'a');
  CHECK(error("").find("ticket.keys' is empty") != std::string::npos);
  CHECK(error("\n\n").find("has no secret") != std::string::npos);
  CHECK(error(hex + "\nshort\n").find("line 2 is no secret") != std::string::npos);
  CHECK(error(hex.substr(2) + "\n").find("line 1 is no secret") != std::string::npos);
  CHECK(error(std::string(70'000, 'a')).find("too long") != std::string::npos);
  const Status missing = TicketKeys::ReadFile(folder.Path("missing")).error();
  CHECK(missing.message().find("missing' cannot be read: No such file") != std::string::npos);
}

}  // namespace
}  // namespace postern
