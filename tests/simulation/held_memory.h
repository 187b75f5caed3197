// Held memory: whose the bytes on the heap are. While a HeldBy lives, what is allocated counts as
// its owner's until it is freed, by whomever. Owner 0 is nobody. The counting replaces operator new
// of the whole program; over-aligned objects (series of the metrics) are not counted. One thread.
#pragma once

#include <cstddef>
#include <cstdint>

namespace postern::testing {

inline constexpr std::size_t kMostOwners = 4096;

class HeldBy {
 public:
  explicit HeldBy(std::size_t owner);
  ~HeldBy();
  HeldBy(const HeldBy&) = delete;
  HeldBy& operator=(const HeldBy&) = delete;

 private:
  const std::size_t before_;
};

std::int64_t BytesHeldBy(std::size_t owner);
// Who allocates now.
std::size_t CurrentOwner();
// For whom a block that new gave was allocated.
std::size_t OwnerOf(const void* block);

}  // namespace postern::testing
