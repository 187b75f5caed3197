// Counter, Histogram and Lazy: the numbers inside a shard. One thread writes, any thread may read
// at any time. An increment is a plain load and store (relaxed, one writer), so it costs a
// nanosecond and no lock.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "postern/base/clock.h"

namespace postern {

class Counter {
 public:
  void Add(std::uint64_t count = 1) {
    value_.store(value_.load(std::memory_order_relaxed) + count, std::memory_order_relaxed);
  }
  // A gauge is a counter that also goes down; two's complement makes the sums come out right.
  void Subtract(std::uint64_t count = 1) { Add(~count + 1); }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

// Upper bounds in nanoseconds, ascending, and a table that makes the search one look and at most a
// few steps.
template <std::size_t N>
class Bounds {
 public:
  constexpr explicit Bounds(const std::array<std::int64_t, N>& nanoseconds) : values_(nanoseconds) {
    for (std::size_t width = 0; width < first_.size(); ++width) {
      const std::uint64_t least = width == 0 ? 0 : std::uint64_t{1} << (width - 1);
      std::size_t index = 0;
      while (index < N && static_cast<std::uint64_t>(values_[index]) < least) ++index;
      first_[width] = static_cast<std::uint8_t>(index);
    }
  }
  // The bucket: the first whose bound is not below the value (le); N, the overflow, when there is
  // none.
  std::size_t Find(std::int64_t nanoseconds) const {
    std::size_t index = first_[std::bit_width(static_cast<std::uint64_t>(nanoseconds))];
    while (index < N && values_[index] < nanoseconds) ++index;
    return index;
  }
  constexpr const std::array<std::int64_t, N>& values() const { return values_; }

 private:
  std::array<std::int64_t, N> values_;
  std::array<std::uint8_t, 65> first_{};  // by the bit width of the value
};

constexpr std::int64_t Microseconds(std::int64_t count) { return count * 1000; }
constexpr std::int64_t Seconds(std::int64_t count) { return count * 1'000'000'000; }

// The three lists of DESIGN 1.4.
inline constexpr Bounds<16> kCommandBounds(
    {Microseconds(500), Microseconds(1000), Microseconds(2500), Microseconds(5000),
     Microseconds(10000), Microseconds(25000), Microseconds(50000), Microseconds(100000),
     Microseconds(250000), Microseconds(500000), Seconds(1), Microseconds(2500000), Seconds(5),
     Seconds(10), Seconds(30), Seconds(60)});
inline constexpr Bounds<8> kFirstByteBounds({Microseconds(1000), Microseconds(5000),
                                             Microseconds(25000), Microseconds(100000),
                                             Microseconds(500000), Microseconds(2500000),
                                             Seconds(10), Seconds(60)});
inline constexpr Bounds<7> kDwellBounds({Seconds(1), Seconds(10), Seconds(60), Seconds(300),
                                         Seconds(900), Seconds(1740), Seconds(3600)});

// Bucket counts are each bucket's own; whoever reads adds them up. The count of all is their sum,
// so that the two can never disagree.
template <const auto& kBounds>
class Histogram {
 public:
  static constexpr std::size_t kBuckets = kBounds.values().size() + 1;
  static constexpr const auto& bounds() { return kBounds.values(); }

  // A negative time cannot be; clocks that say so count as zero.
  void Observe(Duration time) {
    const std::int64_t nanoseconds = time.count() > 0 ? time.count() : 0;
    counts_[kBounds.Find(nanoseconds)].Add();
    sum_.Add(static_cast<std::uint64_t>(nanoseconds));
  }
  std::uint64_t count(std::size_t bucket) const { return counts_[bucket].value(); }
  std::uint64_t sum_nanoseconds() const { return sum_.value(); }

 private:
  std::array<Counter, kBuckets> counts_;
  Counter sum_;
};

using CommandHistogram = Histogram<kCommandBounds>;
using FirstByteHistogram = Histogram<kFirstByteBounds>;
using DwellHistogram = Histogram<kDwellBounds>;

// A T made by the writer when it is first needed, published so that a reader sees none or a whole
// one.
template <typename T>
class Lazy {
 public:
  Lazy() = default;
  ~Lazy() { delete value_.load(std::memory_order_acquire); }
  Lazy(const Lazy&) = delete;
  Lazy& operator=(const Lazy&) = delete;

  // The writer's thread only.
  T& Get() {
    T* value = value_.load(std::memory_order_relaxed);
    if (value == nullptr) {
      value = new T();
      value_.store(value, std::memory_order_release);
    }
    return *value;
  }
  // Any thread; null when it was never needed.
  const T* peek() const { return value_.load(std::memory_order_acquire); }

 private:
  std::atomic<T*> value_{nullptr};
};

}  // namespace postern
