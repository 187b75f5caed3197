// The RE2 options of each kind of text. The only other users of RE2 are pattern_table and the
// rewriting of users.
#pragma once

#include <re2/re2.h>

#include <memory>
#include <string_view>

#include "postern/base/status.h"
#include "rules/fact_texts.h"

namespace postern {

// A dot matches a line break too: a break in a name must not dodge `.*`.
re2::RE2::Options OptionsOf(TextKind kind);

// The pattern compiled by itself; the error says what is wrong with it.
Result<std::unique_ptr<re2::RE2>> CompilePattern(std::string_view pattern, TextKind kind);

inline re2::StringPiece Piece(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace postern
