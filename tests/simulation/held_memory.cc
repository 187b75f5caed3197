#include "simulation/held_memory.h"

#include <array>
#include <cstdlib>
#include <new>

namespace postern::testing {
namespace {

std::size_t current_owner = 0;
std::array<std::int64_t, kMostOwners> held{};

// In front of each block.
struct alignas(std::max_align_t) Block {
  std::size_t owner;
  std::size_t size;
};

void* Allocate(std::size_t size) {
  auto* block = static_cast<Block*>(std::malloc(sizeof(Block) + size));
  if (block == nullptr) std::abort();
  block->owner = current_owner;
  block->size = size;
  held[current_owner] += static_cast<std::int64_t>(size);
  return block + 1;
}

void Free(void* memory) {
  if (memory == nullptr) return;
  Block* block = static_cast<Block*>(memory) - 1;
  held[block->owner] -= static_cast<std::int64_t>(block->size);
  std::free(block);
}

}  // namespace

HeldBy::HeldBy(std::size_t owner) : before_(current_owner) { current_owner = owner % kMostOwners; }
HeldBy::~HeldBy() { current_owner = before_; }
std::int64_t BytesHeldBy(std::size_t owner) { return held[owner]; }
std::size_t CurrentOwner() { return current_owner; }
std::size_t OwnerOf(const void* block) { return (static_cast<const Block*>(block) - 1)->owner; }

}  // namespace postern::testing

void* operator new(std::size_t size) { return postern::testing::Allocate(size); }
void* operator new[](std::size_t size) { return postern::testing::Allocate(size); }
// The sanitizer's own would not come to those above.
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return postern::testing::Allocate(size);
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
  return postern::testing::Allocate(size);
}
void operator delete(void* memory) noexcept { postern::testing::Free(memory); }
void operator delete[](void* memory) noexcept { postern::testing::Free(memory); }
void operator delete(void* memory, std::size_t) noexcept { postern::testing::Free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { postern::testing::Free(memory); }
