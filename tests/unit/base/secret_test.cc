#include "postern/base/secret.h"

#include <catch2/catch.hpp>
#include <utility>

namespace postern {
namespace {

TEST_CASE("A secret holds what it was given and forgets it when cleared") {
  Secret secret("pass");
  secret.Append("word");
  CHECK(secret.Reveal() == "password");
  secret.Append(secret.Reveal());
  CHECK(secret.Reveal() == "passwordpassword");
  secret.Clear();
  CHECK(secret.empty());
  CHECK(secret.Reveal().empty());
  secret.Append("again");
  CHECK(secret.Reveal() == "again");
}

TEST_CASE("A moved secret is empty") {
  Secret first("one");
  Secret second(std::move(first));
  CHECK(second.Reveal() == "one");
  CHECK(first.empty());  // NOLINT: that it is empty is the promise
  Secret third("three");
  third = std::move(second);
  CHECK(third.Reveal() == "one");
  CHECK(second.size() == 0);  // NOLINT
}

TEST_CASE("Wiping overwrites the bytes and all that a string reserved") {
  char bytes[] = "password";
  Wipe(bytes, sizeof(bytes));
  for (const char byte : bytes) CHECK(byte == 0);

  std::string text = "a password that is too long to live inside the string object itself";
  const std::size_t capacity = text.capacity();
  const char* data = text.data();
  text.resize(5);
  Wipe(text);
  CHECK(text.empty());
  REQUIRE(text.capacity() == capacity);
  REQUIRE(text.data() == data);
  text.resize(capacity);
  CHECK(text == std::string(capacity, '\0'));
}

}  // namespace
}  // namespace postern
