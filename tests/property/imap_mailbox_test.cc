// Mailbox names: what an encoder of modified UTF-7 writes is read back, in any of the ways to
// write it; readings are never doubled and never grow out of bounds.
#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "postern/imap/mailbox.h"
#include "support/for_every_split.h"

namespace postern::testing {
namespace {

constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

void AppendPoint(char32_t point, std::string& out) {
  if (point < 0x80) {
    out.push_back(static_cast<char>(point));
    return;
  }
  const int more = point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
  constexpr unsigned kLead[] = {0, 0xC0, 0xE0, 0xF0};
  out.push_back(static_cast<char>(kLead[more] | point >> (6 * more)));
  for (int i = more - 1; i >= 0; --i) {
    out.push_back(static_cast<char>(0x80 | (point >> (6 * i) & 0x3F)));
  }
}

std::string Utf8(std::u32string_view text) {
  std::string out;
  for (const char32_t point : text) AppendPoint(point, out);
  return out;
}

std::string Shifted(std::u32string_view text) {
  std::string bits;
  const auto add = [&bits](unsigned unit) {
    for (int i = 15; i >= 0; --i) bits.push_back((unit >> i & 1) != 0 ? '1' : '0');
  };
  for (const char32_t point : text) {
    if (point < 0x10000) {
      add(point);
    } else {
      add(0xD800 + (point - 0x10000) / 0x400);
      add(0xDC00 + (point - 0x10000) % 0x400);
    }
  }
  while (bits.size() % 6 != 0) bits.push_back('0');
  std::string out = "&";
  for (std::size_t i = 0; i < bits.size(); i += 6) {
    out.push_back(kBase64[std::stoul(bits.substr(i, 6), nullptr, 2)]);
  }
  return out + "-";
}

// Each character plain where that can be, or in a shift of its own or with its neighbours.
std::string Encode(std::u32string_view text, SplitRandom& random, bool canonical) {
  std::string out;
  while (!text.empty()) {
    std::size_t run = 0;
    const auto plain = [](char32_t c) { return c >= 0x20 && c < 0x7F; };
    while (run < text.size() && !plain(text[run])) ++run;
    if (!canonical && random.Next(3) == 0) run = 1 + random.Next(text.size());
    if (run > 0) {
      out += Shifted(text.substr(0, run));
    } else {
      out.push_back(static_cast<char>(text[0]));
      if (text[0] == U'&') out.push_back('-');
      run = 1;
    }
    text.remove_prefix(run);
  }
  return out;
}

bool Contains(const std::vector<std::string>& names, std::size_t count, std::string_view name) {
  const auto end = names.begin() + static_cast<std::ptrdiff_t>(count);
  return std::find(names.begin(), end, name) != end;
}

TEST_CASE("Every encoding of a name has the name among its readings") {
  constexpr std::u32string_view kAlphabet =
      U"aZ9&-/.+,\u00e4\u20ac\u65e5\uffff\U0001f4a9\U0010ffff ";
  SplitRandom random(7);
  std::vector<std::string> readings;
  for (int round = 0; round < 20'000; ++round) {
    std::u32string name;
    for (std::size_t i = 1 + random.Next(12); i > 0; --i) {
      name.push_back(kAlphabet[random.Next(kAlphabet.size())]);
    }
    const std::string encoded = Encode(name, random, round % 2 == 0);
    CAPTURE(encoded);
    const std::size_t count = imap::MailboxReadings(encoded, readings);
    CHECK(readings[0] == encoded);
    CHECK(Contains(readings, count, Utf8(name)));
  }
}

TEST_CASE("Any bytes have at least one reading, and none twice") {
  constexpr char kBytes[] = "&-AaIiNnBbOoXx/.\\,+\xc3\xa4\xff\0 2D3cq";
  const std::string_view kSymbols(kBytes, sizeof(kBytes) - 1);
  SplitRandom random(11);
  std::vector<std::string> readings;
  for (int round = 0; round < 50'000; ++round) {
    std::string name;
    for (std::size_t i = random.Next(20); i > 0; --i) {
      name.push_back(kSymbols[random.Next(kSymbols.size())]);
    }
    const std::size_t count = imap::MailboxReadings(name, readings);
    REQUIRE(count >= 1);
    REQUIRE(count <= 16);
    REQUIRE(readings[0] == name);
    for (std::size_t i = 0; i < count; ++i) {
      REQUIRE_FALSE(Contains(readings, i, readings[i]));
      REQUIRE(readings[i].size() <= 2 * name.size());
    }
    imap::DecodeUrlMailbox(name);
  }
}

}  // namespace
}  // namespace postern::testing
