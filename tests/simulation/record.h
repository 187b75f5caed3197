// Record: what happened in one simulated world: the first broken law, and, when it is wanted, who
// said what when. Also Sabotage: what a run breaks on purpose, to prove that it would be noticed.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "simulation/timeline.h"

namespace postern::testing {

enum class Sabotage : std::uint8_t {
  kNone,
  kTwice,       // a command reaches its backend twice
  kSwallowed,   // a command does not reach its backend
  kForgedOk,    // a backend's NO reaches the client as OK
  kCleanCut,    // a cut response ends as if nothing were missing
  kWordsInCut,  // a goodbye is written behind a cut response
  kOwnCommand,  // a command of nobody's reaches the backend
  kNoBacklog,   // streams do not tell how much waits in them
  kMiscount,    // a byte is counted twice
  kForgotten,   // a deadline stays armed
  kNoWakeUp,    // a stream that may be read again is not
  kSecretLog,   // a password is logged
  kLostRule,    // a rule is not there
};
inline constexpr std::string_view kSabotageNames[] = {
    "none",         "twice",       "swallowed",  "forged-ok", "clean-cut",
    "words-in-cut", "own-command", "no-backlog", "miscount",  "forgotten",
    "no-wake-up",   "secret-log",  "lost-rule"};

class Record {
 public:
  Record(Timeline& timeline, bool transcript, Sabotage sabotage)
      : timeline_(timeline), transcript_(transcript), sabotage_(sabotage) {}

  Sabotage sabotage() const { return sabotage_; }
  bool wants_notes() const { return transcript_; }
  // A line of the transcript; long and unprintable text is shortened.
  void Note(std::string_view who, std::string_view does, std::string_view text = {});
  // The world stops at the first one.
  void Violate(std::string_view law, std::string what);
  bool broken() const { return !law_.empty(); }
  const std::string& law() const { return law_; }
  const std::string& what() const { return what_; }
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  Timeline& timeline_;
  const bool transcript_;
  const Sabotage sabotage_;
  std::string law_;
  std::string what_;
  std::vector<std::string> notes_;
};

// Text as it stands in transcripts and findings: CRLF and other control characters as escapes, the
// middle of long text left out.
std::string Shown(std::string_view text);

}  // namespace postern::testing
