// Literal: the patterns that need no regular expressions, which are most of them: a text, a text
// with anything before it, or with anything behind it. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "rules/fact_texts.h"

namespace postern {

struct Literal {
  enum class Rest : std::uint8_t {
    kNone,  // nothing more
    kAny,   // .*
    kSome,  // .+
    kTree,  // nothing, or a hierarchy separator and anything
  };
  std::string text;
  Rest rest = Rest::kNone;
  bool at_end = false;  // the rest is before the text: `.*@example\.org`
};

// Nothing when the pattern is none of these.
std::optional<Literal> FindLiteral(std::string_view pattern, TextKind kind);

}  // namespace postern
