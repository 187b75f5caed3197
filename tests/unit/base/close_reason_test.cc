#include "postern/base/close_reason.h"

#include <catch2/catch.hpp>
#include <set>
#include <string>

namespace postern {
namespace {

TEST_CASE("Every close reason has a name and a sentence of its own") {
  std::set<std::string> names;
  std::set<std::string> sentences;
  for (std::size_t i = 0; i < kCloseReasonCount; ++i) {
    const auto reason = static_cast<CloseReason>(i);
    names.emplace(CloseReasonName(reason));
    sentences.emplace(CloseReasonText(reason));
    CHECK(CloseReasonName(reason).find_first_not_of("abcdefghijklmnopqrstuvwxyz_") ==
          std::string_view::npos);
    CHECK(CloseReasonText(reason).back() == '.');
  }
  CHECK(names.size() == kCloseReasonCount);
  CHECK(sentences.size() == kCloseReasonCount);
  CHECK(CloseReasonName(CloseReason::kInternal) == "internal");
}

}  // namespace
}  // namespace postern
