// ForEverySplit: gives an input to a test in every way a network may cut it. Pure; knows no test
// framework, so that fuzzers use it too.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::testing {

// One way to cut an input. Each piece is a copy of its own and exactly as long as its bytes, so
// that the address sanitizer sees a look past its end.
class Split {
 public:
  // cuts: ascending offsets inside the input.
  Split(std::string_view input, const std::vector<std::size_t>& cuts) {
    std::size_t begin = 0;
    for (const std::size_t cut : cuts) {
      Add(input.substr(begin, cut - begin));
      begin = cut;
    }
    Add(input.substr(begin));
    for (const std::size_t cut : cuts)
      text_ += (text_.empty() ? "cut at " : ",") + std::to_string(cut);
  }

  std::size_t size() const { return pieces_.size(); }
  std::string_view operator[](std::size_t i) const {
    return {pieces_[i].bytes.get(), pieces_[i].size};
  }
  // "cut at 3,7"; for a test's INFO.
  const std::string& text() const { return text_; }

 private:
  struct Piece {
    std::unique_ptr<char[]> bytes;
    std::size_t size;
  };
  void Add(std::string_view bytes) {
    Piece piece{std::make_unique<char[]>(bytes.size()), bytes.size()};
    bytes.copy(piece.bytes.get(), bytes.size());
    pieces_.push_back(std::move(piece));
  }

  std::vector<Piece> pieces_;
  std::string text_;
};

// Repeatable pseudo-random numbers (splitmix64).
class SplitRandom {
 public:
  explicit SplitRandom(std::uint64_t seed) : state_(seed) {}
  // In [0, below); below is not 0.
  std::size_t Next(std::size_t below) {
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return static_cast<std::size_t>((z ^ (z >> 31)) % below);
  }

 private:
  std::uint64_t state_;
};

// Offsets at which every byte stands alone.
inline std::vector<std::size_t> EveryByte(std::size_t size) {
  std::vector<std::size_t> cuts;
  for (std::size_t i = 1; i < size; ++i) cuts.push_back(i);
  return cuts;
}

// Calls test(const Split&) with the input whole, with each single cut, with every byte alone, and
// with some random cuts that are the same in each run.
template <typename Test>
void ForEverySplit(std::string_view input, Test&& test, int random_splits = 16) {
  test(Split(input, {}));
  for (std::size_t cut = 1; cut < input.size(); ++cut) test(Split(input, {cut}));
  if (input.size() < 3) return;
  test(Split(input, EveryByte(input.size())));
  SplitRandom random(input.size());
  for (int i = 0; i < random_splits; ++i) {
    std::vector<std::size_t> cuts;
    const std::size_t step = 1 + random.Next(input.size() / 2 + 1);
    for (std::size_t at = 1 + random.Next(step); at < input.size(); at += 1 + random.Next(step)) {
      cuts.push_back(at);
    }
    test(Split(input, cuts));
  }
}

}  // namespace postern::testing
