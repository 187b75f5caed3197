#include "server/addresses.h"

#include <catch2/catch.hpp>

namespace postern {
namespace {

Config With(const std::string& text, const std::string& address) {
  Config config;
  config.backends.resize(1);
  config.backends[0].has_imap = true;
  config.backends[0].imap_text = text;
  if (!address.empty()) config.backends[0].imap = Address::Parse(address).value();
  return config;
}

TEST_CASE("a name that is not found keeps the address it had") {
  const Config known = With("mail1.internal:143", "127.0.0.7:143");
  Config lost = With("mail1.internal:143", "");
  KeepKnownAddresses(known, lost);
  CHECK(SameAddresses(known, lost));
}

TEST_CASE("another name does not inherit an address") {
  Config other = With("mail2.internal:143", "");
  KeepKnownAddresses(With("mail1.internal:143", "127.0.0.7:143"), other);
  CHECK(other.backends[0].imap.family() == AF_UNSPEC);
}

TEST_CASE("a name that moved is a change") {
  CHECK_FALSE(SameAddresses(With("a:143", "127.0.0.7:143"), With("a:143", "127.0.0.8:143")));
  CHECK_FALSE(SameAddresses(With("a:143", ""), With("a:143", "127.0.0.8:143")));
}

TEST_CASE("a name that was found is looked up again and may have moved") {
  Config config = With("localhost:143", "127.0.0.7:143");
  ConfigErrors errors;
  ResolveBackends(config, errors);
  CHECK_FALSE(SameAddresses(With("localhost:143", "127.0.0.7:143"), config));
}

TEST_CASE("a name that still has the address it had does not move") {
  Config config = With("localhost:143", "127.0.0.1:143");
  ConfigErrors errors;
  ResolveBackends(config, errors);
  CHECK(SameAddresses(With("localhost:143", "127.0.0.1:143"), config));
}

TEST_CASE("a name that is no longer found keeps its address without a warning") {
  Config config = With("nowhere.invalid:143", "127.0.0.7:143");
  ConfigErrors errors;
  ResolveBackends(config, errors);
  CHECK(SameAddresses(With("nowhere.invalid:143", "127.0.0.7:143"), config));
  CHECK(errors.warnings.empty());
}

}  // namespace
}  // namespace postern
