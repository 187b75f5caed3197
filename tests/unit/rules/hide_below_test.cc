// What may be hidden below a mailbox, and with what hidden names may begin.
#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

#include "postern/rules/rule_set.h"

namespace postern::testing {
namespace {

std::shared_ptr<const SessionRules> Hiding(const std::vector<std::string>& patterns) {
  Rule rule;
  rule.name = "hide";
  rule.action = Action::kHide;
  for (const std::string& pattern : patterns) {
    rule.mailboxes.push_back({pattern, "here:1:1", TextValue{}});
  }
  auto book = std::make_shared<RuleBook>(RuleBook{{rule}});
  auto set = RuleSet::Compile(book, {{"imaps"}, {"legacy"}});
  REQUIRE(set.ok());
  return set.value()->For({});
}

TEST_CASE("A literal lies below its parents and nothing else") {
  const auto rules = Hiding({"Shared/a/Secret", "INBOX\\.private"});
  for (const char* name : {"Shared", "Shared/a", "Shared/", "&AFM-hared", "INBOX", "inbox"}) {
    INFO(name);
    CHECK(rules->MayHideBelow(name));
  }
  for (const char* name : {"Share", "Shared/b", "Open", "INBOX/x", "Secret", "a", ""}) {
    INFO(name);
    CHECK_FALSE(rules->MayHideBelow(name));
  }
}

TEST_CASE("An expression lies below where it may begin") {
  const auto rules = Hiding({"Shared/.*private.*", "(Work|Play)/x"});
  for (const char* name : {"Shared", "Shared/a", "Shared/a/b", "Work", "Play"}) {
    INFO(name);
    CHECK(rules->MayHideBelow(name));
  }
  CHECK_FALSE(rules->MayHideBelow("Open"));
  CHECK_FALSE(rules->MayHideBelow("A"));
  CHECK(Hiding({".*/private"})->MayHideBelow("Open"));
  CHECK(Hiding({"(?i)secret/x"})->MayHideBelow("SECRET"));
}

TEST_CASE("No hidden name begins with an octet that none can begin with") {
  const std::vector<std::string> patterns = {"Secret", "INBOX/x", "Entw\xc3\xbcrfe", "\xc3\x84rger",
                                             "[m-o]x"};
  const auto rules = Hiding(patterns);
  for (const char* name : {"Secret", "inbox/x", "&AFM-ecret", "Entw&APw-rfe", "\xc4rger", "/Secret",
                           "nx", "\xc3\x84rger/x"}) {
    INFO(name);
    CHECK(rules->HidesMailbox(name));
    CHECK(rules->MayBeginHidden(name[0]));
  }
  for (const char first : {'a', 'F', 's', 'e', '(', '0', 'p', '"', ' '}) {
    INFO(first);
    CHECK_FALSE(rules->MayBeginHidden(first));
  }
  const auto anything = Hiding({".*secret"});
  for (int c = 1; c < 256; ++c) CHECK(anything->MayBeginHidden(static_cast<char>(c)));
}

}  // namespace
}  // namespace postern::testing
