// Finding: what one lookup says of one question, and AskFunction: how it is asked. Values; made and
// used on the lookups' thread.
#pragma once

#include <functional>
#include <string>
#include <utility>

#include "postern/gateway/lookup.h"

namespace postern {

struct Finding {
  enum class Trouble : std::uint8_t {
    kNone,
    kAway,   // could not be asked: timeout, refused, an error of its own, nonsense
    kWrong,  // was asked, and names what is not configured
  };
  LookupAnswer answer;
  Trouble trouble = Trouble::kNone;
  std::string reason;  // of trouble, for the log; never a secret

  static Finding Away(std::string reason) { return Troubled(Trouble::kAway, std::move(reason)); }
  static Finding Wrong(std::string reason) { return Troubled(Trouble::kWrong, std::move(reason)); }

 private:
  static Finding Troubled(Trouble trouble, std::string reason) {
    Finding finding;
    finding.answer.kind = LookupAnswer::Kind::kUnavailable;
    finding.trouble = trouble;
    finding.reason = std::move(reason);
    return finding;
  }
};

using FindingDone = std::function<void(Finding)>;
// Calls done exactly once, perhaps before it returns; the question is read before it returns.
using AskFunction = std::function<void(const LookupQuestion& question, FindingDone done)>;

}  // namespace postern
