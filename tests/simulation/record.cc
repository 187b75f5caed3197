#include "simulation/record.h"

#include <array>
#include <cstdio>

namespace postern::testing {
namespace {

constexpr std::size_t kShownWhole = 160;
constexpr std::size_t kShownEnd = 40;

std::string Escaped(std::string_view text) {
  std::string shown;
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (c == '\r') {
      shown += "\\r";
    } else if (c == '\n') {
      shown += "\\n";
    } else if (code < 0x20 || code >= 0x7f) {
      std::array<char, 8> escape{};
      std::snprintf(escape.data(), escape.size(), "\\x%02X", code);
      shown += escape.data();
    } else {
      shown += c;
    }
  }
  return shown;
}

}  // namespace

std::string Shown(std::string_view text) {
  if (text.size() <= kShownWhole) return Escaped(text);
  return Escaped(text.substr(0, kShownWhole - kShownEnd)) + " ... " + std::to_string(text.size()) +
         " bytes ... " + Escaped(text.substr(text.size() - kShownEnd));
}

void Record::Note(std::string_view who, std::string_view does, std::string_view text) {
  if (!transcript_) return;
  std::array<char, 32> time{};
  std::snprintf(time.data(), time.size(), "%12.6f ",
                std::chrono::duration<double>(timeline_.elapsed()).count());
  notes_.push_back(time.data() + std::string(who) + " " + std::string(does));
  if (!text.empty()) notes_.back().append(" ").append(Shown(text));
}

void Record::Violate(std::string_view law, std::string what) {
  if (broken()) return;
  law_ = law;
  what_ = std::move(what);
  Note("!!", law_, what_);
}

}  // namespace postern::testing
