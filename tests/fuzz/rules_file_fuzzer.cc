// F-08: any text as a rule file. Input: the text.
//
// A violation aborts: each error names its file, line and column in one printable line; reading is
// deterministic; what is accepted compiles or says where not, within the memory there is for it;
// its tests run to an end and to the same end twice. Nothing is opened.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "postern/base/check.h"
#include "server/rule_tests.h"
#include "server/rules_reader.h"

namespace postern::testing {
namespace {

constexpr std::string_view kFile = "/etc/postern/rules/fuzz.toml";
// What rules may hold, and each of their patterns beyond that.
constexpr std::size_t kMostMemory = 64 * 1024 * 1024;
constexpr std::size_t kMostOfPattern = 1024 * 1024;

bool SkipNumber(std::string_view& text) {
  const std::size_t digits = text.find_first_not_of("0123456789");
  if (digits == 0 || digits == text.npos || text[digits] != ':') return false;
  text.remove_prefix(digits + 1);
  return true;
}

// "/etc/postern/rules/fuzz.toml:3:8: what is wrong", one line that a terminal shows as it is.
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

std::size_t CountValues(const RuleBook& book) {
  std::size_t count = 0;
  for (const Rule& rule : book.rules) {
    count += rule.mailboxes.size();
    for (const Condition& condition : rule.conditions) count += condition.any_of.size();
    for (const Condition& condition : rule.unless) count += condition.any_of.size();
    for (const Exemption& exemption : rule.exemptions) count += exemption.users.size();
  }
  return count;
}

void Check(std::string_view text) {
  ConfigErrors errors, again;
  const RulesRead read = ParseRules(text, std::string(kFile), nullptr, errors);
  ParseRules(text, std::string(kFile), nullptr, again);
  POSTERN_CHECK(errors.errors == again.errors);
  for (const std::string& error : errors.errors) CheckSentence(error);
  if (!errors.errors.empty()) return;
  const auto rules = RuleSet::Compile(read.book, NamesIn(read));
  if (!rules.ok()) return CheckSentence(rules.error().message());
  POSTERN_CHECK(rules.value()->memory() <= kMostMemory + kMostOfPattern * CountValues(*read.book));
  for (const std::string& sentence : FindUselessRules(*read.book)) CheckSentence(sentence);
  POSTERN_CHECK(RunRuleTests(read) == RunRuleTests(read));
}

}  // namespace
}  // namespace postern::testing

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 256 * 1024) return 0;
  postern::testing::Check({reinterpret_cast<const char*>(data), size});
  return 0;
}
