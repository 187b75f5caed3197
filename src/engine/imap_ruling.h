// ImapRuling: what rules said of the command that is being read, kept while that is still needed:
// it is refused, it waits, or more of it will come. A value; owned by the relay.
#pragma once

#include <string>

#include "engine/imap_facts.h"
#include "postern/base/clock.h"
#include "postern/rules/rule_set.h"

namespace postern {

struct ImapRuling {
  Decision::Verdict verdict = Decision::Verdict::kNone;
  std::string text;  // for the client when it is refused; with its code, but for a disconnect
  Duration delay{};
  bool streamed = false;  // the head ends in a literal that is not looked at
  ImapFacts facts;
};

}  // namespace postern
