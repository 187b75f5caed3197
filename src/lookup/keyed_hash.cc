#include "lookup/keyed_hash.h"

#include <sys/random.h>

#include <bit>
#include <cstddef>

#include "postern/base/check.h"

namespace postern {
namespace {

struct SipState {
  std::uint64_t v0, v1, v2, v3;

  void Round() {
    v0 += v1;
    v1 = std::rotl(v1, 13) ^ v0;
    v0 = std::rotl(v0, 32);
    v2 += v3;
    v3 = std::rotl(v3, 16) ^ v2;
    v0 += v3;
    v3 = std::rotl(v3, 21) ^ v0;
    v2 += v1;
    v1 = std::rotl(v1, 17) ^ v2;
    v2 = std::rotl(v2, 32);
  }
  void Mix(std::uint64_t word) {
    v3 ^= word;
    Round();
    Round();
    v0 ^= word;
  }
  std::uint64_t Finish() {
    for (int i = 0; i < 4; ++i) Round();
    return v0 ^ v1 ^ v2 ^ v3;
  }
};

std::uint64_t LittleEndian(const char* bytes, std::size_t size) {
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < size; ++i) {
    word |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
  }
  return word;
}

std::uint64_t RandomWord() {
  std::uint64_t word = 0;
  POSTERN_CHECK(getrandom(&word, sizeof word, 0) == static_cast<ssize_t>(sizeof word));
  return word;
}

}  // namespace

KeyedHash::KeyedHash() : key0_(RandomWord()), key1_(RandomWord()) {}

Hash128 KeyedHash::Of(std::string_view bytes) const {
  SipState state{key0_ ^ 0x736f6d6570736575ull, key1_ ^ 0x646f72616e646f6dull ^ 0xee,
                 key0_ ^ 0x6c7967656e657261ull, key1_ ^ 0x7465646279746573ull};
  std::size_t at = 0;
  for (; at + 8 <= bytes.size(); at += 8) state.Mix(LittleEndian(bytes.data() + at, 8));
  const std::uint64_t length = static_cast<std::uint64_t>(bytes.size()) << 56;
  state.Mix(length | LittleEndian(bytes.data() + at, bytes.size() - at));
  Hash128 hash;
  state.v2 ^= 0xee;
  hash.low = state.Finish();
  state.v1 ^= 0xdd;
  hash.high = state.Finish();
  return hash;
}

}  // namespace postern
