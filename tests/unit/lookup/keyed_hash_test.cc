#include "lookup/keyed_hash.h"

#include <catch2/catch.hpp>
#include <string>

namespace postern {
namespace {

// The reference vectors of SipHash-2-4-128: key 00..0f, input the first n octets of 00 01 02 ...
TEST_CASE("Keyed hash is SipHash with 128 bits") {
  const KeyedHash hash(0x0706050403020100ull, 0x0f0e0d0c0b0a0908ull);
  const Hash128 none{0xe6a825ba047f81a3ull, 0x930255c71472f66dull};
  const Hash128 one{0x44af996bd8c187daull, 0x45fc229b11597634ull};
  CHECK(hash.Of("") == none);
  CHECK(hash.Of(std::string(1, '\0')) == one);
}

TEST_CASE("Keyed hash differs by key length and every octet") {
  const KeyedHash first, second;
  CHECK_FALSE(first.Of("ann") == second.Of("ann"));
  const std::string text = "a text of more than eight octets";
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string other = text;
    other[i] ^= 1;
    CHECK_FALSE(first.Of(text) == first.Of(other));
    CHECK_FALSE(first.Of(text) == first.Of(text.substr(0, i)));
  }
}

}  // namespace
}  // namespace postern
