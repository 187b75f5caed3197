// Bits: a row of flags, as many as are known when rules are compiled. A value.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace postern {

class Bits {
 public:
  void Resize(std::size_t count) { words_.assign((count + 63) / 64, 0); }
  void Clear() { std::fill(words_.begin(), words_.end(), 0); }
  void Set(std::size_t i) { words_[i / 64] |= std::uint64_t{1} << i % 64; }
  bool Has(std::size_t i) const { return (words_.data()[i / 64] >> i % 64 & 1) != 0; }
  bool Any() const {
    return std::any_of(words_.begin(), words_.end(), [](std::uint64_t word) { return word != 0; });
  }
  void Add(const Bits& other) {
    for (std::size_t i = 0; i < words_.size(); ++i) words_[i] |= other.words_[i];
  }

 private:
  std::vector<std::uint64_t> words_;
};

}  // namespace postern
