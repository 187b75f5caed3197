// F-09: any text as a configuration. Input: the text.
//
// A violation aborts: each error and warning names its file, line and column; what is accepted is
// printed as a text that is accepted without a warning more and prints the same; reading is
// deterministic. Nothing is opened, nothing resolved.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "postern/base/check.h"
#include "postern/server/config.h"

namespace postern::testing {
namespace {

constexpr std::string_view kFile = "/etc/postern/fuzz.toml";

bool SkipNumber(std::string_view& text) {
  const std::size_t digits = text.find_first_not_of("0123456789");
  if (digits == 0 || digits == text.npos || text[digits] != ':') return false;
  text.remove_prefix(digits + 1);
  return true;
}

// "/etc/postern/fuzz.toml:3:8: what is wrong", one line that a terminal shows as it is.
void CheckSentence(std::string_view text) {
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    POSTERN_CHECK(octet >= 0x20 && octet != 0x7F);
  }
  POSTERN_CHECK(text.starts_with(kFile) && text.size() > kFile.size());
  text.remove_prefix(kFile.size());
  POSTERN_CHECK(text.front() == ':');
  text.remove_prefix(1);
  POSTERN_CHECK(SkipNumber(text) && SkipNumber(text));
  POSTERN_CHECK(text.size() > 1 && text.front() == ' ');
}

Config Parse(std::string_view text, ConfigErrors& errors) {
  Config config = ParseConfig(text, std::string(kFile), errors);
  for (const std::string& error : errors.errors) CheckSentence(error);
  for (const std::string& warning : errors.warnings) CheckSentence(warning);
  return config;
}

void Check(std::string_view text) {
  ConfigErrors errors, again;
  const Config config = Parse(text, errors);
  Parse(text, again);
  POSTERN_CHECK(errors.errors == again.errors && errors.warnings == again.warnings);
  if (!errors.errors.empty()) return;
  const std::string printed = PrintConfig(config);
  ConfigErrors of_print;
  const Config reread = Parse(printed, of_print);
  POSTERN_CHECK(of_print.errors.empty());
  POSTERN_CHECK(of_print.warnings.size() <= errors.warnings.size());
  POSTERN_CHECK(PrintConfig(reread) == printed);
}

}  // namespace
}  // namespace postern::testing

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 16 * 1024) return 0;
  postern::testing::Check({reinterpret_cast<const char*>(data), size});
  return 0;
}
