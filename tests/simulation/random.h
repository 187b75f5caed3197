// Random: the one source of chance of a simulation (splitmix64). A value; the same seed gives the
// same run on every machine. Branches are streams of their own, so that one actor's choices do not
// move another's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>

namespace postern::testing {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t Next() { return Mix(state_ += 0x9E3779B97F4A7C15u); }
  // Below n, which is not 0.
  std::size_t Below(std::size_t n) { return static_cast<std::size_t>(Next() % n); }
  // Both ends included.
  std::size_t Between(std::size_t least, std::size_t most) {
    return least + Below(most - least + 1);
  }
  bool Chance(unsigned percent) { return Below(100) < percent; }
  template <typename T>
  T Pick(std::initializer_list<T> values) {
    return values.begin()[Below(values.size())];
  }
  Random Branch(std::uint64_t label) const { return Random(Mix(state_ ^ Mix(label + 1))); }

 private:
  static std::uint64_t Mix(std::uint64_t x) {
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
  }
  std::uint64_t state_;
};

}  // namespace postern::testing
