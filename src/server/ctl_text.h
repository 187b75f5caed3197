// How postern ctl shows things to people: tables, times, sizes, and text that came from strangers.
// Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace postern {

// Text that is safe on a terminal: control characters and those that turn the direction of writing
// become \xNN or \u{NNNN}, and so do bytes that are not UTF-8.
std::string SafeText(std::string_view text);
// "0s", "12s", "4m10s", "2h05m", "3d4h".
std::string AgeText(double seconds);
// "0", "812 B", "12 KiB", "3.4 MiB".
std::string OctetsText(std::uint64_t octets);

// Columns as wide as their widest cell, two spaces between them; the last is not padded, and a
// column in which nothing stands is left out.
class TextTable {
 public:
  explicit TextTable(std::vector<std::string> heads);
  // As many cells as heads. They are made safe, and cut when they are very long.
  void Add(std::vector<std::string> cells);
  std::string Text() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace postern
