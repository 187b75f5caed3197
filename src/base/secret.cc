#include "postern/base/secret.h"

#include <string.h>

#include <algorithm>
#include <utility>

namespace postern {

void Wipe(void* data, std::size_t size) {
  if (size > 0) explicit_bzero(data, size);
}

void Wipe(std::string& text) {
  // Growing to the capacity never reallocates, and makes the unused tail ours to write.
  text.resize(text.capacity());
  Wipe(text.data(), text.size());
  text.clear();
}

void AppendSecret(std::string& text, std::string_view bytes) {
  if (text.size() + bytes.size() > text.capacity()) {
    std::string grown;
    grown.reserve(2 * (text.size() + bytes.size()));
    grown.append(text);
    Wipe(text);
    text.swap(grown);
  }
  text.append(bytes);
}

Secret::Secret(Secret&& other) noexcept
    : data_(std::move(other.data_)),
      size_(std::exchange(other.size_, 0)),
      capacity_(std::exchange(other.capacity_, 0)) {}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this != &other) {
    Clear();
    data_ = std::move(other.data_);
    size_ = std::exchange(other.size_, 0);
    capacity_ = std::exchange(other.capacity_, 0);
  }
  return *this;
}

void Secret::Append(std::string_view bytes) {
  if (bytes.empty()) return;
  const std::size_t needed = size_ + bytes.size();
  if (needed <= capacity_) {
    // memmove: the bytes may be a part of this very secret.
    memmove(data_.get() + size_, bytes.data(), bytes.size());
  } else {
    const std::size_t capacity = std::max(needed, 2 * capacity_);
    std::unique_ptr<char[]> grown(new char[capacity]);
    if (size_ > 0) memcpy(grown.get(), data_.get(), size_);
    memcpy(grown.get() + size_, bytes.data(), bytes.size());
    Wipe(data_.get(), capacity_);
    data_ = std::move(grown);
    capacity_ = capacity;
  }
  size_ = needed;
}

void Secret::Clear() {
  Wipe(data_.get(), capacity_);
  data_.reset();
  size_ = 0;
  capacity_ = 0;
}

}  // namespace postern
