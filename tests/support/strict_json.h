// StrictJson: a second opinion on what we write as JSON (RFC 8259), slow and by the letter. Pure;
// for tests and fuzzers.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace postern::testing {

// An object without objects or lists inside: the text of each member, strings decoded, everything
// else as written. Nothing when it is not exactly one such object, when a key comes twice, or when
// a string holds a raw control character or is not UTF-8.
std::optional<std::map<std::string, std::string>> ReadFlatJson(std::string_view text);
// Exactly one string literal, decoded to UTF-8.
std::optional<std::string> ReadJsonString(std::string_view text);
bool IsUtf8(std::string_view text);

}  // namespace postern::testing
