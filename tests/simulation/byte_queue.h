// ByteQueue: bytes in at the back and out at the front. A value.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace postern::testing {

class ByteQueue {
 public:
  void Push(std::string_view bytes) { bytes_.append(bytes); }
  std::size_t size() const { return bytes_.size() - taken_; }
  bool empty() const { return size() == 0; }
  std::string Take(std::size_t most) {
    std::string bytes = bytes_.substr(taken_, most);
    taken_ += bytes.size();
    if (taken_ > 64 * 1024 || taken_ == bytes_.size()) {
      bytes_.erase(0, taken_);
      taken_ = 0;
    }
    return bytes;
  }
  void Clear() {
    bytes_.clear();
    taken_ = 0;
  }

 private:
  std::string bytes_;
  std::size_t taken_ = 0;
};

}  // namespace postern::testing
