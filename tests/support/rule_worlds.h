// Rule books and facts drawn from bytes, for the property test and the fuzzer: small vocabularies,
// so that rules often meet facts and each other.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "postern/rules/rule.h"
#include "postern/rules/rule_set.h"

namespace postern::testing {

// Numbers from bytes; zeros behind their end.
class Draw {
 public:
  explicit Draw(std::string_view bytes) : bytes_(bytes) {}
  // 0 to below - 1.
  std::size_t Below(std::size_t below);
  bool OneIn(std::size_t of) { return Below(of) == 0; }
  bool empty() const { return bytes_.empty(); }

 private:
  std::string_view bytes_;
};

const RuleNames& WorldNames();
// Rules that CheckRule accepts; those that it does not are left out.
RuleBook DrawBook(Draw& draw, std::size_t most);

// Facts that own nothing: views of static texts.
SessionFacts DrawSession(Draw& draw);
struct DrawnCommand {
  std::vector<std::string_view> mailboxes;
  CommandFacts facts;  // views of the above and of static texts
};
// A command that the protocol has, with what such a command may carry.
void DrawCommand(Draw& draw, Protocol protocol, DrawnCommand& out);
std::string_view DrawMailbox(Draw& draw);

}  // namespace postern::testing
