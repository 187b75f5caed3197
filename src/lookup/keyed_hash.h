// KeyedHash: SipHash-2-4 with 128 bits under a random key of this process, for cache keys and hash
// tables: what goes in cannot be found from what comes out, and nobody outside can make two inputs
// collide. A value; any thread. It is no signature.
#pragma once

#include <cstdint>
#include <string_view>

namespace postern {

struct Hash128 {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  bool operator==(const Hash128&) const = default;
};

class KeyedHash {
 public:
  // A fresh random key from the kernel.
  KeyedHash();
  // A key that tests know.
  KeyedHash(std::uint64_t key0, std::uint64_t key1) : key0_(key0), key1_(key1) {}

  Hash128 Of(std::string_view bytes) const;

 private:
  std::uint64_t key0_ = 0;
  std::uint64_t key1_ = 0;
};

}  // namespace postern
