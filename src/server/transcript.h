// Transcript: a conversation in a text file, played against rules (`postern test --transcript`).
// The format is that of tests/transcripts, with fewer words:
//
//   # a comment
//   C: a line of the client        P: a line that the backend gets
//   S: a line the client gets      B: a line of the backend
//   ! given KEY=VALUE              a fact, as in a [[test]]; at the beginning
//   ! login [CAPABILITIES]         the whole of a login as the given user
//   ! start, connected, backend end, client end, drain
//   ! connect NAME, logged in, finish REASON       what must have happened
//
// A line ends in CRLF unless it ends in "\c"; \r \n \0 \s \\ \xHH are bytes. All that is written is
// expected before the next arrival, each side's in its order; a file without S and P lines expects
// nothing and shows what there is. Reads nothing; one thread.
#pragma once

#include <iosfwd>
#include <string>
#include <string_view>

#include "postern/rules/rule_set.h"

namespace postern {

// Prints the conversation as it goes to out. The first difference, or mistake of the text, with its
// place; empty: all was as expected.
std::string PlayTranscript(std::string_view text, const std::string& path, RuleSet& rules,
                           const RuleNames& names, std::ostream& out);

}  // namespace postern
