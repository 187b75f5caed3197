#include <catch2/catch.hpp>

#include "postern/rules/facts.h"

namespace postern {
namespace {

TEST_CASE("what backends may strip from a user's name makes no other user") {
  for (const std::string_view said : {"ann@x.example", " ann@x.example", "ann@x.example ",
                                      "\tann@x.example\x7f", "ann@x.example.", "ann@x.example. "}) {
    CHECK(PlainUser(said) == "ann@x.example");
  }
  CHECK(PlainUser("ann") == "ann");
  CHECK(PlainUser("ann.") == "ann.");
  CHECK(PlainUser("an n") == "an n");
  CHECK(PlainUser("  ").empty());
}

}  // namespace
}  // namespace postern
