// bench_counts: preloaded into a proxy, counts allocations and the octets that memcpy and memmove
// move, in the file that BENCH_COUNTS names (three 64-bit numbers: allocations, octets allocated,
// octets copied). Copies that the compiler made instructions of are not seen. Any thread.

#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>

namespace {

struct Counts {
  std::atomic<uint64_t> allocations, allocated, copied;
};

Counts before_start{};
Counts* counts = &before_start;

__attribute__((constructor)) void MapCounts() {
  const char* path = getenv("BENCH_COUNTS");
  const int fd = path == nullptr ? -1 : open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0) return;
  void* mapped = mmap(nullptr, sizeof(Counts), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (mapped != MAP_FAILED) counts = static_cast<Counts*>(mapped);
  close(fd);
}

void CountAllocation(size_t size) {
  counts->allocations.fetch_add(1, std::memory_order_relaxed);
  counts->allocated.fetch_add(size, std::memory_order_relaxed);
}

// Plain instructions: what is inside must not be a call of memcpy.
void Copy(void* into, const void* from, size_t size) {
  asm volatile("rep movsb" : "+D"(into), "+S"(from), "+c"(size) : : "memory");
}

void CopyBackwards(void* into, const void* from, size_t size) {
  auto* last = static_cast<char*>(into) + size - 1;
  const auto* source = static_cast<const char*>(from) + size - 1;
  asm volatile("std; rep movsb; cld" : "+D"(last), "+S"(source), "+c"(size) : : "memory");
}

}  // namespace

extern "C" {

// glibc's own names for its allocator, so that nothing has to be looked up.
void* __libc_malloc(size_t size);
void* __libc_calloc(size_t count, size_t size);
void* __libc_realloc(void* memory, size_t size);

void* malloc(size_t size) {
  CountAllocation(size);
  return __libc_malloc(size);
}

void* calloc(size_t count, size_t size) {
  CountAllocation(count * size);
  return __libc_calloc(count, size);
}

void* realloc(void* memory, size_t size) {
  CountAllocation(size);
  return __libc_realloc(memory, size);
}

void* memcpy(void* into, const void* from, size_t size) {
  counts->copied.fetch_add(size, std::memory_order_relaxed);
  Copy(into, from, size);
  return into;
}

void* memmove(void* into, const void* from, size_t size) {
  counts->copied.fetch_add(size, std::memory_order_relaxed);
  const auto to = reinterpret_cast<uintptr_t>(into), at = reinterpret_cast<uintptr_t>(from);
  if (to > at && to < at + size) {
    CopyBackwards(into, from, size);
  } else {
    Copy(into, from, size);
  }
  return into;
}

void* __memcpy_chk(void* into, const void* from, size_t size, size_t) {
  return memcpy(into, from, size);
}

void* __memmove_chk(void* into, const void* from, size_t size, size_t) {
  return memmove(into, from, size);
}
}
