#include <catch2/catch.hpp>
#include <string>
#include <string_view>

#include "postern/pop3/command.h"
#include "unit/rules/rule_fixture.h"

namespace postern {
namespace {

std::string ErrorOf(Fact fact, std::string_view text) {
  const Result<FactValue> value = ParseFactValue(fact, text);
  return value.ok() ? "" : value.error().message();
}

template <typename T>
T ValueOf(Fact fact, std::string_view text) {
  const Result<FactValue> value = ParseFactValue(fact, text);
  REQUIRE(value.ok());
  CHECK(value.value().text == text);
  return std::get<T>(value.value().what);
}

TEST_CASE("Actions and facts have their names in both directions") {
  for (std::size_t i = 0; i < kActionCount; ++i) {
    const auto action = static_cast<Action>(i);
    CHECK(FindAction(ActionName(action)) == action);
  }
  CHECK(ActionName(Action::kRequireTls) == "require-tls");
  CHECK(ActionName(Action::kReadOnly) == "read-only");
  CHECK_FALSE(FindAction("Deny"));
  for (std::size_t i = 0; i < kFactCount; ++i) {
    const auto fact = static_cast<Fact>(i);
    CHECK(FindFact(FactName(fact)) == fact);
  }
  CHECK_FALSE(FindFact("password"));
}

TEST_CASE("Values of closed lists are found without case and a slip gets a hint") {
  CHECK(ValueOf<Protocol>(Fact::kProtocol, "POP3") == Protocol::kPop3);
  CHECK(ErrorOf(Fact::kProtocol, "smtp").find("imap or pop3") != std::string::npos);
  CHECK(ValueOf<Mechanism>(Fact::kMechanism, "plain") == Mechanism::kPlain);
  CHECK(ErrorOf(Fact::kMechanism, "PLAN").find("PLAIN") != std::string::npos);
  const auto fetch = ValueOf<CommandValue>(Fact::kCommand, "fetch");
  CHECK(fetch.imap == KindNumber(imap::CommandKind::kFetch));
  CHECK_FALSE(fetch.pop3);
  const auto list = ValueOf<CommandValue>(Fact::kCommand, "LIST");
  CHECK(list.imap == KindNumber(imap::CommandKind::kList));
  CHECK(list.pop3 == static_cast<std::uint8_t>(pop3::CommandKind::kList));
  CHECK(ErrorOf(Fact::kCommand, "FETSH").find("FETCH") != std::string::npos);
  CHECK(ErrorOf(Fact::kCommand, "UID FETCH").find("with and without UID") != std::string::npos);
  CHECK_FALSE(ErrorOf(Fact::kCommand, "other").empty());
}

TEST_CASE("Bounds compare as they are written") {
  const auto below = ValueOf<Bound>(Fact::kTlsVersion, "<1.3");
  CHECK(below.Holds(static_cast<std::uint64_t>(TlsVersion::kNone)));
  CHECK(below.Holds(static_cast<std::uint64_t>(TlsVersion::k12)));
  CHECK_FALSE(below.Holds(static_cast<std::uint64_t>(TlsVersion::k13)));
  CHECK(ValueOf<Bound>(Fact::kTlsVersion, "none").Holds(0));
  CHECK_FALSE(ErrorOf(Fact::kTlsVersion, "1.4").empty());
  CHECK_FALSE(ErrorOf(Fact::kTlsVersion, "").empty());
  const auto large = ValueOf<Bound>(Fact::kSize, ">10MiB");
  CHECK_FALSE(large.Holds(10 << 20));
  CHECK(large.Holds((10 << 20) + 1));
  CHECK(ValueOf<Bound>(Fact::kSize, ">=1KiB").Holds(1024));
  CHECK(ValueOf<Bound>(Fact::kSize, "<= 5").Holds(5));
  CHECK(ValueOf<Bound>(Fact::kSize, "7").Holds(7));
  CHECK_FALSE(ValueOf<Bound>(Fact::kSize, "7").Holds(8));
  for (const std::string_view wrong : {"10MB", "-1", "", ">", "99999999999GiB", "1 KiB"}) {
    CHECK_FALSE(ErrorOf(Fact::kSize, wrong).empty());
  }
}

TEST_CASE("Patterns are tried when they are read") {
  CHECK(ErrorOf(Fact::kUser, ".*@legacy\\.example").empty());
  CHECK(ErrorOf(Fact::kUser, "(ann").find("missing )") != std::string::npos);
  CHECK_FALSE(ErrorOf(Fact::kMailbox, "(?=x)").empty());
  CHECK_FALSE(ErrorOf(Fact::kMailbox, "a{2000}").empty());
  CHECK_FALSE(ErrorOf(Fact::kUser, "").empty());
  CHECK_FALSE(ErrorOf(Fact::kPool, "").empty());
  // Octets that are no characters cannot be what a mailbox is called.
  CHECK_FALSE(ErrorOf(Fact::kMailbox, "\xFF").empty());
}

TEST_CASE("A client is an address or a network") {
  CHECK(ErrorOf(Fact::kClient, "10.0.0.0/8").empty());
  CHECK(ErrorOf(Fact::kClient, "2001:db8::1").empty());
  CHECK_FALSE(ErrorOf(Fact::kClient, "10.0.0.1/8").empty());
  CHECK_FALSE(ErrorOf(Fact::kClient, "example.org").empty());
}

}  // namespace
}  // namespace postern
