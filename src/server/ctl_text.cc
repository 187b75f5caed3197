#include "server/ctl_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <numeric>

namespace postern {
namespace {

// Characters of a cell; --json has all of it.
constexpr std::size_t kWidestCell = 60;

// One character at the front: its value and length. A byte that begins none is a length of 1 and no
// character.
struct Character {
  char32_t value = 0;
  std::size_t length = 1;
  bool good = true;
};

Character Front(std::string_view text) {
  const auto octet = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
  const unsigned first = octet(0);
  if (first < 0x80) return {first, 1, true};
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < length) return {first, 1, false};
  char32_t value = first & (0xFFu >> (length + 1));
  for (std::size_t at = 1; at < length; ++at) {
    if ((octet(at) & 0xC0) != 0x80) return {first, 1, false};
    value = value << 6 | (octet(at) & 0x3Fu);
  }
  constexpr char32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
  if (value < kLeast[length] || value > 0x10FFFF || surrogate) return {first, 1, false};
  return {value, length, true};
}

// What a terminal would obey, or hide, or turn around.
bool IsHostile(char32_t value) {
  return value < 0x20 || (value >= 0x7F && value < 0xA0) || value == 0xAD ||
         (value >= 0x200B && value <= 0x200F) || (value >= 0x2028 && value <= 0x202E) ||
         (value >= 0x2060 && value <= 0x206F) || value == 0x61C || value == 0xFEFF ||
         (value >= 0xFFF9 && value <= 0xFFFB) || (value >= 0xE0000 && value <= 0xE0FFF);
}

std::size_t Width(std::string_view safe) {
  return static_cast<std::size_t>(std::count_if(safe.begin(), safe.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

std::string Cut(std::string text) {
  if (Width(text) <= kWidestCell) return text;
  std::size_t at = 0;
  for (std::size_t count = 0; count + 3 < kWidestCell; ++count) at += Front(text.substr(at)).length;
  return text.substr(0, at) + "...";
}

}  // namespace

std::string SafeText(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const Character front = Front(text);
    if (!front.good || (IsHostile(front.value) && front.value < 0x100)) {
      out += fmt::format("\\x{:02x}", static_cast<std::uint32_t>(front.value));
    } else if (IsHostile(front.value)) {
      out += fmt::format("\\u{{{:x}}}", static_cast<std::uint32_t>(front.value));
    } else if (front.value == '\\') {
      out += "\\\\";
    } else {
      out += text.substr(0, front.length);
    }
    text.remove_prefix(front.length);
  }
  return out;
}

std::string AgeText(double seconds) {
  const auto all = static_cast<std::int64_t>(std::max(seconds, 0.0));
  if (all < 60) return fmt::format("{}s", all);
  if (all < 3600) return fmt::format("{}m{:02}s", all / 60, all % 60);
  if (all < 86400) return fmt::format("{}h{:02}m", all / 3600, all % 3600 / 60);
  return fmt::format("{}d{}h", all / 86400, all % 86400 / 3600);
}

std::string OctetsText(std::uint64_t octets) {
  constexpr std::uint64_t kKibi = 1024;
  if (octets == 0) return "0";
  if (octets < kKibi) return fmt::format("{} B", octets);
  if (octets < kKibi * kKibi) return fmt::format("{} KiB", octets / kKibi);
  return fmt::format("{:.1f} MiB", static_cast<double>(octets) / (kKibi * kKibi));
}

TextTable::TextTable(std::vector<std::string> heads) { rows_.push_back(std::move(heads)); }

void TextTable::Add(std::vector<std::string> cells) {
  for (std::string& cell : cells) cell = Cut(SafeText(cell));
  rows_.push_back(std::move(cells));
}

std::string TextTable::Text() const {
  std::vector<std::size_t> columns;
  std::vector<std::size_t> widths(rows_.front().size());
  for (std::size_t column = 0; column < widths.size(); ++column) {
    bool any = rows_.size() == 1;
    for (std::size_t row = 0; row < rows_.size(); ++row) {
      widths[column] = std::max(widths[column], Width(rows_[row][column]));
      any = any || (row > 0 && !rows_[row][column].empty());
    }
    if (any) columns.push_back(column);
  }
  std::string out;
  for (const std::vector<std::string>& row : rows_) {
    std::string line;
    for (const std::size_t column : columns) {
      line += row[column] + std::string(widths[column] - Width(row[column]) + 2, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

}  // namespace postern
