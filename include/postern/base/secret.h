// Secret: bytes that are wiped when they are no longer needed and that have no way to be printed.
// A value with one owner: movable, not copyable. Any thread, one at a time.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace postern {

// Appends to a text that may hold a secret: memory it outgrows is wiped.
void AppendSecret(std::string& text, std::string_view bytes);

// Overwrites size bytes at data in a way the compiler may not leave out.
void Wipe(void* data, std::size_t size);
// Wipes all that the string ever reserved and empties it.
void Wipe(std::string& text);

class Secret {
 public:
  Secret() = default;
  // Copies the bytes; wiping the source is the caller's business.
  explicit Secret(std::string_view bytes) { Append(bytes); }
  ~Secret() { Clear(); }
  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret&& other) noexcept;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;

  void Append(std::string_view bytes);
  // Wipes and releases.
  void Clear();
  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  // For the one place that must send the secret. Valid until the next non-const call.
  std::string_view Reveal() const { return {data_.get(), size_}; }

 private:
  std::unique_ptr<char[]> data_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace postern
