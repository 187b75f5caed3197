#include "rules/literal_table.h"

#include <algorithm>

namespace postern {
namespace {

bool RestHolds(std::string_view rest, Literal::Rest wanted) {
  switch (wanted) {
    case Literal::Rest::kNone:
      return rest.empty();
    case Literal::Rest::kAny:
      return true;
    case Literal::Rest::kSome:
      return !rest.empty();
    case Literal::Rest::kTree:
      return rest.empty() || std::string_view("/.\\").find(rest.front()) != rest.npos;
  }
  return false;
}

}  // namespace

void LiteralTable::Add(const Literal& literal, std::uint32_t id) {
  std::string text = literal.text;
  if (at_end_) std::reverse(text.begin(), text.end());
  entries_.push_back({std::move(text), literal.rest, id, kNone});
}

void LiteralTable::Sort() {
  std::sort(entries_.begin(), entries_.end(),
            [](const Entry& a, const Entry& b) { return a.text < b.text; });
  // In this order those that an entry begins with are before it, each a beginning of the next.
  std::vector<std::uint32_t> open;
  for (std::uint32_t i = 0; i < entries_.size(); ++i) {
    while (!open.empty() && !entries_[i].text.starts_with(entries_[open.back()].text)) {
      open.pop_back();
    }
    if (!open.empty()) entries_[i].shorter = open.back();
    open.push_back(i);
  }
}

void LiteralTable::Match(std::string_view text, Bits& found) {
  if (entries_.empty()) return;
  if (at_end_) {
    reversed_.assign(text.rbegin(), text.rend());
    text = reversed_;
  }
  const auto after = std::upper_bound(
      entries_.begin(), entries_.end(), text,
      [](std::string_view wanted, const Entry& entry) { return wanted < entry.text; });
  if (after == entries_.begin()) return;
  auto at = static_cast<std::uint32_t>(after - entries_.begin() - 1);
  while (at != kNone && !text.starts_with(entries_[at].text)) at = entries_[at].shorter;
  for (; at != kNone; at = entries_[at].shorter) {
    const Entry& entry = entries_[at];
    if (RestHolds(text.substr(entry.text.size()), entry.rest)) found.Set(entry.id);
  }
}

std::size_t LiteralTable::memory() const {
  std::size_t octets = entries_.capacity() * sizeof(Entry) + reversed_.capacity();
  for (const Entry& entry : entries_) octets += entry.text.capacity();
  return octets;
}

}  // namespace postern
