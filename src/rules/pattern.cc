#include "rules/pattern.h"

#include <string>

namespace postern {

re2::RE2::Options OptionsOf(TextKind kind) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_dot_nl(true);
  options.set_encoding(kind == TextKind::kUtf8 ? re2::RE2::Options::EncodingUTF8
                                               : re2::RE2::Options::EncodingLatin1);
  options.set_case_sensitive(kind != TextKind::kFolded);
  return options;
}

Result<std::unique_ptr<re2::RE2>> CompilePattern(std::string_view pattern, TextKind kind) {
  auto compiled = std::make_unique<re2::RE2>(Piece(pattern), OptionsOf(kind));
  if (compiled->ok()) return Result<std::unique_ptr<re2::RE2>>(std::move(compiled));
  return Status::Error("'" + std::string(pattern) +
                       "' is not an RE2 pattern: " + compiled->error());
}

}  // namespace postern
