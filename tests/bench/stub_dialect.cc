#include "stub_dialect.h"

#include <cctype>
#include <cstring>

namespace postern {

bool LineCutter::Next(std::string_view& bytes, std::string_view& line) {
  if (kept_used_) {
    kept_.clear();
    kept_used_ = false;
  }
  if (bytes.empty()) return false;
  const auto* end = static_cast<const char*>(memchr(bytes.data(), '\n', bytes.size()));
  if (end == nullptr) {
    kept_.append(bytes);
    bytes = {};
    return false;
  }
  const auto size = static_cast<size_t>(end - bytes.data()) + 1;
  line = bytes.substr(0, size);
  bytes.remove_prefix(size);
  if (!kept_.empty()) {
    kept_.append(line);
    kept_used_ = true;
    line = kept_;
  }
  line.remove_suffix(line.size() >= 2 && line[line.size() - 2] == '\r' ? 2 : 1);
  return true;
}

std::string UpperCase(std::string_view text) {
  std::string upper(text);
  for (char& c : upper) c = static_cast<char>(toupper(static_cast<unsigned char>(c)));
  return upper;
}

uint64_t NumberAt(std::string_view text) {
  uint64_t number = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') break;
    number = number * 10 + static_cast<uint64_t>(c - '0');
  }
  return number;
}

}  // namespace postern
